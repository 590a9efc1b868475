/* SPDX-License-Identifier: MIT */
/*
 * What a scheduling policy decides: in which order the vCPUs that are ready on a hart get their
 * turns, and how long a turn is. Everything else (states, which hart, sleep, times, the timer) is
 * the same under each. Policies: sched_round_robin.c, to be read first, and sched_weighted.c.
 *
 * Every function is called with the hart's queue locked, and keeps it so. `now` may be a little
 * older than what the vCPUs' times were brought up to.
 */
#pragma once

#include "core/hart.h"
#include "core/vcpu.h"

/* Why a vCPU is put on a hart's list of those that are ready. */
enum sched_reason {
    SCHED_TURN_OVER, /* its turn is; or its place is to be found anew */
    SCHED_YIELDED,   /* it gave its turn away: another one comes first, if there is one */
    SCHED_ARRIVED,   /* it was made ready, or comes from another hart; it has departed before */
};

struct sched_policy {
    const char *name;

    /* Puts it on hart->ready, of which the first is next. May bring hart->slice_end forward. */
    void (*queue)(struct hart *hart, struct vcpu *vcpu, enum sched_reason reason, u64 now);

    /* It was on the hart, ready or asleep, and is about to arrive there again or on another one. */
    void (*depart)(struct hart *hart, struct vcpu *vcpu, u64 now);

    /* The hart's current vCPU has run for so long since the last time. */
    void (*charge)(struct hart *hart, struct vcpu *vcpu, u64 ticks);

    /* How long the turn may be that it begins now, in ticks; it is on no list. */
    u64 (*slice)(const struct hart *hart, const struct vcpu *vcpu);

    /* Gives it that weight; its time is up to date. NULL: all have the same share. */
    void (*weigh)(struct hart *hart, struct vcpu *vcpu, u32 weight);
};

extern const struct sched_policy sched_round_robin;
extern const struct sched_policy sched_weighted;

/* The machine's. */
extern const struct sched_policy *sched_policy;

/* Chooses it. Before the first vCPU is started. */
void sched_use(const struct sched_policy *policy);
