/* SPDX-License-Identifier: MIT */
/*
 * What the scheduler's files share with each other, and with nobody else: sched.c (turns, sleep,
 * states), sched_place.c (which hart), sched_account.c (times). `_locked`: with the queue of the
 * vCPU's hart locked.
 */
#pragma once

#include "core/hart.h"
#include "core/sched_policy.h"
#include "core/vcpu.h"

enum {
    TURN_LEFT_PART = 10,        /* of a turn, that much is left at least to one that has debts */
    SLOW_TICKS_PER_SECOND = 10, /* of a vCPU that is alone; so often, too, harts balance */
};

/* ---- sched.c ---- */

/* Locks the queue of the hart that a vCPU belongs to, which may change until then. */
struct hart *sched_lock(struct vcpu *vcpu);

/* This hart's queue has changed: does the running vCPU go on, and until when? */
void sched_turn_check(struct hart *hart, u64 now);

/* ---- sched_account.c ---- */

/* Brings a vCPU's times up to date. */
void sched_count_locked(struct vcpu *vcpu, u64 now);

/* That, and shows them in its shared page: in its turn, or while it has none. */
void sched_account_locked(struct vcpu *vcpu, u64 now);

/* The vCPU's turn begins: it becomes hart->current, and pays what it owes for work aside, `most` at
 * most. Returns by how much that makes its turn shorter. Its times are up to date and shown: of
 * what it waited, so much counts as running. */
u64 sched_pay_locked(struct hart *hart, struct vcpu *vcpu, u64 most, u64 now);

/* ---- sched_place.c ---- */

/* How many vCPUs wait on a hart. Without a lock: it may have changed since. */
u32 sched_ready_on(const struct hart *hart);

/* Onto a hart's list of those that are ready, and off it. */
void sched_ready_put_locked(struct hart *hart, struct vcpu *vcpu, enum sched_reason reason,
                            u64 now);
void sched_ready_remove_locked(struct hart *hart, struct vcpu *vcpu);

/* Takes the idle mark from a hart: true if it had one. */
bool sched_idle_clear(const struct hart *hart);

/* A vCPU waits on a busy hart: an idle one shall come and take it. No lock is held. */
void sched_offer(void);

/* A vCPU that is on no list, and nowhere loaded but here, becomes ready where there is room. `home`
   is where it was, locked; its lock is released. */
void sched_place(struct vcpu *vcpu, struct hart *home, u64 now);

/* For a hart that has nothing to do: it takes over a vCPU that waits elsewhere. False: none does.
 */
bool sched_steal(struct hart *hart);

/* For one that has: now and then it takes one over too, so that all get their shares. */
void sched_balance(struct hart *hart, u64 now);
