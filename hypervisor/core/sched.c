/* SPDX-License-Identifier: MIT */
/*
 * Turns, sleep and wake-ups, one queue a hart; the same under each policy (sched_policy.h).
 *
 * The vCPU whose turn it is (hart->current) stands on no list. Its slice is not renewed while it is
 * alone: a vCPU that wakes up beside one that has long had its slice gets its turn at once.
 *
 * The processor keeps the state of the vCPU that ran last (hart->loaded) until another one is
 * entered, or a VM is built or ended. A vCPU that is loaded stays with its hart: it may be woken
 * and queued there, and is never handed to another one.
 *
 * Nobody ready is forgotten while a hart is idle:
 *  - a hart sets its bit in harts_idle, then looks at all queues, then sleeps (hart_idle);
 *  - whoever puts a vCPU on the queue of a busy hart, or changes what that hart has loaded, does so
 *    first and then looks at harts_idle (sched_offer).
 * One of the two sees the other: both are sequentially consistent. Whoever clears a hart's bit must
 * send it mail.
 *
 * Of a wake-up that comes while the vCPU falls asleep: what waits for it is set before its queue is
 * locked by sched_notify, and looked at after the same lock is taken by sched_sleep.
 */
#include "core/sched.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/sched_parts.h"
#include "core/vm.h"
#include "debug/stay.h"
#include "debug/trace.h"
#include "virt/virt.h"

const struct sched_policy *sched_policy = &sched_weighted;

void sched_use(const struct sched_policy *policy)
{
    sched_policy = policy;
}

struct hart *sched_lock(struct vcpu *vcpu)
{
    for (;;) {
        struct hart *hart = __atomic_load_n(&vcpu->hart, __ATOMIC_ACQUIRE);

        lock_acquire(&hart->queue_lock);
        if (__atomic_load_n(&vcpu->hart, __ATOMIC_RELAXED) == hart)
            return hart;
        lock_release(&hart->queue_lock);
    }
}

static void timer_program_locked(struct hart *hart, u64 now)
{
    u64 deadline = hart->alarm;

    if (!list_empty(&hart->sleeping))
        deadline = min(deadline, list_entry(hart->sleeping.next, struct vcpu, link)->wake_time);
    if (hart->current != NULL) {
        u64 turn = list_empty(&hart->ready) ? now + machine.timebase_hz / SLOW_TICKS_PER_SECOND
                                            : hart->slice_end;

        deadline = min(deadline, min(turn, hart->current->timer));
    }
    arch_timer_set(deadline);
}

void sched_turn_check(struct hart *hart, u64 now)
{
    lock_acquire(&hart->queue_lock);
    if (hart->current == NULL || (!list_empty(&hart->ready) && now >= hart->slice_end))
        hart->reschedule = true;
    timer_program_locked(hart, now);
    lock_release(&hart->queue_lock);
}

void sched_timer_changed(struct hart *hart)
{
    sched_turn_check(hart, arch_time_now());
}

/* ---- from state to state ---- */

void sched_start(struct vcpu *vcpu)
{
    struct hart *home = sched_lock(vcpu);
    u64 now = arch_time_now();

    vcpu->state = VCPU_RUNNABLE;
    vcpu->state_since = now;
    sched_place(vcpu, home, now);
}

void sched_stop(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;

    lock_acquire(&hart->queue_lock);
    sched_account_locked(vcpu, arch_time_now());
    vcpu->state = VCPU_OFF;
    hart->current = NULL;
    hart->reschedule = true;
    lock_release(&hart->queue_lock);
}

bool sched_is_off(struct vcpu *vcpu)
{
    struct hart *home = sched_lock(vcpu);
    bool off = vcpu->state == VCPU_OFF;

    lock_release(&home->queue_lock);
    return off;
}

void sched_requeue(struct vcpu *vcpu)
{
    vcpu->hart->reschedule = true;
}

void sched_give_way(struct vcpu *vcpu)
{
    vcpu->hart->yielded = true;
    sched_requeue(vcpu);
}

void sched_give_way_to(struct vcpu *vcpu, struct vcpu *to)
{
    struct hart *home = sched_lock(to);

    if (home == vcpu->hart && to != vcpu && to->state == VCPU_RUNNABLE && !list_empty(&to->link)) {
        list_remove(&to->link);
        list_push_front(&home->ready, &to->link);
    }
    lock_release(&home->queue_lock);
    sched_give_way(vcpu);
}

void sched_set_weight(struct vcpu *vcpu, u32 weight)
{
    struct hart *hart = sched_lock(vcpu);
    u64 now = arch_time_now();
    bool waits;

    sched_count_locked(vcpu, now);
    waits = vcpu->state == VCPU_RUNNABLE && hart->current != vcpu && !list_empty(&vcpu->link);
    if (sched_policy->weigh != NULL)
        sched_policy->weigh(hart, vcpu, weight);
    if (waits) {
        sched_ready_remove_locked(hart, vcpu);
        sched_ready_put_locked(hart, vcpu, SCHED_TURN_OVER, now);
    }
    lock_release(&hart->queue_lock);
}

