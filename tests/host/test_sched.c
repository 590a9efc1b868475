/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is: round robin (test_sched_weighted.c has the other policy), sleep, wake-ups,
 * timers, events, times.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/sched_policy.h"
#include "host.h"
#include "world.h"

enum { SLICE = 100000, SLOW_TICK = 1000000 }; /* at 10 MHz */

static struct hart *hart;
static struct vcpu *a, *b, *c;

static void enter(const struct vcpu *vcpu)
{
    while (sched_next(hart) != vcpu)
        sched_requeue(hart->current);
}

static int start(void **state)
{
    (void)state;
    world_start(3, NULL);
    sched_use(&sched_round_robin);
    hart = arch_hart();
    a = &vms[0]->vcpus[0];
    b = &vms[1]->vcpus[0];
    c = &vms[2]->vcpus[0];
    enter(a);
    return 0;
}

/* Lets the running vCPU run that long, with the interrupts that this brings. */
static void run(u64 ticks)
{
    const u64 end = host_time + ticks;

    while (host_timer <= end) {
        host_time = max(host_time, host_timer);
        arch_hart_poll();
        sched_next(hart);
    }
    host_time = end;
}

static void test_turns_go_round(void **state)
{
    (void)state;
    sched_requeue(a);
    assert_ptr_equal(sched_next(hart), b);
    sched_requeue(b);
    assert_ptr_equal(sched_next(hart), c);
    sched_requeue(c);
    assert_ptr_equal(sched_next(hart), a);
}

static void test_a_slice_ends_after_ten_milliseconds(void **state)
{
    (void)state;
    run(SLICE - 1);
    assert_ptr_equal(sched_next(hart), a);
    run(2);
    assert_ptr_equal(sched_next(hart), b);
}

static void test_shares_are_equal(void **state)
{
    u64 start_a = a->running_time, start_b = b->running_time, start_c = c->running_time;

    (void)state;
    run(30UL * SLICE);
    sched_account(hart->current, host_time);
    assert_in_range(a->running_time - start_a, 9 * SLICE, 11 * SLICE);
    assert_in_range(b->running_time - start_b, 9 * SLICE, 11 * SLICE);
    assert_in_range(c->running_time - start_c, 9 * SLICE, 11 * SLICE);
}

static void test_a_lone_vcpu_has_only_a_slow_tick(void **state)
{
    (void)state;
    check_value(hc_yield_idle(a, TIME_NEVER));
    sched_next(hart);
    check_value(hc_yield_idle(b, TIME_NEVER));
    assert_ptr_equal(sched_next(hart), c);
    assert_int_equal(host_timer, host_time + SLOW_TICK);
    run(10UL * SLOW_TICK);
    assert_ptr_equal(sched_next(hart), c);
    sched_account(a, host_time);
    assert_int_equal(a->idle_time, 10UL * SLOW_TICK);
}

static void test_a_sleeper_wakes_at_its_time(void **state)
{
    u64 slept = host_time;

    (void)state;
    check_value(hc_yield_idle(a, slept + 5000));
    assert_ptr_equal(sched_next(hart), b);
    check_value(hc_yield_idle(b, slept + 3000));
    assert_ptr_equal(sched_next(hart), c);
    check_value(hc_yield_idle(c, TIME_NEVER));
    assert_ptr_equal(sched_next(hart), b);
    assert_int_equal(host_time, slept + 3000);
    check_value(hc_yield_idle(b, TIME_NEVER));
    assert_ptr_equal(sched_next(hart), a);
    assert_int_equal(host_time, slept + 5000);
    assert_int_equal(a->idle_time, 5000);
}

static void test_the_guests_own_timer_ends_its_sleep(void **state)
{
    u64 now = host_time;

    (void)state;
    a->arch.deadline = now + 700;
    check_value(hc_yield_idle(a, TIME_NEVER));
    sched_next(hart);
    check_value(hc_yield_idle(b, TIME_NEVER));
    sched_next(hart);
    check_value(hc_yield_idle(c, TIME_NEVER));
    assert_ptr_equal(sched_next(hart), a);
    assert_int_equal(host_time, now + 700);
}

