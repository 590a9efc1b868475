/* SPDX-License-Identifier: MIT */
/*
 * Round robin, one queue a hart.
 *
 * The vCPU whose turn it is (hart->current) stands on no list. Its slice is not renewed while it is
 * alone: a vCPU that wakes up beside one that has long had its slice gets its turn at once, and one
 * that keeps falling asleep and waking up gains nothing over one that runs.
 *
 * The processor keeps the state of the vCPU that ran last (hart->loaded) until another one is
 * entered.
 */
#include "core/sched.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/vm.h"
#include "debug/trace.h"

enum {
    SLICES_PER_SECOND = 100,
    SLOW_TICKS_PER_SECOND = 10, /* of a vCPU that is alone */
};

/* ---- times ---- */

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

void sched_account(struct vcpu *vcpu, u64 now)
{
    u64 passed = now - vcpu->state_since;

    vcpu->state_since = now;
    if (vcpu->state == VCPU_SLEEPING)
        vcpu->idle_time += passed;
    else if (vcpu->hart->current == vcpu)
        vcpu->running_time += passed;
    else if (vcpu->state == VCPU_RUNNABLE)
        vcpu->steal_time += passed;
    account_show(vcpu);
}

static void timer_program(struct hart *hart, u64 now)
{
    u64 deadline = TIME_NEVER;

    if (!list_empty(&hart->sleeping))
        deadline = list_entry(hart->sleeping.next, struct vcpu, link)->wake_time;
    if (hart->current != NULL) {
        u64 turn = list_empty(&hart->ready) ? now + machine.timebase_hz / SLOW_TICKS_PER_SECOND
                                            : hart->slice_end;

        deadline = min(deadline, min(turn, hart->current->timer));
    }
    arch_timer_set(deadline);
}

void sched_timer_changed(struct hart *hart)
{
    timer_program(hart, arch_time_now());
}

/* ---- from state to state ---- */

void sched_start(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;

    lock_acquire(&hart->queue_lock);
    vcpu->state = VCPU_RUNNABLE;
    vcpu->state_since = arch_time_now();
    list_push_back(&hart->ready, &vcpu->link);
    lock_release(&hart->queue_lock);
    if (hart != arch_hart())
        hart_send(hart, HART_MAIL_RESCHEDULE);
}

void sched_stop(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;

    lock_acquire(&hart->queue_lock);
    sched_account(vcpu, arch_time_now());
    list_remove(&vcpu->link);
    vcpu->state = VCPU_OFF;
    lock_release(&hart->queue_lock);
    hart->reschedule = true;
}

void sched_requeue(struct vcpu *vcpu)
{
    vcpu->hart->reschedule = true;
}

void sched_sleep(struct vcpu *vcpu, u64 until)
{
    struct hart *hart = vcpu->hart;
    struct vcpu *after;

    lock_acquire(&hart->queue_lock);
    sched_account(vcpu, arch_time_now());
    vcpu->state = VCPU_SLEEPING;
    vcpu->wake_time = min(until, min(vcpu->timer, arch_vcpu_deadline(vcpu)));
    list_for_each (after, &hart->sleeping, link) {
        if (after->wake_time > vcpu->wake_time)
            break;
    }
    list_insert_before(&after->link, &vcpu->link);
    lock_release(&hart->queue_lock);
    hart->reschedule = true;
}

static void wake_locked(struct vcpu *vcpu, u64 now)
{
    sched_account(vcpu, now);
    vcpu->state = VCPU_RUNNABLE;
    list_remove(&vcpu->link);
    list_push_back(&vcpu->hart->ready, &vcpu->link);
}

/* Something is ready: does the running vCPU go on? */
static void turn_check(struct hart *hart, u64 now)
{
    if (list_empty(&hart->ready) && hart->current != NULL)
        return;
    if (hart->current == NULL || now >= hart->slice_end)
        hart->reschedule = true;
}