void sched_sleep(struct vcpu *vcpu, u64 until)
{
    struct hart *hart = vcpu->hart;
    struct vcpu *after;

    lock_acquire(&hart->queue_lock);
    if (READ_ONCE(vcpu->events_wanted) == 0 && READ_ONCE(vcpu->vm->end_wanted) == VM_EXIT_NONE &&
        !READ_ONCE(vcpu->vm->paused)) {
        sched_account_locked(vcpu, arch_time_now());
        vcpu->state = VCPU_SLEEPING;
        vcpu->wake_time = min(until, min(vcpu->timer, arch_vcpu_deadline(vcpu)));
        list_for_each (after, &hart->sleeping, link) {
            if (after->wake_time > vcpu->wake_time)
                break;
        }
        list_insert_before(&after->link, &vcpu->link);
        hart->current = NULL;
        hart->reschedule = true;
    }
    lock_release(&hart->queue_lock);
}

/* Makes a sleeping vCPU ready. Its hart's queue is locked, and is released. */
static void wake(struct vcpu *vcpu, struct hart *home, u64 now)
{
    sched_account_locked(vcpu, now);
    vcpu->state = VCPU_RUNNABLE;
    list_remove(&vcpu->link);
    sched_place(vcpu, home, now);
}

bool sched_in_turn(const struct vcpu *vcpu)
{
    return arch_hart()->current == vcpu;
}

void sched_notify(struct vcpu *vcpu)
{
    struct hart *home = sched_lock(vcpu);
    bool running;

    if (vcpu->state == VCPU_SLEEPING) {
        wake(vcpu, home, arch_time_now());
        return;
    }
    running = home->current == vcpu;
    lock_release(&home->queue_lock);
    if (!running)
        return; /* it will look when its turn comes */
    if (home == arch_hart())
        event_deliver(vcpu);
    else
        hart_send(home, HART_MAIL_RESCHEDULE);
}

/* Its VM is paused; it has no turn any more, and is on no list. One that ends is not paused. */
static bool pause_locked(struct vcpu *vcpu)
{
    if (vcpu->vm->state != VM_RUNNING || READ_ONCE(vcpu->vm->end_wanted) != VM_EXIT_NONE)
        return false;
    sched_account_locked(vcpu, arch_time_now());
    if (!list_empty(&vcpu->link) && vcpu->state == VCPU_RUNNABLE)
        sched_ready_remove_locked(vcpu->hart, vcpu);
    list_remove(&vcpu->link);
    vcpu->state = VCPU_PAUSED;
    return true;
}

/* In its turn: true if the vCPU has left it, because its VM is paused. Whoever resumes it clears
 * the flag first, then locks the queue. */
static bool turn_paused(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;
    bool paused;

    lock_acquire(&hart->queue_lock);
    paused = READ_ONCE(vcpu->vm->paused) && pause_locked(vcpu);
    if (paused) {
        hart->current = NULL;
        hart->reschedule = true;
    }
    lock_release(&hart->queue_lock);
    return paused;
}

bool sched_has_turn(struct vcpu *vcpu)
{
    struct hart *home = sched_lock(vcpu);
    bool running = home->current == vcpu;

    lock_release(&home->queue_lock);
    return running;
}

void sched_pause(struct vcpu *vcpu)
{
    struct hart *home = sched_lock(vcpu);
    bool running = home->current == vcpu;

    if (!list_empty(&vcpu->link))
        (void)pause_locked(vcpu); /* one on its way to another hart: in its next turn */
    lock_release(&home->queue_lock);
    if (running && home == arch_hart())
        sched_requeue(vcpu);
    else if (running)
        hart_send(home, HART_MAIL_RESCHEDULE);
}

void sched_resume(struct vcpu *vcpu)
{
    struct hart *home = sched_lock(vcpu);
    u64 now = arch_time_now();

    if (vcpu->state != VCPU_PAUSED) {
        lock_release(&home->queue_lock);
        return;
    }
    sched_account_locked(vcpu, now);
    vcpu->state = VCPU_RUNNABLE;
    sched_place(vcpu, home, now);
}

/* ---- the hart ---- */

static void wake_due(struct hart *hart, u64 now)
{
    for (;;) {
        struct vcpu *sleeper;

        lock_acquire(&hart->queue_lock);
        sleeper = list_entry(hart->sleeping.next, struct vcpu, link);
        if (list_empty(&hart->sleeping) || sleeper->wake_time > now) {
            lock_release(&hart->queue_lock);
            return;
        }
        wake(sleeper, hart, now);
    }
}

void sched_alarm(u64 time, void (*ring)(void))
{
    struct hart *hart = arch_hart();

    lock_acquire(&hart->queue_lock);
    hart->alarm_ring = ring;
    hart->alarm = time;
    timer_program_locked(hart, arch_time_now());
    lock_release(&hart->queue_lock);
}