static void test_nobody_sleeps_with_something_pending(void **state)
{
    (void)state;
    check_value(hc_shared_page(a, world_data(0)));
    a->shared->pending = EVENT_CONSOLE;
    check_value(hc_yield_idle(a, TIME_NEVER));
    assert_int_equal(a->state, VCPU_RUNNABLE);
    a->shared->pending = 0;
    a->arch.doorbell = true;
    check_value(hc_yield_idle(a, TIME_NEVER));
    assert_int_equal(a->state, VCPU_RUNNABLE);
    a->arch.doorbell = false;
    a->arch.deadline = host_time;
    check_value(hc_yield_idle(a, TIME_NEVER));
    assert_int_equal(a->state, VCPU_RUNNABLE);
    a->arch.deadline = TIME_NEVER;
    check_value(hc_yield_idle(a, host_time));
    assert_int_equal(a->state, VCPU_RUNNABLE);
    check_value(hc_yield_idle(a, host_time + 1));
    assert_int_equal(a->state, VCPU_SLEEPING);
}

static void test_an_event_wakes_and_rings(void **state)
{
    (void)state;
    check_value(hc_shared_page(a, world_data(0)));
    check_value(hc_yield_idle(a, TIME_NEVER));
    sched_next(hart);
    assert_int_equal(a->state, VCPU_SLEEPING);
    event_send_vm(vms[0], EVENT_CONSOLE);
    assert_int_equal(a->state, VCPU_RUNNABLE);
    enter(a);
    assert_true(a->arch.doorbell);
    assert_int_equal(a->shared->pending, EVENT_CONSOLE);
    event_send(a, EVENT_TIMER);
    assert_int_equal(a->shared->pending, EVENT_CONSOLE | EVENT_TIMER);
}

static void test_room_on_the_console_is_an_event_also_for_who_does_not_sleep_yet(void **state)
{
    struct console_port *port = &vms[0]->console;

    (void)state;
    check_value(hc_shared_page(a, world_data(0)));
    port->notify(port->owner, CONSOLE_EVENT_ROOM);
    assert_int_equal(a->shared->pending, EVENT_CONSOLE);
    check_value(hc_yield_idle(a, TIME_NEVER));
    assert_int_equal(a->state, VCPU_RUNNABLE);
}

static void test_the_timer_by_call_raises_its_event_once(void **state)
{
    (void)state;
    check_value(hc_shared_page(a, world_data(0)));
    check_value(hc_timer_set(a, host_time + 500));
    assert_int_equal(host_timer, host_time + 500);
    run(600);
    assert_int_equal(a->shared->pending, EVENT_TIMER);
    assert_int_equal(a->timer, TIME_NEVER);
    a->shared->pending = 0;
    run(600);
    assert_int_equal(a->shared->pending, 0);
    check_value(hc_timer_set(a, 0));
    assert_int_equal(a->shared->pending, EVENT_TIMER);
}

/* One that has run long gives way at once; one that keeps falling asleep gains nothing. */
static void test_a_wake_up_ends_an_overlong_turn_and_no_other(void **state)
{
    (void)state;
    check_value(hc_yield_idle(a, TIME_NEVER));
    sched_next(hart);
    check_value(hc_yield_idle(b, TIME_NEVER));
    assert_ptr_equal(sched_next(hart), c);
    run(5UL * SLICE);
    sched_notify(a);
    assert_ptr_equal(sched_next(hart), a);
    check_value(hc_yield_idle(a, host_time + 1));
    assert_ptr_equal(sched_next(hart), c);
    run(SLICE / 2);
    assert_int_equal(a->state, VCPU_RUNNABLE);
    assert_ptr_equal(sched_next(hart), c);
    run(SLICE / 2 + 1);
    assert_ptr_equal(sched_next(hart), a);
}

static void test_times_add_up_and_are_shown(void **state)
{
    u64 before;

    (void)state;
    check_value(hc_shared_page(a, world_data(0)));
    before = a->running_time + a->idle_time + a->steal_time;
    run(300);
    check_value(hc_yield_idle(a, host_time + 2000));
    sched_next(hart);
    run(SLICE * 4);
    sched_account(a, host_time);
    assert_int_equal(a->running_time + a->idle_time + a->steal_time - before, 300 + SLICE * 4);
    assert_int_equal(a->idle_time, 2000);
    assert_int_equal(a->shared->running_time, a->running_time);
    assert_int_equal(a->shared->steal_time, a->steal_time);
    assert_int_equal(a->shared->idle_time, a->idle_time);
    assert_int_equal(a->shared->time_version % 2, 0);
}

