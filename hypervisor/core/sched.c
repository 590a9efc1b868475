/* SPDX-License-Identifier: MIT */
/*
 * Round robin, one queue a hart, and how vCPUs get from one hart to another.
 *
 * The vCPU whose turn it is (hart->current) stands on no list. Its slice is not renewed while it is
 * alone: a vCPU that wakes up beside one that has long had its slice gets its turn at once, and one
 * that keeps falling asleep and waking up gains nothing over one that runs.
 *
 * The processor keeps the state of the vCPU that ran last (hart->loaded) until another one is
 * entered, or a VM is built or ended. A vCPU that is loaded stays with its hart: it may be woken
 * and queued there, and is never handed to another one.
 *
 * Nobody ready is forgotten while a hart is idle:
 *  - a hart sets its bit in harts_idle, then looks at all queues, then sleeps (hart_idle);
 *  - whoever puts a vCPU on the queue of a busy hart, or changes what that hart has loaded, does so
 *    first and then looks at harts_idle (offer).
 * One of the two sees the other: both are sequentially consistent. Whoever clears a hart's bit must
 * send it mail.
 *
 * Of a wake-up that comes while the vCPU falls asleep: what waits for it is set before its queue is
 * locked by sched_notify, and looked at after the same lock is taken by sched_sleep.
 */
#include "core/sched.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/vm.h"
#include "debug/stay.h"
#include "debug/trace.h"
#include "virt/virt.h"

