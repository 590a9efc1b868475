/* SPDX-License-Identifier: MIT */
/*
 * Which vCPU runs: round robin over a hart's ready vCPUs, a slice of 10 ms each.
 *
 * Called between entering the hypervisor and leaving it; nothing here is re-entered. Lock level:
 * LOCK_QUEUE.
 */
#pragma once

#include "core/hart.h"
#include "core/vcpu.h"

/* Puts a vCPU that was OFF on its hart's queue. Any hart may call it. */
void sched_start(struct vcpu *vcpu);

/* Takes a vCPU off whatever it is on: it is OFF afterwards. On its own hart only. */
void sched_stop(struct vcpu *vcpu);

/* The running vCPU goes behind the others that are ready. */
void sched_requeue(struct vcpu *vcpu);

/* The running vCPU sleeps until it is woken, or that time at the latest. */
void sched_sleep(struct vcpu *vcpu, u64 until);

/* Makes a sleeping vCPU ready; on any other it does nothing. Any hart may call it. */
void sched_wake(struct vcpu *vcpu);

/* Other harts have changed this one's queue, or want doorbells rung. */
void sched_mail(struct hart *hart);

/* The processor forgets the vCPU, if it holds its state. On the vCPU's own hart. */
void sched_unload(struct vcpu *vcpu);

/* The running vCPU's timer has another time. */
void sched_timer_changed(struct hart *hart);

/* The tick of this hart's timer: ends the slice, wakes sleepers. */
void sched_tick(struct hart *hart);

/*
 * The vCPU to enter now, loaded into the processor, with this hart's timer set. Sleeps while there
 * is none; gives VMs that are being made or ended their turns.
 */
struct vcpu *sched_next(struct hart *hart);

/* Brings a vCPU's times up to date and shows them in its shared page. */
void sched_account(struct vcpu *vcpu, u64 now);
