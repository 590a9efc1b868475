/* SPDX-License-Identifier: MIT */
/*
 * Weighted shares: of a hart that is busy, each vCPU that is ready gets a part in proportion to its
 * weight.
 *
 * Each vCPU has a virtual time, which grows by the time that it runs divided by its weight. The one
 * that is behind all others is next. So all stay close together, and what they have had is in
 * proportion to their weights.
 *
 * A hart's virtual time is that of the vCPU that is the furthest behind, running or ready; it never
 * goes back. Invariant: nobody on its list is behind it by more than a shortest turn of its own. A
 * sleeper that wakes up is put there:
 *  - it is owed nothing for its sleep. One that runs and sleeps in turns gets its share at most;
 *  - it is next, and who runs gives way after a millisecond. That is all of the boost at wake-up;
 *  - unless it has had more than its share before it fell asleep: then it is still ahead.
 * How far ahead a vCPU is goes with it from hart to hart; never more than a long turn's worth.
 *
 * A turn is the vCPU's part of 19 ms, less what it is ahead of the next one, at least 1 ms and at
 * most 10 ms. A vCPU of weight 1 beside one of 10,000 has its millisecond once in ten seconds.
 *
 * Virtual times wrap: only differences mean anything.
 */
#include "core/machine.h"
#include "core/sched_policy.h"

enum {
    VIRTUAL_UNIT = 1 << 16, /* of virtual time, for a tick with weight 1 */
    /* Harts look at each other SLOW_TICKS_PER_SECOND times: not always in the same part of a round.
     */
    ROUNDS_PER_SECOND = 53,
    SLICES_PER_SECOND_LEAST = 100,
    SLICES_PER_SECOND_MOST = 1000,
};

/* How much virtual time that is for a weight. Rounded up: many short turns are not cheaper. */
static u64 virtual_of(u64 ticks, u32 weight)
{
    return (ticks * VIRTUAL_UNIT + weight - 1) / weight;
}

/* How far ahead of `other` that virtual time is; negative: behind. */
static i64 ahead(u64 time, u64 other)
{
    return (i64)(time - other);
}

static u64 longest_slice(void)
{
    return machine.timebase_hz / SLICES_PER_SECOND_LEAST;
}

static u64 shortest_slice(void)
{
    return machine.timebase_hz / SLICES_PER_SECOND_MOST;
}

static const struct vcpu *first_of(const struct hart *hart)
{
    return list_entry(hart->ready.next, const struct vcpu, link);
}

/* The virtual time of the vCPU that runs, with what it has not been charged for yet. */
static u64 current_time(const struct hart *hart, u64 now)
{
    const struct vcpu *vcpu = hart->current;
    u64 ran = now > vcpu->state_since ? now - vcpu->state_since : 0;

    return vcpu->virtual_time + virtual_of(ran, vcpu->weight);
}

static void bring_forward(struct hart *hart, u64 now)
{
    u64 least;

    if (hart->current == NULL && list_empty(&hart->ready))
        return;
    if (hart->current == NULL)
        least = first_of(hart)->virtual_time;
    else
        least = current_time(hart, now);
    if (!list_empty(&hart->ready) && ahead(first_of(hart)->virtual_time, least) < 0)
        least = first_of(hart)->virtual_time;
    if (ahead(least, hart->virtual_time) > 0)
        hart->virtual_time = least;
}

/* A distance that is as good as none to that one. */
static i64 nearly(const struct vcpu *vcpu)
{
    return (i64)virtual_of(shortest_slice(), vcpu->weight);
}

/* Among those of about its virtual time it is the last: else small differences, as a call that
   lasted a little longer than a turn, would give one two turns in a row. But one that has arrived
   comes before those that have not. Nobody on the list is further ahead of one that comes after it
   than what is nearly the same to that one. */
static void insert(struct hart *hart, struct vcpu *vcpu, bool arrived)
{
    const i64 near = arrived ? 0 : nearly(vcpu);
    struct vcpu *after;

    vcpu->arrived = arrived;
    list_for_each (after, &hart->ready, link) {
        i64 distance = ahead(after->virtual_time, vcpu->virtual_time);

        if (distance > near || (arrived && !after->arrived && distance >= -nearly(after)))
            break;
    }
    list_insert_before(&after->link, &vcpu->link);
}

static void arrive(struct hart *hart, struct vcpu *vcpu, u64 now)
{
    bring_forward(hart, now);
    vcpu->virtual_time += hart->virtual_time;
    if (hart->current != NULL &&
        ahead(vcpu->virtual_time, current_time(hart, now)) <= nearly(hart->current))
        hart->slice_end = min(hart->slice_end, hart->turn_began + shortest_slice());
}

static void queue(struct hart *hart, struct vcpu *vcpu, enum sched_reason reason, u64 now)
{
    if (reason == SCHED_ARRIVED)
        arrive(hart, vcpu, now);
    else if (reason == SCHED_YIELDED && !list_empty(&hart->ready) &&
             ahead(first_of(hart)->virtual_time, vcpu->virtual_time) > 0)
        vcpu->virtual_time = first_of(hart)->virtual_time;
    insert(hart, vcpu, reason == SCHED_ARRIVED);
}

/* Between harts its virtual time is what it is ahead. */
static void depart(struct hart *hart, struct vcpu *vcpu, u64 now)
{
    const i64 most = (i64)virtual_of(longest_slice(), vcpu->weight);
    i64 debt;

    bring_forward(hart, now);
    debt = ahead(vcpu->virtual_time, hart->virtual_time);
    vcpu->virtual_time = debt > 0 ? (u64)min(debt, most) : 0;
}

static void charge(struct hart *hart, struct vcpu *vcpu, u64 ticks)
{
    vcpu->virtual_time += virtual_of(ticks, vcpu->weight);
    bring_forward(hart, vcpu->state_since);
}

static u64 slice(const struct hart *hart, const struct vcpu *vcpu)
{
    const u64 round = machine.timebase_hz / ROUNDS_PER_SECOND;
    u64 total = vcpu->weight, turn, had = 0;
    const struct vcpu *other;

    list_for_each (other, &hart->ready, link)
        total += other->weight;
    turn = min(max(round * vcpu->weight / total, shortest_slice()), longest_slice());
    if (!list_empty(&hart->ready) && ahead(vcpu->virtual_time, first_of(hart)->virtual_time) > 0)
        had = (vcpu->virtual_time - first_of(hart)->virtual_time) / VIRTUAL_UNIT * vcpu->weight;
    return max(turn - min(turn, had), shortest_slice());
}

/* What it is ahead was ticks of the old weight; they stay the same. */
static void weigh(struct hart *hart, struct vcpu *vcpu, u32 weight)
{
    i64 debt;

    bring_forward(hart, vcpu->state_since);
    debt = ahead(vcpu->virtual_time, hart->virtual_time);
    if (debt > 0)
        vcpu->virtual_time = hart->virtual_time + (u64)debt / weight * vcpu->weight;
    vcpu->weight = weight;
}

const struct sched_policy sched_weighted = {
    .name = "weighted",
    .queue = queue,
    .depart = depart,
    .charge = charge,
    .slice = slice,
    .weigh = weigh,
};