static void test_state_is_loaded_only_when_another_is_entered(void **state)
{
    u32 loads;

    (void)state;
    sched_requeue(a);
    assert_ptr_equal(sched_next(hart), b);
    check_value(hc_yield_idle(b, TIME_NEVER));
    assert_ptr_equal(sched_next(hart), c);
    check_value(hc_yield_idle(c, TIME_NEVER));
    assert_ptr_equal(sched_next(hart), a);
    loads = a->arch.loads;
    check_value(hc_yield_idle(a, host_time + 10));
    assert_ptr_equal(sched_next(hart), a);
    assert_int_equal(a->arch.loads, loads);
}

static void test_a_dead_trap_entry_is_found_at_the_tick(void **state)
{
    (void)state;
    check_value(hc_trap_register(a, gva(a->arch.pc + 8), 0));
    a->arch.pc = a->arch.trap_entry;
    a->arch.trap_pc = a->arch.trap_entry;
    run(SLICE + 1);
    assert_int_not_equal(vms[0]->state, VM_RUNNING);
    assert_non_null(strstr(world_log, "vm1: ended: its trap entry"));
}

#define turn(test) cmocka_unit_test_setup(test, start)

static void test_a_paused_vm_gets_no_turns_and_loses_nothing(void **state)
{
    (void)state;
    check_value(hc_shared_page(b, world_data(0)));
    vm_pause(vms[1]);
    u64 ran = b->running_time;
    run(20UL * SLICE);
    assert_int_equal(b->state, VCPU_PAUSED);
    u64 stolen = b->steal_time, idle = b->idle_time;
    event_send(b, EVENT_CONSOLE);
    run(20UL * SLICE);
    assert_int_equal(b->state, VCPU_PAUSED);
    assert_true(b->running_time == ran);
    assert_true(b->steal_time == stolen && b->idle_time == idle);
    vm_resume(vms[1]);
    assert_int_equal(b->state, VCPU_RUNNABLE);
    run(20UL * SLICE);
    assert_true(b->running_time > ran);
    assert_int_equal(b->shared->pending, EVENT_CONSOLE);
    assert_true(b->arch.doorbell);
}

static void test_who_waits_is_paused_at_once_and_has_nothing_stolen_after_that(void **state)
{
    (void)state;
    run(SLICE / 2);
    assert_ptr_equal(sched_next(hart), a);
    vm_pause(vms[1]);
    assert_int_equal(b->state, VCPU_PAUSED);
    u64 stolen = b->steal_time;
    run(20UL * SLICE);
    vm_resume(vms[1]);
    assert_int_equal(b->state, VCPU_RUNNABLE);
    assert_true(b->steal_time == stolen);
    enter(b);
}

static void test_a_sleeper_is_paused_at_once_and_its_timer_comes_with_the_resume(void **state)
{
    (void)state;
    check_value(hc_shared_page(a, world_data(0)));
    check_value(hc_timer_set(a, host_time + SLICE));
    check_value(hc_yield_idle(a, TIME_NEVER));
    enter(b);
    run(SLICE / 2);
    u64 ran = a->running_time, stolen = a->steal_time;
    vm_pause(vms[0]);
    assert_int_equal(a->state, VCPU_PAUSED);
    run(20UL * SLICE);
    assert_int_equal(a->state, VCPU_PAUSED);
    event_send(a, EVENT_CONSOLE);
    run(20UL * SLICE);
    assert_int_equal(a->state, VCPU_PAUSED);
    assert_int_equal(a->shared->pending, 0);
    vm_resume(vms[0]);
    assert_int_equal(a->state, VCPU_RUNNABLE);
    assert_int_equal(a->idle_time, SLICE / 2);
    assert_int_equal(a->shared->idle_time, a->idle_time);
    assert_true(a->running_time == ran && a->steal_time == stolen);
    enter(a);
    assert_int_equal(a->shared->pending, EVENT_TIMER | EVENT_CONSOLE);
}

static void test_who_is_to_be_paused_does_not_fall_asleep(void **state)
{
    (void)state;
    vm_pause(vms[0]);
    check_value(hc_yield_idle(a, TIME_NEVER));
    assert_int_equal(a->state, VCPU_RUNNABLE);
    enter(b);
    assert_int_equal(a->state, VCPU_PAUSED);
    assert_int_equal(a->idle_time, 0);
}

