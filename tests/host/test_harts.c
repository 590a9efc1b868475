/* SPDX-License-Identifier: MIT */
/*
 * Several harts: where vCPUs go, what harts owe each other, and what may be lost between them. One
 * hart executes at a time, and says when; so each order of two steps is a test of its own.
 */
#include "check.h"

#include <setjmp.h>

#include "arch/arch.h"
#include "core/event.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/sched_policy.h"
#include "host.h"
#include "mem/space_id.h"
#include "sv39.h"
#include "tlb.h"
#include "virt/pv/paging.h"
#include "world.h"

enum { SLICE = 100000, MILLISECOND = 10000 }; /* at 10 MHz */

static struct vcpu *a, *b, *c;

static struct vcpu *next_on(u32 index)
{
    host_run_on(index);
    return sched_next(&harts[index]);
}

static void enter(u32 index, const struct vcpu *vcpu)
{
    while (next_on(index) != vcpu) {
        host_time += MILLISECOND;
        sched_requeue(harts[index].current);
    }
}

/* The hart finds nothing to do, and is asleep from then on. */
static void fall_asleep(u32 index)
{
    static jmp_buf asleep;

    host_run_on(index);
    host_asleep = &asleep;
    if (setjmp(asleep) == 0) {
        sched_next(&harts[index]);
        fail_msg("hart %u has something to do", index);
    }
    host_asleep = NULL;
}

static void sleep_on(u32 index, struct vcpu *vcpu)
{
    enter(index, vcpu);
    check_value(hc_yield_idle(vcpu, TIME_NEVER));
}

/* Three VMs on hart 0, the first one running. */
static int start(void **state)
{
    world_start(3, NULL);
    sched_use(*state);
    a = &vms[0]->vcpus[0];
    b = &vms[1]->vcpus[0];
    c = &vms[2]->vcpus[0];
    enter(0, a);
    return 0;
}

/* Alone on hart 0: a runs, b and c sleep; hart 1 is there and asleep. */
static void one_busy_one_asleep(void)
{
    sleep_on(0, b);
    sleep_on(0, c);
    enter(0, a);
    host_add_hart();
    fall_asleep(1);
    host_run_on(0);
}

/* ---- where they go ---- */

static void test_a_hart_with_nothing_to_do_takes_what_waits(void **state)
{
    struct vcpu *taken;

    (void)state;
    host_add_hart();
    taken = next_on(1);
    assert_true(taken == b || taken == c);
    assert_ptr_equal(taken->hart, &harts[1]);
    assert_ptr_equal(taken->ran_on, &harts[1]);
    assert_int_equal(harts[0].ready_count, 1);
    assert_ptr_equal(next_on(0), a);
}

static void test_what_a_hart_has_loaded_is_not_taken(void **state)
{
    struct vcpu *loaded = harts[0].loaded, *first;

    (void)state;
    host_add_hart();
    first = list_entry(harts[0].ready.next, struct vcpu, link);
    harts[0].loaded = first; /* as between a turn's choice and its load */
    assert_ptr_not_equal(next_on(1), first);
    assert_ptr_equal(first->hart, &harts[0]);
    check_value(hc_yield_idle(harts[1].current, TIME_NEVER));
    fall_asleep(1);
    harts[0].loaded = loaded;
    assert_ptr_equal(next_on(1), first);
}

static void test_who_loads_another_calls_a_sleeping_hart(void **state)
{
    (void)state;
    one_busy_one_asleep();
    harts_idle = 0; /* on its way to sleep when b was woken */
    sched_notify(b);
    assert_ptr_equal(b->hart, &harts[0]);
    assert_int_equal(harts[1].mail, 0);
    harts_idle = BIT(1);
    sched_requeue(a);
    next_on(0); /* one of the two is loaded, the other waits */
    assert_int_not_equal(harts[1].mail & HART_MAIL_RESCHEDULE, 0);
    assert_int_equal(harts_idle, 0);
    next_on(1);
    assert_non_null(harts[1].current);
}

static void test_a_wake_up_goes_to_an_idle_hart_when_its_own_is_busy(void **state)
{
    (void)state;
    one_busy_one_asleep();
    sched_notify(b);
    assert_ptr_equal(b->hart, &harts[1]);
    assert_int_not_equal(harts[1].mail & HART_MAIL_RESCHEDULE, 0);
    assert_ptr_equal(next_on(1), b);
    assert_ptr_equal(next_on(0), a);
    sched_notify(c); /* nobody is idle any more */
    assert_ptr_equal(c->hart, &harts[0]);
}

