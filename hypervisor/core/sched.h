/* SPDX-License-Identifier: MIT */
/*
 * Which vCPU runs where. Each hart has a queue, whose order is the policy's (sched_policy.h); harts
 * with nothing to do take waiting vCPUs from others.
 *
 * "In its turn" means: by the hart whose `current` it is, between entering the hypervisor and
 * leaving it. Lock level: LOCK_QUEUE, one lock at a time.
 */
#pragma once

#include "core/hart.h"
#include "core/vcpu.h"

/* Makes a vCPU that was OFF ready on its hart, or on an idle one. Any hart may call it. */
void sched_start(struct vcpu *vcpu);

/* The vCPU is OFF afterwards. In its turn. */
void sched_stop(struct vcpu *vcpu);

/* Any hart may ask; the answer stays true where it is known that nobody starts it. */
bool sched_is_off(struct vcpu *vcpu);

/* Who runs is chosen anew. In the vCPU's turn, which may go on. */
void sched_requeue(struct vcpu *vcpu);

/* The running vCPU gives its turn to another one that is ready, if there is one. (Not sched_yield:
   the host has that.) */
void sched_give_way(struct vcpu *vcpu);

/* The same, and if `to` waits for its turn on this hart, it is the next. */
void sched_give_way_to(struct vcpu *vcpu, struct vcpu *to);

/* Gives it that weight, not 0, from now on, if the policy has weights. Any hart may call it. */
void sched_set_weight(struct vcpu *vcpu, u32 weight);

/* The running vCPU sleeps until it is woken, or that time at the latest; not at all if something
   waits for it, or its VM is to be paused. */
void sched_sleep(struct vcpu *vcpu, u64 until);

/* Something waits for the vCPU (events_wanted, its VM's end_wanted): if it sleeps, it is made ready
   on its own hart, or on an idle one while that is busy; if it runs elsewhere, its hart is told.
   Any hart; the caller holds no lock of a run queue. */
void sched_notify(struct vcpu *vcpu);

/* Whether this hart executes in that vCPU's turn. */
bool sched_in_turn(const struct vcpu *vcpu);

/* Whether it has its turn on some hart now. Any hart may ask. */
bool sched_has_turn(struct vcpu *vcpu);

/* Its VM is paused: the vCPU leaves its turn soon, if it has one, and neither waits nor sleeps any
   more. Any hart may call it. */
void sched_pause(struct vcpu *vcpu);

/* Makes a paused vCPU ready; on any other it does nothing. Any hart may call it. */
void sched_resume(struct vcpu *vcpu);

/* `ring` is called on this hart, once, at that time or soon after, in place of what was asked for
   before (TIME_NEVER: nothing). Called without a lock, and so is ring. */
void sched_alarm(u64 time, void (*ring)(void));

/* Other harts have changed this one's queue, or want something of its current vCPU. */
void sched_mail(struct hart *hart);

/* The processor forgets the vCPU, if it holds its state. In its turn. */
void sched_unload(struct vcpu *vcpu);

/* This hart forgets all translations and fetches code anew, and so drops what another vCPU has made
   stale for this one. */
void sched_drop_stale(struct vcpu *vcpu);

/* The running vCPU's timer has another time. */
void sched_timer_changed(struct hart *hart);

/* The tick of this hart's timer: ends the slice, wakes sleepers, looks for waiting vCPUs of others.
 */
void sched_tick(struct hart *hart);

/*
 * The vCPU to enter now, loaded into the processor, with this hart's timer set. Sleeps while there
 * is none; gives VMs that are being made or ended their turns.
 */
struct vcpu *sched_next(struct hart *hart);

/* Brings a vCPU's times up to date and shows them in its shared page. Not while another hart may
   run it. */
void sched_account(struct vcpu *vcpu, u64 now);

/*
 * Serves devices on this hart in its current vCPU's turn. `work` says for which VM that was (NULL:
 * for none): unless for the current one, the time counts as stolen from it and makes its turn
 * longer, and the other VM owes it. The work leaves hart->current as it is.
 */
void sched_aside(struct hart *hart, struct vm *(*work)(void));

/* A vCPU's times up to now, and where it is. Any hart; nothing changes. */
struct vcpu_times {
    u64 running;
    u64 idle;
    u64 steal;
    u32 hart; /* index */
};
struct vcpu_times sched_times(struct vcpu *vcpu);