void sched_tick(struct hart *hart)
{
    u64 now = arch_time_now();
    struct vcpu *vcpu = hart->current;

    trace(TRACE_TIMER, vcpu != NULL ? vcpu->vm->id : 0, 0);
    wake_due(hart, now);
    if (vcpu != NULL) {
        sched_account(vcpu, now);
        event_timer_check(vcpu, now);
        if (hart->loaded == vcpu && vcpu->vm->state == VM_RUNNING &&
            arch_vcpu_trap_entry_dead(vcpu))
            vm_end_fault(vcpu, "its trap entry cannot be executed", arch_vcpu_pc(vcpu));
        if (hart->loaded == vcpu && vcpu->vm->state == VM_RUNNING && vcpu->vm->virt->tick != NULL)
            vcpu->vm->virt->tick(vcpu);
        sched_balance(hart, now);
    }
    if (hart->alarm <= now) {
        hart->alarm = TIME_NEVER;
        hart->alarm_ring();
    }
    sched_turn_check(hart, now);
}

void sched_mail(struct hart *hart)
{
    struct vcpu *vcpu = hart->current;

    if (vcpu != NULL) {
        vm_serve(vcpu);
        event_deliver(vcpu);
        if (READ_ONCE(vcpu->vm->paused) || READ_ONCE(vcpu->vm->state) != VM_RUNNING)
            sched_requeue(vcpu);
    }
    sched_turn_check(hart, arch_time_now());
}

/* The next vCPU's turn begins; NULL when none is ready. */
static struct vcpu *turn_next(struct hart *hart)
{
    struct vcpu *vcpu = hart->current;
    u64 now = arch_time_now(), slice;

    lock_acquire(&hart->queue_lock);
    if (vcpu != NULL) {
        sched_account_locked(vcpu, now);
        hart->current = NULL;
        if (!READ_ONCE(vcpu->vm->paused) || !pause_locked(vcpu))
            sched_ready_put_locked(hart, vcpu, hart->yielded ? SCHED_YIELDED : SCHED_TURN_OVER,
                                   now);
    }
    hart->yielded = false;
    vcpu = NULL;
    if (!list_empty(&hart->ready)) {
        vcpu = list_entry(hart->ready.next, struct vcpu, link);
        sched_ready_remove_locked(hart, vcpu);
        slice = sched_policy->slice(hart, vcpu);
        slice -= sched_pay_locked(hart, vcpu, slice - slice / TURN_LEFT_PART, now);
        hart->turn_began = now;
        hart->slice_end = now + slice;
        hart->reschedule = false;
    }
    timer_program_locked(hart, now);
    lock_release(&hart->queue_lock);
    return vcpu;
}

void sched_drop_stale(struct vcpu *vcpu)
{
    __atomic_store_n(&vcpu->stale, false, __ATOMIC_SEQ_CST);
    arch_translation_drop_all();
    arch_code_changed();
}

/* The processor holds `vcpu` (NULL: none) from now on. */
static void load(struct hart *hart, struct vcpu *vcpu)
{
    struct vcpu *last = hart->loaded;

    if (last == vcpu)
        return;
    arch_vcpu_switch(last, vcpu);
    __atomic_store_n(&hart->loaded, vcpu, __ATOMIC_SEQ_CST);
    if (vcpu == NULL)
        return;
    if (__atomic_load_n(&vcpu->stale, __ATOMIC_SEQ_CST) || vcpu->ran_on != hart)
        sched_drop_stale(vcpu);
    vcpu->ran_on = hart;
}

static void hart_idle(struct hart *hart)
{
    u64 since = arch_time_now();

    if (hart->loaded != NULL && READ_ONCE(hart->loaded->state) == VCPU_PAUSED)
        load(hart, NULL); /* an interrupt that waits for it must not keep the hart awake */
    __atomic_fetch_or(&harts_idle, BIT(hart->index), __ATOMIC_SEQ_CST);
    if (!sched_steal(hart)) {
        trace(TRACE_SLEEP, 0, 0);
        arch_hart_sleep();
        trace(TRACE_WAKE, 0, 0);
    }
    sched_idle_clear(hart);
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
        vm_serve(vcpu);
        if (vcpu->stopping || (vcpu->index != 0 && READ_ONCE(vcpu->vm->state) != VM_RUNNING)) {
            vm_stop_vcpu(vcpu);
            continue;
        }
        if (turn_paused(vcpu))
            continue;
        load(hart, vcpu->vm->state == VM_RUNNING ? vcpu : NULL);
        if (sched_ready_on(hart) > 0)
            sched_offer();
        while (!hart->reschedule && vcpu->vm->state != VM_RUNNING) {
            stay_begin(vcpu->vm->state == VM_BUILDING ? STAY_BUILDING : STAY_ENDING);
            vm_step(vcpu->vm);
            stay_begin(STAY_SWITCHING);
            arch_hart_poll();
        }
        if (hart->reschedule)
            continue;
        load(hart, vcpu);
        event_deliver(vcpu);
        event_timer_check(vcpu, arch_time_now());
    }
    if (hart->current->vm->virt->enter != NULL)
        hart->current->vm->virt->enter(hart->current);
    return hart->current;
}

void sched_unload(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;

    if (hart->loaded == vcpu)
        load(hart, NULL);
}