static void test_a_pause_does_not_undo_an_end(void **state)
{
    (void)state;
    vm_end(vms[1], VM_EXIT_KILLED);
    vm_pause(vms[1]);
    world_settle();
    assert_int_equal(vms[1]->state, VM_OFF);
}

static void resume_first(void)
{
    assert_int_equal(a->state, VCPU_PAUSED);
    assert_null(hart->loaded);
    vm_resume(vms[0]);
}

static void pause_first(void)
{
    assert_int_equal(a->state, VCPU_SLEEPING);
    assert_ptr_equal(hart->loaded, a);
    vm_pause(vms[0]);
    sched_alarm(host_time + SLICE, resume_first);
}

static void test_who_is_paused_asleep_does_not_keep_its_hart_awake(void **state)
{
    (void)state;
    check_value(hc_yield_idle(a, TIME_NEVER));
    enter(b);
    check_value(hc_yield_idle(b, TIME_NEVER));
    enter(c);
    check_value(hc_yield_idle(c, TIME_NEVER));
    sched_notify(a);
    enter(a);
    u64 idle = a->idle_time, now = host_time;
    check_value(hc_yield_idle(a, now + 7));
    sched_alarm(now + 5, pause_first);
    assert_ptr_equal(sched_next(hart), a);
    assert_int_equal(host_time, now + 5 + SLICE);
    assert_int_equal(a->idle_time, idle + 5);
}

static void test_a_paused_vm_can_be_ended(void **state)
{
    (void)state;
    vm_pause(vms[1]);
    run(20UL * SLICE);
    vm_end(vms[1], VM_EXIT_KILLED);
    world_settle();
    assert_int_equal(vms[1]->state, VM_OFF);
    vm_pause(vms[2]);
    run(20UL * SLICE);
    vm_end(vms[2], VM_EXIT_REBOOT);
    world_settle();
    assert_int_equal(vms[2]->state, VM_RUNNING);
    assert_false(vms[2]->paused);
}

static u32 rings;

static void ring(void)
{
    rings++;
}

static void test_an_alarm_rings_once_at_its_time(void **state)
{
    u64 start_time = host_time;

    (void)state;
    rings = 0;
    sched_alarm(start_time + 3 * SLICE, ring);
    run(3UL * SLICE - 1);
    assert_int_equal(rings, 0);
    run(SLICE);
    assert_int_equal(rings, 1);
    run(10UL * SLICE);
    assert_int_equal(rings, 1);
    sched_alarm(host_time + SLICE, ring);
    sched_alarm(TIME_NEVER, ring);
    run(10UL * SLICE);
    assert_int_equal(rings, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        turn(test_turns_go_round),
        turn(test_a_slice_ends_after_ten_milliseconds),
        turn(test_shares_are_equal),
        turn(test_a_lone_vcpu_has_only_a_slow_tick),
        turn(test_a_sleeper_wakes_at_its_time),
        turn(test_the_guests_own_timer_ends_its_sleep),
        turn(test_nobody_sleeps_with_something_pending),
        turn(test_an_event_wakes_and_rings),
        turn(test_room_on_the_console_is_an_event_also_for_who_does_not_sleep_yet),
        turn(test_the_timer_by_call_raises_its_event_once),
        turn(test_a_wake_up_ends_an_overlong_turn_and_no_other),
        turn(test_times_add_up_and_are_shown),
        turn(test_state_is_loaded_only_when_another_is_entered),
        turn(test_a_dead_trap_entry_is_found_at_the_tick),
        turn(test_a_paused_vm_gets_no_turns_and_loses_nothing),
        turn(test_who_waits_is_paused_at_once_and_has_nothing_stolen_after_that),
        turn(test_a_sleeper_is_paused_at_once_and_its_timer_comes_with_the_resume),
        turn(test_who_is_to_be_paused_does_not_fall_asleep),
        turn(test_a_pause_does_not_undo_an_end),
        turn(test_who_is_paused_asleep_does_not_keep_its_hart_awake),
        turn(test_a_paused_vm_can_be_ended),
        turn(test_an_alarm_rings_once_at_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