static void test_a_wake_up_stays_at_home_when_that_is_idle(void **state)
{
    (void)state;
    one_busy_one_asleep();
    check_value(hc_yield_idle(a, TIME_NEVER));
    fall_asleep(0);
    host_run_on(1);
    sched_notify(a);
    assert_ptr_equal(a->hart, &harts[0]);
    assert_int_not_equal(harts[0].mail & HART_MAIL_RESCHEDULE, 0);
    assert_int_equal(harts[1].mail, 0);
    assert_ptr_equal(next_on(0), a);
}

static void test_a_loaded_sleeper_stays_at_home(void **state)
{
    (void)state;
    one_busy_one_asleep();
    check_value(hc_yield_idle(a, TIME_NEVER));
    fall_asleep(0);
    assert_ptr_equal(harts[0].loaded, a);
    harts[0].current = b; /* as while it builds b, before it has unloaded a */
    harts_idle = BIT(1);
    sched_notify(a);
    assert_ptr_equal(a->hart, &harts[0]);
    harts[0].current = NULL;
}

static void test_an_idle_hart_has_no_timer_and_a_lone_vcpu_a_slow_one(void **state)
{
    (void)state;
    one_busy_one_asleep();
    assert_int_equal(host_timers[1], TIME_NEVER);
    assert_true(host_timers[0] >= host_time + 5UL * SLICE);
}

/* Lets both harts run side by side, a millisecond at a time. */
static void run_both(u32 milliseconds)
{
    for (u32 i = 0; i < milliseconds; i++) {
        next_on(0);
        next_on(1);
        host_time += MILLISECOND;
    }
}

static void test_three_busy_ones_share_two_harts(void **state)
{
    const u64 fair = 4UL * 10000 * MILLISECOND / 6; /* of 10 s */
    struct vcpu *all[] = {a, b, c};
    u64 before[3];

    (void)state;
    host_add_hart();
    run_both(100);
    for (u32 i = 0; i < 3; i++)
        before[i] = sched_times(all[i]).running;
    run_both(10000);
    for (u32 i = 0; i < 3; i++)
        assert_in_range(sched_times(all[i]).running - before[i], fair * 9 / 10, fair * 11 / 10);
}

static void test_times_add_up_across_harts(void **state)
{
    u64 from = host_time, sum = a->running_time + a->idle_time + a->steal_time;
    struct vcpu_times times;

    (void)state;
    sched_account(a, from);
    sum = a->running_time + a->idle_time + a->steal_time;
    host_add_hart();
    run_both(500);
    times = sched_times(a);
    assert_int_equal(times.running + times.idle + times.steal - sum, host_time - from);
}

/* ---- what waits for a vCPU ---- */

static void test_an_event_for_one_that_runs_elsewhere_comes_by_mail(void **state)
{
    struct vcpu *other;

    (void)state;
    host_add_hart();
    other = next_on(1);
    host_run_on(0);
    event_send(other, EVENT_CONSOLE);
    assert_false(other->arch.doorbell);
    assert_int_not_equal(harts[1].mail & HART_MAIL_RESCHEDULE, 0);
    host_run_on(1);
    assert_true(other->arch.doorbell);
    assert_int_equal(other->events_wanted, 0);
}

static void test_an_event_before_the_sleep_prevents_it(void **state)
{
    struct vcpu *other;

    (void)state;
    host_add_hart();
    other = next_on(1);
    host_hart = 0;
    event_send(other, EVENT_CONSOLE);
    host_hart = 1; /* its mail is not served yet */
    sched_sleep(other, TIME_NEVER);
    assert_int_equal(other->state, VCPU_RUNNABLE);
    check_value(hc_yield_idle(other, TIME_NEVER));
    assert_int_equal(other->state, VCPU_RUNNABLE);
}

static void test_an_event_after_the_sleep_ends_it(void **state)
{
    struct vcpu *other;

    (void)state;
    host_add_hart();
    other = next_on(1);
    check_value(hc_yield_idle(other, TIME_NEVER));
    host_hart = 0;
    event_send(other, EVENT_CONSOLE);
    assert_int_equal(other->state, VCPU_RUNNABLE);
    enter((u32)(other->hart - harts), other);
    assert_true(other->arch.doorbell);
}

/* ---- ends ---- */

