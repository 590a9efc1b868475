/* SPDX-License-Identifier: MIT */
/*
 * How long each vCPU has run, slept, and waited while others ran: counted up at every change of its
 * state, shown to its guest in the shared page, charged to it by the policy.
 *
 * What is done for a VM in another one's turn, as showing its output, is owed by it: the other's
 * turn is longer by that, and its own next one is shorter, as if it had begun then.
 *
 * Two harts read the same clock, but one may have read it before it waited for the lock, and the
 * other after: a time that lies before the last one counts as none passed.
 */
#include "arch/arch.h"
#include "core/sched.h"
#include "core/sched_parts.h"
#include "core/sched_policy.h"
#include "core/vm.h"

enum {
    LATELY_SECONDS = 1,
    DEBTS_PER_SECOND = 100, /* nobody owes much more than a long turn's time */
};

static void account_show(const struct vcpu *vcpu)
{
    struct shared_page *page = vcpu->shared;
    u64 version;

    if (page == NULL)
        return;
    version = READ_ONCE(page->time_version) | 1;
    WRITE_ONCE(page->time_version, version);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    WRITE_ONCE(page->running_time, vcpu->running_time);
    WRITE_ONCE(page->idle_time, vcpu->idle_time);
    WRITE_ONCE(page->steal_time, vcpu->steal_time);
    __atomic_store_n(&page->time_version, version + 1, __ATOMIC_RELEASE);
}

/* What is lately of a time that has grown by `more`, within the last `passed`: it fades. */
static u64 lately(u64 before, u64 passed, u64 more)
{
    const u64 window = LATELY_SECONDS * machine.timebase_hz;

    before -= passed < window ? before * passed / window : before;
    return before + min(more, window);
}

void sched_count_locked(struct vcpu *vcpu, u64 now)
{
    u64 passed = now > vcpu->state_since ? now - vcpu->state_since : 0;
    u64 ran = 0, waited = 0;

    vcpu->state_since += passed;
    if (vcpu->state == VCPU_SLEEPING)
        vcpu->idle_time += passed;
    else if (vcpu->hart->current == vcpu)
        ran = passed;
    else if (vcpu->state == VCPU_RUNNABLE)
        waited = passed;
    vcpu->running_time += ran;
    vcpu->steal_time += waited;
    vcpu->ran_lately = lately(vcpu->ran_lately, passed, ran);
    vcpu->waited_lately = lately(vcpu->waited_lately, passed, waited);
    if (ran > 0)
        sched_policy->charge(vcpu->hart, vcpu, ran);
}

void sched_account_locked(struct vcpu *vcpu, u64 now)
{
    sched_count_locked(vcpu, now);
    account_show(vcpu);
}

void sched_account(struct vcpu *vcpu, u64 now)
{
    struct hart *hart = sched_lock(vcpu);

    sched_account_locked(vcpu, now);
    lock_release(&hart->queue_lock);
}

static void owe(struct vcpu *vcpu, u64 ticks)
{
    if (__atomic_load_n(&vcpu->owed, __ATOMIC_RELAXED) < machine.timebase_hz / DEBTS_PER_SECOND)
        __atomic_fetch_add(&vcpu->owed, ticks, __ATOMIC_RELAXED);
}

u64 sched_pay_locked(struct hart *hart, struct vcpu *vcpu, u64 most, u64 now)
{
    u64 paid = min(__atomic_load_n(&vcpu->owed, __ATOMIC_RELAXED), most);
    u64 waited = now > vcpu->state_since ? now - vcpu->state_since : 0;

    __atomic_fetch_sub(&vcpu->owed, paid, __ATOMIC_RELAXED);
    vcpu->running_time += min(paid, waited);
    vcpu->state_since += min(paid, waited);
    sched_account_locked(vcpu, now);
    hart->current = vcpu;
    sched_policy->charge(hart, vcpu, paid);
    return paid;
}

void sched_aside(struct hart *hart, struct vm *(*work)(void))
{
    struct vcpu *vcpu = hart->current;
    struct vm *served;
    u64 taken;

    if (vcpu == NULL) {
        work();
        return;
    }
    sched_account(vcpu, arch_time_now());
    served = work();
    if (served == vcpu->vm)
        return;
    lock_acquire(&hart->queue_lock);
    taken = arch_time_now() - vcpu->state_since;
    vcpu->state_since += taken;
    vcpu->steal_time += taken;
    hart->slice_end += taken;
    account_show(vcpu);
    lock_release(&hart->queue_lock);
    if (served != NULL)
        owe(served->vcpus, taken);
}

struct vcpu_times sched_times(struct vcpu *vcpu)
{
    struct hart *hart = sched_lock(vcpu);
    u64 now = arch_time_now();
    u64 since = now > vcpu->state_since ? now - vcpu->state_since : 0;
    struct vcpu_times times = {vcpu->running_time, vcpu->idle_time, vcpu->steal_time, hart->index};

    if (vcpu->state == VCPU_SLEEPING)
        times.idle += since;
    else if (hart->current == vcpu)
        times.running += since;
    else if (vcpu->state == VCPU_RUNNABLE)
        times.steal += since;
    lock_release(&hart->queue_lock);
    return times;
}
