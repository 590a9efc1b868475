/* SPDX-License-Identifier: MIT */
/*
 * Round robin: a queue and a slice of 10 ms.
 *
 * A slice is not renewed while a vCPU is alone: one that wakes up beside one that has long had its
 * slice gets its turn at once, and one that keeps falling asleep and waking up gains nothing over
 * one that runs. But it loses: after each sleep it waits for the slice of the other to end.
 */
#include "core/machine.h"
#include "core/sched_policy.h"

enum { SLICES_PER_SECOND = 100 };

static void queue(struct hart *hart, struct vcpu *vcpu, enum sched_reason reason, u64 now)
{
    (void)reason;
    (void)now;
    list_push_back(&hart->ready, &vcpu->link);
}

static void depart(struct hart *hart, struct vcpu *vcpu, u64 now)
{
    (void)hart;
    (void)vcpu;
    (void)now;
}

static void charge(struct hart *hart, struct vcpu *vcpu, u64 ticks)
{
    (void)hart;
    (void)vcpu;
    (void)ticks;
}

static u64 slice(const struct hart *hart, const struct vcpu *vcpu)
{
    (void)hart;
    (void)vcpu;
    return machine.timebase_hz / SLICES_PER_SECOND;
}

const struct sched_policy sched_round_robin = {
    .name = "round-robin",
    .queue = queue,
    .depart = depart,
    .charge = charge,
    .slice = slice,
};