static void test_a_vm_ends_where_it_runs_when_another_hart_wants_it(void **state)
{
    struct vcpu *other;
    struct vm *vm;

    (void)state;
    host_add_hart();
    other = next_on(1);
    vm = other->vm;
    host_run_on(0);
    vm_end(vm, VM_EXIT_KILLED);
    assert_int_equal(vm->state, VM_RUNNING);
    host_run_on(1);
    assert_int_equal(vm->state, VM_ENDING);
    assert_null(harts[1].loaded);
    while (vm->state != VM_OFF) {
        sched_next(&harts[1]);
        if (harts[1].current != NULL)
            sched_requeue(harts[1].current);
    }
    assert_int_equal(vm->exit, VM_EXIT_KILLED);
    assert_int_equal(vms[0]->state, VM_RUNNING);
}

static void test_a_sleeping_vm_can_be_ended_from_elsewhere(void **state)
{
    (void)state;
    one_busy_one_asleep();
    host_run_on(1);
    vm_end(vms[1], VM_EXIT_KILLED);
    assert_int_equal(b->state, VCPU_RUNNABLE);
    fall_asleep(1);
    assert_int_equal(vms[1]->state, VM_OFF);
    assert_int_equal(vms[0]->state, VM_RUNNING);
}

static void test_a_vm_that_reboots_and_is_killed_stays_off(void **state)
{
    (void)state;
    vm_end(vms[0], VM_EXIT_REBOOT);
    assert_int_equal(vms[0]->state, VM_ENDING);
    sched_requeue(a);
    next_on(0);
    vm_end(vms[0], VM_EXIT_KILLED);
    world_settle();
    assert_int_equal(vms[0]->state, VM_OFF);
    assert_int_equal(vms[0]->reboots, 0);
    assert_non_null(strstr(world_log, "vm1: ended by the monitor"));
}

static void test_a_vm_in_its_own_turn_can_be_killed_while_it_reboots(void **state)
{
    (void)state;
    vm_end(vms[0], VM_EXIT_REBOOT);
    vm_end(vms[0],
           VM_EXIT_KILLED); /* the monitor gets its time in any VM's turn, also in this one's */
    sched_requeue(a);
    world_settle();
    assert_int_equal(vms[0]->state, VM_OFF);
    assert_non_null(strstr(world_log, "vm1: ended by the monitor"));
}

static void test_building_goes_on_on_another_hart(void **state)
{
    (void)state;
    host_add_hart();
    vm_end(vms[0], VM_EXIT_REBOOT);
    for (u32 i = 0; vms[0]->reboots == 0 || vms[0]->state != VM_RUNNING; i++) {
        assert_true(i < 100000);
        next_on(i % 2);
        host_time += SLICE;
    }
    assert_int_equal(a->arch.pc, WORLD_IMAGE + PV_DIRECT_MAP);
}

/* ---- translations ---- */

static const gva_t page = {0x40000000};

static void map(struct vcpu *vcpu, u32 data)
{
    check_value(hc_pte_set(vcpu, world_pool(1), page,
                           world_data(data).value >> FRAME_SHIFT << SV39_PPN_SHIFT | SV39_V |
                               SV39_R | SV39_W));
}

static u64 mapped(struct vcpu *vcpu)
{
    u64 entry;

    assert_true(host_access(vcpu, page, SV39_R, &entry));
    return sv39_frame(entry);
}

static u64 frame_of(const struct vcpu *vcpu, u32 data)
{
    return p2m_lookup(&vcpu->vm->p2m, world_data(data).value >> FRAME_SHIFT).number;
}

static void test_a_hart_forgets_what_it_knew_of_a_vcpu_that_was_elsewhere(void **state)
{
    u32 changes;

    (void)state;
    one_busy_one_asleep();
    check_value(hc_table_make(a, world_pool(1), 2));
    check_value(hc_table_make(a, world_pool(2), 1));
    check_value(hc_table_make(a, world_pool(3), 0));
    check_value(hc_table_link(a, world_pool(1), page, world_pool(2)));
    check_value(hc_table_link(a, world_pool(1), page, world_pool(3)));
    check_value(hc_space_switch(a, world_pool(1)));
    map(a, 1);
    assert_int_equal(mapped(a), frame_of(a, 1)); /* hart 0 remembers it */

    check_value(hc_yield_idle(a, TIME_NEVER));
    sched_notify(b);
    enter(0, b); /* a is not loaded any more */
    sched_notify(a);
    assert_ptr_equal(next_on(1), a);
    map(a, 2); /* flushed here */
    assert_int_equal(mapped(a), frame_of(a, 2));

    check_value(hc_yield_idle(a, TIME_NEVER));
    sched_notify(c);
    enter((u32)(c->hart - harts), c);
    check_value(hc_yield_idle(c, TIME_NEVER));
    sleep_on(0, b);
    changes = host_code_changes;
    a->hart = &harts[0]; /* as if it had been taken there */
    list_remove(&a->link);
    list_push_back(&harts[0].sleeping, &a->link);
    sched_notify(a);
    enter(0, a);
    assert_int_equal(mapped(a), frame_of(a, 2));
    assert_true(host_code_changes > changes);
}

