/* SPDX-License-Identifier: MIT */
/*
 * On which hart a vCPU waits for its turn: at wake-up, when a hart runs out of work, and ten times
 * a second where one hart has more to do than another.
 *
 * What a hart has to do is the sum of the weights there, which are all the same where the policy
 * has none. That cannot always be divided evenly: where the rest is, rotates (sched_balance).
 *
 * Locks: at most one queue's at a time.
 */
#include "arch/arch.h"
#include "core/machine.h"
#include "core/sched.h"
#include "core/sched_parts.h"

enum { RICHER_MS = 10, MS_PER_SECOND = 1000 };

/* ---- queues ---- */

static struct vcpu *loaded_on(const struct hart *hart)
{
    return __atomic_load_n(&hart->loaded, __ATOMIC_SEQ_CST);
}

u32 sched_ready_on(const struct hart *hart)
{
    return __atomic_load_n(&hart->ready_count, __ATOMIC_SEQ_CST);
}

void sched_ready_put_locked(struct hart *hart, struct vcpu *vcpu, enum sched_reason reason, u64 now)
{
    sched_policy->queue(hart, vcpu, reason, now);
    __atomic_store_n(&hart->ready_count, hart->ready_count + 1, __ATOMIC_SEQ_CST);
}

void sched_ready_remove_locked(struct hart *hart, struct vcpu *vcpu)
{
    list_remove(&vcpu->link);
    __atomic_store_n(&hart->ready_count, hart->ready_count - 1, __ATOMIC_SEQ_CST);
}

bool sched_idle_clear(const struct hart *hart)
{
    const u64 bit = BIT(hart->index);

    return (__atomic_fetch_and(&harts_idle, ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

/* An idle hart, which is not marked any more; NULL without one. */
static struct hart *idle_take(void)
{
    u64 idle = __atomic_load_n(&harts_idle, __ATOMIC_SEQ_CST);

    for (u32 i = 0; idle != 0; i++, idle >>= 1) {
        if ((idle & 1) && sched_idle_clear(&harts[i]))
            return &harts[i];
    }
    return NULL;
}

void sched_offer(void)
{
    struct hart *idle = idle_take();

    if (idle != NULL)
        hart_send(idle, HART_MAIL_RESCHEDULE);
}

/* ---- from hart to hart ---- */

/* As sched_place, to a hart that has been chosen. */
static void hand_over(struct vcpu *vcpu, struct hart *home, struct hart *to, u64 now)
{
    bool busy;

    sched_policy->depart(home, vcpu, now);
    __atomic_store_n(&vcpu->hart, to, __ATOMIC_RELEASE);
    if (to != home) {
        lock_release(&home->queue_lock);
        lock_acquire(&to->queue_lock);
    }
    sched_ready_put_locked(to, vcpu, SCHED_ARRIVED, now);
    busy = to->current != NULL;
    lock_release(&to->queue_lock);
    if (busy)
        sched_offer();
    if (to == arch_hart())
        sched_turn_check(to, now);
    else
        hart_send(to, HART_MAIL_RESCHEDULE);
}

void sched_place(struct vcpu *vcpu, struct hart *home, u64 now)
{
    struct hart *to = NULL;

    if (loaded_on(home) == vcpu || (home->current == NULL && list_empty(&home->ready)))
        sched_idle_clear(home);
    else
        to = idle_take();
    hand_over(vcpu, home, to != NULL ? to : home, now);
}

static u64 weight_of(const struct vcpu *vcpu)
{
    return sched_policy->weigh != NULL ? vcpu->weight : 1;
}

static u64 load_locked(const struct hart *hart)
{
    u64 sum = hart->current != NULL ? weight_of(hart->current) : 0;
    const struct vcpu *vcpu;

    list_for_each (vcpu, &hart->ready, link)
        sum += weight_of(vcpu);
    return sum;
}

/* What a hart that has something to do compares others with. */
struct balance {
    u64 load;
    u64 ran; /* by its current vCPU lately, */
    u64 weight;
};

/* Whether the current vCPU there waits for turns and yet has had less for its weight than the one
   here, by more than a slice of that one's: then it shall be alone for a while. */
static bool poorer(const struct vcpu *there, const struct balance *here)
{
    const u64 slice = machine.timebase_hz * RICHER_MS / MS_PER_SECOND;

    return there != NULL && there->waited_lately > slice && here->ran > slice &&
           there->ran_lately * here->weight < (here->ran - slice) * weight_of(there);
}

/* The vCPU that waits there and may go; NULL: none. `here` NULL: to a hart that has nothing to do.
 */
static struct vcpu *choose_locked(const struct hart *victim, const struct balance *here)
{
    const u64 load = load_locked(victim);
    struct vcpu *vcpu;

    list_for_each (vcpu, &victim->ready, link) {
        if (loaded_on(victim) == vcpu)
            continue;
        if (here == NULL || here->load + weight_of(vcpu) < load ||
            (here->load < load && poorer(victim->current, here)))
            return vcpu;
    }
    return NULL;
}

static bool pull(struct hart *hart, struct hart *victim, const struct balance *here)
{
    struct vcpu *taken;
    u64 now;

    lock_acquire(&victim->queue_lock);
    now = arch_time_now();
    taken = choose_locked(victim, here);
    if (taken == NULL) {
        lock_release(&victim->queue_lock);
        return false;
    }
    sched_account_locked(taken, now);
    sched_ready_remove_locked(victim, taken);
    hand_over(taken, victim, hart, now);
    return true;
}

static bool pull_from_any(struct hart *hart, const struct balance *here)
{
    for (u32 i = 1; i < hart_count; i++) {
        struct hart *victim = &harts[(hart->index + i) % hart_count];

        if (hart_is_online(victim) && sched_ready_on(victim) > 0 && pull(hart, victim, here))
            return true;
    }
    return false;
}

bool sched_steal(struct hart *hart)
{
    return pull_from_any(hart, NULL);
}

/* What makes the loads more alike is taken. Where nothing does, harts take turns at having more, so
 * that no vCPU has less than another one for its weight for long. */
void sched_balance(struct hart *hart, u64 now)
{
    struct balance here;

    if (hart->current == NULL || now < hart->balance_at)
        return;
    hart->balance_at = now + machine.timebase_hz / SLOW_TICKS_PER_SECOND;
    lock_acquire(&hart->queue_lock);
    here = (struct balance){load_locked(hart), hart->current->ran_lately, weight_of(hart->current)};
    lock_release(&hart->queue_lock);
    (void)pull_from_any(hart, &here);
}