enum {
    SLICES_PER_SECOND = 100,
    SLOW_TICKS_PER_SECOND = 10, /* of a vCPU that is alone; so often, too, harts balance */
    WAITED_SECONDS = 1,
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

/* In the vCPU's turn, or with its queue locked while it has none. */
static void account(struct vcpu *vcpu, u64 now)
{
    const u64 window = WAITED_SECONDS * machine.timebase_hz;
    u64 passed = now - vcpu->state_since;

    vcpu->state_since = now;
    vcpu->waited -= passed < window ? vcpu->waited * passed / window : vcpu->waited;
    if (vcpu->state == VCPU_SLEEPING) {
        vcpu->idle_time += passed;
    } else if (vcpu->hart->current == vcpu) {
        vcpu->running_time += passed;
    } else if (vcpu->state == VCPU_RUNNABLE) {
        vcpu->steal_time += passed;
        vcpu->waited += min(passed, window);
    }
    account_show(vcpu);
}

/* Locks the queue of the hart that a vCPU belongs to, which may change until then. */
static struct hart *vcpu_lock(struct vcpu *vcpu)
{
    for (;;) {
        struct hart *hart = __atomic_load_n(&vcpu->hart, __ATOMIC_ACQUIRE);

        lock_acquire(&hart->queue_lock);
        if (__atomic_load_n(&vcpu->hart, __ATOMIC_RELAXED) == hart)
            return hart;
        lock_release(&hart->queue_lock);
    }
}

void sched_account(struct vcpu *vcpu, u64 now)
{
    struct hart *hart = vcpu_lock(vcpu);

    account(vcpu, now);
    lock_release(&hart->queue_lock);
}

struct vcpu_times sched_times(struct vcpu *vcpu)
{
    struct hart *hart = vcpu_lock(vcpu);
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

/* This hart's timer; also: something is ready, does the running vCPU go on? */
static void turn_check(struct hart *hart, u64 now)
{
    lock_acquire(&hart->queue_lock);
    if (hart->current == NULL || (!list_empty(&hart->ready) && now >= hart->slice_end))
        hart->reschedule = true;
    timer_program_locked(hart, now);
    lock_release(&hart->queue_lock);
}

void sched_timer_changed(struct hart *hart)
{
    turn_check(hart, arch_time_now());
}

/* ---- queues ---- */

static struct vcpu *loaded_on(const struct hart *hart)
{
    return __atomic_load_n(&hart->loaded, __ATOMIC_SEQ_CST);
}

static u32 ready_on(const struct hart *hart)
{
    return __atomic_load_n(&hart->ready_count, __ATOMIC_SEQ_CST);
}

static void ready_push_locked(struct hart *hart, struct vcpu *vcpu)
{
    list_push_back(&hart->ready, &vcpu->link);
    __atomic_store_n(&hart->ready_count, hart->ready_count + 1, __ATOMIC_SEQ_CST);
}

static void ready_remove_locked(struct hart *hart, struct vcpu *vcpu)
{
    list_remove(&vcpu->link);
    __atomic_store_n(&hart->ready_count, hart->ready_count - 1, __ATOMIC_SEQ_CST);
}

/* Takes the idle mark from a hart: true if it had one. */
static bool idle_clear(const struct hart *hart)
{
    const u64 bit = BIT(hart->index);

    return (__atomic_fetch_and(&harts_idle, ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

/* An idle hart, which is not marked any more; NULL without one. */
static struct hart *idle_take(void)
{
    u64 idle = __atomic_load_n(&harts_idle, __ATOMIC_SEQ_CST);

    for (u32 i = 0; idle != 0; i++, idle >>= 1) {
        if ((idle & 1) && idle_clear(&harts[i]))
            return &harts[i];
    }
    return NULL;
}

/* A vCPU waits on a busy hart: an idle one shall come and take it. */
static void offer(void)
{
    struct hart *idle = idle_take();

    if (idle != NULL)
        hart_send(idle, HART_MAIL_RESCHEDULE);
}

/* Where a vCPU goes that becomes ready, from its own hart, whose queue is locked. */
static struct hart *place_locked(const struct vcpu *vcpu, struct hart *home)
{
    struct hart *idle;

    if (loaded_on(home) == vcpu || (home->current == NULL && list_empty(&home->ready))) {
        idle_clear(home);
        return home;
    }
    idle = idle_take();
    return idle != NULL ? idle : home;
}

/* Puts a vCPU that is on no list, and nowhere loaded but here, on a hart's queue. `home` is where
   it was, locked; its lock is released. */
static void hand_over(struct vcpu *vcpu, struct hart *home, struct hart *to, u64 now)
{
    bool busy;

    __atomic_store_n(&vcpu->hart, to, __ATOMIC_RELEASE);
    if (to != home) {
        lock_release(&home->queue_lock);
        lock_acquire(&to->queue_lock);
    }
    ready_push_locked(to, vcpu);
    busy = to->current != NULL;
    lock_release(&to->queue_lock);
    if (busy)
        offer();
    if (to == arch_hart())
        turn_check(to, now);
    else
        hart_send(to, HART_MAIL_RESCHEDULE);
}

/* Takes over a vCPU that waits on another hart. `poorer`: only if the one that runs there has
   waited longer than that: it will be alone then. */
static bool pull(struct hart *hart, struct hart *victim, const u64 *poorer)
{
    struct vcpu *vcpu, *taken = NULL;
    u64 now = arch_time_now();

    lock_acquire(&victim->queue_lock);
    if (poorer == NULL || (victim->current != NULL && victim->current->waited > *poorer)) {
        list_for_each (vcpu, &victim->ready, link) {
            if (loaded_on(victim) != vcpu) {
                taken = vcpu;
                break;
            }
        }
    }
    if (taken == NULL) {
        lock_release(&victim->queue_lock);
        return false;
    }
    account(taken, now);
    ready_remove_locked(victim, taken);
    hand_over(taken, victim, hart, now);
    return true;
}

/* For a hart that has nothing to do. */
static bool steal(struct hart *hart)
{
    for (u32 i = 1; i < hart_count; i++) {
        struct hart *victim = &harts[(hart->index + i) % hart_count];

        if (hart_is_online(victim) && ready_on(victim) > 0 && pull(hart, victim, NULL))
            return true;
    }
    return false;
}

/* For a hart that has something to do: it takes from one where at least two more wait. Where one
   more waits, the harts take turns at having one less, so that all vCPUs get their share. */
static void balance(struct hart *hart, u64 now)
{
    const u64 slice = machine.timebase_hz / SLICES_PER_SECOND;
    u64 poorer = hart->current->waited + slice;

    if (now < hart->balance_at)
        return;
    hart->balance_at = now + machine.timebase_hz / SLOW_TICKS_PER_SECOND;
    for (u32 i = 1; i < hart_count; i++) {
        struct hart *victim = &harts[(hart->index + i) % hart_count];
        u32 mine = ready_on(hart), theirs = hart_is_online(victim) ? ready_on(victim) : 0;

        if (theirs > mine && pull(hart, victim, theirs > mine + 1 ? NULL : &poorer))
            return;
    }
}

/* ---- from state to state ---- */

void sched_start(struct vcpu *vcpu)
{
    struct hart *home = vcpu_lock(vcpu);
    u64 now = arch_time_now();

    vcpu->state = VCPU_RUNNABLE;
    vcpu->state_since = now;
    hand_over(vcpu, home, place_locked(vcpu, home), now);
}

void sched_stop(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;

    lock_acquire(&hart->queue_lock);
    account(vcpu, arch_time_now());
    vcpu->state = VCPU_OFF;
    hart->current = NULL;
    hart->reschedule = true;
    lock_release(&hart->queue_lock);
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
    if (READ_ONCE(vcpu->events_wanted) == 0 && READ_ONCE(vcpu->vm->end_wanted) == VM_EXIT_NONE) {
        account(vcpu, arch_time_now());
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
    account(vcpu, now);
    vcpu->state = VCPU_RUNNABLE;
    list_remove(&vcpu->link);
    hand_over(vcpu, home, place_locked(vcpu, home), now);
}

bool sched_in_turn(const struct vcpu *vcpu)
{
    return arch_hart()->current == vcpu;
}

void sched_notify(struct vcpu *vcpu)
{
    struct hart *home = vcpu_lock(vcpu);
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

/* In its turn: true if the vCPU has left it, because its VM is paused. Whoever resumes it clears
 * the flag first, then locks the queue. */
static bool turn_paused(struct vcpu *vcpu)
{
    struct hart *hart = vcpu->hart;
    bool paused;

    lock_acquire(&hart->queue_lock);
    paused = READ_ONCE(vcpu->vm->paused) && vcpu->vm->state == VM_RUNNING;
    if (paused) {
        account(vcpu, arch_time_now());
        vcpu->state = VCPU_PAUSED;
        hart->current = NULL;
        hart->reschedule = true;
    }
    lock_release(&hart->queue_lock);
    return paused;
}

void sched_pause(struct vcpu *vcpu)
{
    struct hart *home = vcpu_lock(vcpu);
    bool running = home->current == vcpu;

    lock_release(&home->queue_lock);
    if (running && home == arch_hart())
        sched_requeue(vcpu);
    else if (running)
        hart_send(home, HART_MAIL_RESCHEDULE);
}

void sched_resume(struct vcpu *vcpu)
{
    struct hart *home = vcpu_lock(vcpu);
    u64 now = arch_time_now();

    if (vcpu->state != VCPU_PAUSED) {
        lock_release(&home->queue_lock);
        return;
    }
    account(vcpu, now);
    vcpu->state = VCPU_RUNNABLE;
    hand_over(vcpu, home, place_locked(vcpu, home), now);
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
        balance(hart, now);
    }
    if (hart->alarm <= now) {
        hart->alarm = TIME_NEVER;
        hart->alarm_ring();
    }
    turn_check(hart, now);
}

void sched_mail(struct hart *hart)
{
    struct vcpu *vcpu = hart->current;

    if (vcpu != NULL) {
        vm_serve(vcpu->vm);
        event_deliver(vcpu);
        if (READ_ONCE(vcpu->vm->paused))
            sched_requeue(vcpu);
    }
    turn_check(hart, arch_time_now());
}

/* The next vCPU's turn begins; NULL when none is ready. */
static struct vcpu *turn_next(struct hart *hart)
{
    struct vcpu *vcpu = hart->current;
    u64 now = arch_time_now();

    lock_acquire(&hart->queue_lock);
    if (vcpu != NULL) {
        account(vcpu, now);
        hart->current = NULL;
        ready_push_locked(hart, vcpu);
    }
    vcpu = NULL;
    if (!list_empty(&hart->ready)) {
        vcpu = list_entry(hart->ready.next, struct vcpu, link);
        account(vcpu, now);
        ready_remove_locked(hart, vcpu);
        hart->current = vcpu;
        hart->slice_end = now + machine.timebase_hz / SLICES_PER_SECOND;
        hart->reschedule = false;
    }
    timer_program_locked(hart, now);
    lock_release(&hart->queue_lock);
    return vcpu;
}

static void hart_idle(struct hart *hart)
{
    u64 since = arch_time_now();

    __atomic_fetch_or(&harts_idle, BIT(hart->index), __ATOMIC_SEQ_CST);
    if (!steal(hart)) {
        trace(TRACE_SLEEP, 0, 0);
        arch_hart_sleep();
        trace(TRACE_WAKE, 0, 0);
    }
    idle_clear(hart);
    hart->idle_time += arch_time_now() - since;
}

/* The processor holds `vcpu` (NULL: none) from now on. */
static void load(struct hart *hart, struct vcpu *vcpu)
{
    struct vcpu *last = hart->loaded;

    if (last == vcpu)
        return;
    arch_vcpu_switch(last, vcpu);
    __atomic_store_n(&hart->loaded, vcpu, __ATOMIC_SEQ_CST);
    if (vcpu != NULL && vcpu->ran_on != hart) {
        arch_translation_drop_all();
        arch_code_changed();
        vcpu->ran_on = hart;
    }
}

struct vcpu *sched_next(struct hart *hart)
{
    while (hart->reschedule) {
        struct vcpu *vcpu = turn_next(hart);

        if (vcpu == NULL) {
            hart_idle(hart);
            continue;
        }
        vm_serve(vcpu->vm);
        if (turn_paused(vcpu)) {
            load(hart, NULL); /* an interrupt that waits for it must not keep the hart awake */
            continue;
        }
        load(hart, vcpu->vm->state == VM_RUNNING ? vcpu : NULL);
        if (ready_on(hart) > 0)
            offer();
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