void sched_wake(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;
    u64 now = arch_time_now();
    bool woken = false;

    lock_acquire(&hart->queue_lock);
    if (vcpu->state == VCPU_SLEEPING) {
        wake_locked(vcpu, now);
        woken = true;
    }
    lock_release(&hart->queue_lock);
    if (!woken)
        return;
    if (hart != arch_hart()) {
        hart_send(hart, HART_MAIL_RESCHEDULE);
        return;
    }
    turn_check(hart, now);
    timer_program(hart, now);
}

/* ---- the hart ---- */

void sched_tick(struct hart *hart)
{
    u64 now = arch_time_now();
    struct vcpu *vcpu = hart->current;

    trace(TRACE_TIMER, vcpu != NULL ? vcpu->vm->id : 0, 0);
    lock_acquire(&hart->queue_lock);
    while (!list_empty(&hart->sleeping)) {
        struct vcpu *sleeper = list_entry(hart->sleeping.next, struct vcpu, link);

        if (sleeper->wake_time > now)
            break;
        wake_locked(sleeper, now);
    }
    lock_release(&hart->queue_lock);
    if (vcpu != NULL) {
        lock_acquire(&hart->queue_lock);
        sched_account(vcpu, now);
        lock_release(&hart->queue_lock);
        event_timer_check(vcpu, now);
        if (hart->loaded == vcpu && vcpu->vm->state == VM_RUNNING &&
            arch_vcpu_trap_entry_dead(vcpu))
            vm_end_fault(vcpu, "its trap entry cannot be executed", arch_vcpu_pc(vcpu));
    }
    turn_check(hart, now);
    timer_program(hart, now);
}

void sched_mail(struct hart *hart)
{
    struct vcpu *vcpu;
    u64 now = arch_time_now();

    lock_acquire(&hart->queue_lock);
    list_for_each (vcpu, &hart->ready, link)
        event_doorbell_check(vcpu);
    list_for_each (vcpu, &hart->sleeping, link)
        event_doorbell_check(vcpu);
    lock_release(&hart->queue_lock);
    if (hart->current != NULL)
        event_doorbell_check(hart->current);
    turn_check(hart, now);
    timer_program(hart, now);
}

/* The next vCPU's turn begins; NULL when none is ready. */
static struct vcpu *turn_next(struct hart *hart)
{
    struct vcpu *last = hart->current;
    struct list_node *node;
    u64 now = arch_time_now();

    lock_acquire(&hart->queue_lock);
    if (last != NULL) {
        if (last->state == VCPU_RUNNABLE) {
            sched_account(last, now);
            list_push_back(&hart->ready, &last->link);
        }
        hart->current = NULL;
    }
    node = list_pop_front(&hart->ready);
    if (node != NULL) {
        struct vcpu *vcpu = list_entry(node, struct vcpu, link);

        sched_account(vcpu, now);
        hart->current = vcpu;
        hart->slice_end = now + machine.timebase_hz / SLICES_PER_SECOND;
        hart->reschedule = false;
    }
    timer_program(hart, now);
    lock_release(&hart->queue_lock);
    return hart->current;
}

static void hart_idle(struct hart *hart)
{
    u64 since = arch_time_now();

    trace(TRACE_SLEEP, 0, 0);
    arch_hart_sleep();
    trace(TRACE_WAKE, 0, 0);
    hart->idle_time += arch_time_now() - since;
}

struct vcpu *sched_next(struct hart *hart)
{
    while (hart->reschedule) {
        struct vcpu *vcpu = turn_next(hart);

        if (vcpu == NULL) {
            hart_idle(hart);
            continue;
        }
        while (!hart->reschedule && vcpu->vm->state != VM_RUNNING) {
            vm_step(vcpu->vm);
            arch_hart_poll();
        }
        if (hart->reschedule)
            continue;
        if (hart->loaded != vcpu) {
            struct vcpu *last = hart->loaded;

            arch_vcpu_switch(last, vcpu);
            hart->loaded = vcpu;
        }
        event_timer_check(vcpu, arch_time_now());
    }
    return hart->current;
}

void sched_unload(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;

    if (hart->loaded != vcpu)
        return;
    arch_vcpu_switch(vcpu, NULL);
    hart->loaded = NULL;
}