static void test_a_flush_of_all_reaches_harts_that_sleep(void **state)
{
    u64 entry;

    (void)state;
    one_busy_one_asleep();
    host_hart = 1;
    (void)tlb_translate(1, arch_space_root(b), gva(PV_DIRECT_MAP + WORLD_IMAGE), &entry);
    assert_true(tlb_count() > 0);
    host_hart = 0;
    hart_flush_all();
    assert_int_equal(tlb_count(), 0);
    assert_int_equal(harts[1].flushes_done, harts[1].flushes_wanted);
}

/* A flush that was asked for by another before does not count: it may have been over already. */
static void test_each_flush_is_waited_for(void **state)
{
    (void)state;
    host_add_hart();
    host_add_hart();
    for (u64 i = 1; i <= 3; i++) {
        host_hart = (u32)(i - 1);
        hart_flush_all();
        assert_int_equal(harts[(host_hart + 1) % 3].flushes_done,
                         harts[(host_hart + 1) % 3].flushes_wanted);
    }
    assert_int_equal(harts[0].flushes_wanted + harts[1].flushes_wanted + harts[2].flushes_wanted,
                     6);
}

/* So many turns that a hart no longer spins. */
static void wait_long(const void *what, u32 *turns)
{
    while (host_dozes == 0)
        hart_wait(arch_hart(), what, turns);
    host_dozes = 0;
}

static void test_who_waits_long_sleeps_until_that_very_thing_is_done(void **state)
{
    u32 turns = 0;
    int what = 0, other = 0;

    (void)state;
    host_dozes = 0;
    wait_long(&what, &turns);
    hart_end_waits(&other);
    hart_wait(arch_hart(), &what, &turns);
    assert_int_equal(host_dozes, 1);
    hart_end_waits(&what);
    hart_wait(arch_hart(), &what, &turns); /* the caller has to look before it sleeps again */
    assert_int_equal(host_dozes, 1);
    hart_wait(arch_hart(), &what, &turns);
    assert_int_equal(host_dozes, 2);
    hart_wait_end(arch_hart(), turns);
    assert_null(harts[0].waits_for);
}

static void test_who_sleeps_while_it_waits_serves_flushes(void **state)
{
    u32 turns = 0;

    (void)state;
    host_dozes = 0;
    wait_long(&turns, &turns);
    harts[0].flushes_wanted++;
    hart_wait(arch_hart(), &turns, &turns);
    assert_int_equal(harts[0].flushes_done, harts[0].flushes_wanted);
    hart_wait_end(arch_hart(), turns);
}

/* Under each policy; cmocka hands the tests' first state to start. */
#define turn(test)                                                          \
    {#test ", round robin", test, start, NULL, (void *)&sched_round_robin}, \
    {                                                                       \
#test ", weighted", test, start, NULL, (void *)&sched_weighted      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        turn(test_a_hart_with_nothing_to_do_takes_what_waits),
        turn(test_what_a_hart_has_loaded_is_not_taken),
        turn(test_who_loads_another_calls_a_sleeping_hart),
        turn(test_a_wake_up_goes_to_an_idle_hart_when_its_own_is_busy),
        turn(test_a_wake_up_stays_at_home_when_that_is_idle),
        turn(test_a_loaded_sleeper_stays_at_home),
        turn(test_an_idle_hart_has_no_timer_and_a_lone_vcpu_a_slow_one),
        turn(test_three_busy_ones_share_two_harts),
        turn(test_times_add_up_across_harts),
        turn(test_an_event_for_one_that_runs_elsewhere_comes_by_mail),
        turn(test_an_event_before_the_sleep_prevents_it),
        turn(test_an_event_after_the_sleep_ends_it),
        turn(test_a_vm_ends_where_it_runs_when_another_hart_wants_it),
        turn(test_a_sleeping_vm_can_be_ended_from_elsewhere),
        turn(test_a_vm_that_reboots_and_is_killed_stays_off),
        turn(test_a_vm_in_its_own_turn_can_be_killed_while_it_reboots),
        turn(test_building_goes_on_on_another_hart),
        turn(test_a_hart_forgets_what_it_knew_of_a_vcpu_that_was_elsewhere),
        turn(test_a_flush_of_all_reaches_harts_that_sleep),
        turn(test_each_flush_is_waited_for),
        turn(test_who_waits_long_sleeps_until_that_very_thing_is_done),
        turn(test_who_sleeps_while_it_waits_serves_flushes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
