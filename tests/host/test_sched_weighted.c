/* SPDX-License-Identifier: MIT */
/*
 * Weighted shares, and beside them round robin where both must hold: shares follow the weights,
 * sleep gains nothing and costs no latency, nobody starves, times add up.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/sched_policy.h"
#include "host.h"
#include "world.h"

enum {
    VMS = 5,
    MILLISECOND = 10000, /* at 10 MHz */
    SECOND = 1000 * MILLISECOND,
};

static struct vcpu *v[VMS];

/* What each does with its turns: runs on, or sleeps after `runs` for `sleeps`, again and again. */
static struct load {
    u64 runs;
    u64 sleeps;
    u64 left; /* until it falls asleep */
    u64 woken_at;
    u64 worst_wait; /* from its wake-up to its turn */
} loads[VMS];

static int start(void **state)
{
    world_start(VMS, NULL);
    sched_use(*state);
    memset(loads, 0, sizeof(loads));
    for (u32 i = 0; i < VMS; i++)
        v[i] = &vms[i]->vcpus[0];
    return 0;
}

/* Those from `count` on are paused; the weights of the others. */
static void weigh(u32 count, const u32 *weights)
{
    for (u32 i = count; i < VMS; i++)
        vm_pause(vms[i]);
    for (u32 i = 0; i < count; i++)
        vm_set_weight(vms[i], weights[i]);
}

/* How far a hart's current vCPU gets until something happens, at most up to `end`. */
static u64 until(struct hart *hart, u64 end)
{
    struct load *load = &loads[hart->current->vm->id - 1];

    host_hart = hart->index;
    end = min(end, max(host_timer, host_time));
    return load->runs > 0 ? min(end, host_time + load->left) : end;
}

static void count_wait(const struct vcpu *vcpu)
{
    struct load *load = &loads[vcpu->vm->id - 1];

    if (load->woken_at != 0)
        load->worst_wait = max(load->worst_wait, host_time - load->woken_at);
    load->woken_at = 0;
}

static void advance(struct hart *hart, u64 passed)
{
    struct vcpu *vcpu = hart->current;
    struct load *load = &loads[vcpu->vm->id - 1];

    host_run_on(hart->index);
    if (load->runs > 0) {
        load->left -= min(passed, load->left);
        if (load->left == 0) {
            load->left = load->runs;
            load->woken_at = host_time + load->sleeps;
            check_value(hc_yield_idle(vcpu, load->woken_at));
        }
    }
    arch_hart_poll();
    count_wait(sched_next(hart));
}

/* Lets all harts run, each busy all the while. */
static void run(u64 ticks)
{
    const u64 end = host_time + ticks;

    for (u32 i = 0; i < VMS; i++)
        loads[i].left = loads[i].runs;
    for (u32 i = 0; i < hart_count; i++) {
        host_run_on(i);
        (void)sched_next(&harts[i]);
    }
    while (host_time < end) {
        u64 next = end, passed;

        for (u32 i = 0; i < hart_count; i++)
            next = until(&harts[i], next);
        passed = next - host_time;
        host_time = next;
        for (u32 i = 0; i < hart_count; i++)
            advance(&harts[i], passed);
    }
}

/* The share of each, in thousandths of one hart, within `ticks`. */
static void measure(u64 ticks, u64 shares[VMS])
{
    u64 before[VMS];

    for (u32 i = 0; i < VMS; i++)
        before[i] = sched_times(v[i]).running;
    run(ticks);
    for (u32 i = 0; i < VMS; i++)
        shares[i] = (sched_times(v[i]).running - before[i]) * 1000 / ticks;
}

#define about(share, expected) assert_in_range(share, (expected)-10, (expected) + 10)

/* ---- one hart ---- */

static void test_shares_follow_the_weights(void **state)
{
    static const u32 weights[][3] = {{1, 2, 4}, {100, 200, 400}, {10000, 5000, 2500}, {7, 7, 7}};
    u64 shares[VMS];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(weights); i++) {
        const u64 sum = (u64)weights[i][0] + weights[i][1] + weights[i][2];

        weigh(3, weights[i]);
        run(SECOND);
        measure(10UL * SECOND, shares);
        for (u32 n = 0; n < 3; n++)
            about(shares[n], 1000UL * weights[i][n] / sum);
    }
}

static void test_a_new_weight_counts_at_once(void **state)
{
    u64 shares[VMS];

    (void)state;
    weigh(2, (u32[]){10000, 1});
    run(SECOND);
    weigh(2, (u32[]){1, 10000});
    measure(SECOND, shares);
    about(shares[1], 1000UL);
    weigh(2, (u32[]){100, 100});
    measure(SECOND, shares);
    assert_in_range(shares[0], 480, 520);
    assert_in_range(shares[1], 480, 520);
}

static void test_nobody_starves(void **state)
{
    u64 before, since, longest = 0;

    (void)state;
    weigh(3, (u32[]){10000, 1, 10000});
    run(SECOND);
    since = host_time;
    before = sched_times(v[1]).running;
    for (u32 i = 0; i < 1000; i++) {
        run(100UL * MILLISECOND);
        if (sched_times(v[1]).running != before) {
            before = sched_times(v[1]).running;
            longest = max(longest, host_time - since);
            since = host_time;
        }
    }
    assert_in_range(longest, 1, 21UL * SECOND); /* a millisecond in 20,001 */
}

/* It runs half of the time that it has the hart for, and so gets no more than its half. */
static void test_a_sleeper_gets_its_share_and_no_more(void **state)
{
    static const u64 runs_us[] = {20, 300, 1000, 3000, 9000, 25000};
    u64 shares[VMS];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(runs_us); i++) {
        weigh(3, (u32[]){100, 100, 100});
        loads[0] = (struct load){.runs = runs_us[i] * 10, .sleeps = 10};
        measure(10UL * SECOND, shares);
        assert_in_range(shares[0], 0, 333 + 10);
        assert_in_range(shares[1], 333 - 10, 1000);
        assert_in_range(shares[2], 333 - 10, 1000);
        loads[0] = (struct load){0};
        sched_notify(v[0]);
    }
}

static void test_one_that_sleeps_half_of_the_time_has_its_half(void **state)
{
    u64 shares[VMS];

    (void)state;
    weigh(2, (u32[]){100, 100});
    loads[0] = (struct load){.runs = 2 * MILLISECOND, .sleeps = 3 * MILLISECOND};
    measure(10UL * SECOND, shares);
    assert_in_range(shares[0], 300, 400); /* 2 of 5 ms, and up to 1 for each wake-up */
    assert_in_range(loads[0].worst_wait, 0, MILLISECOND + 1);
}

/* It takes half of its share. */
static void test_who_wakes_up_has_its_turn_within_a_millisecond(void **state)
{
    (void)state;
    weigh(VMS, (u32[]){1, 10000, 100, 5000, 100});
    loads[4] = (struct load){.runs = MILLISECOND / 2, .sleeps = 197 * MILLISECOND};
    run(20UL * SECOND);
    assert_in_range(loads[4].worst_wait, 0, MILLISECOND + 1);
}

/* What it has had too much it does not get rid of by sleeping, but a long sleep makes up for it. */
static void test_a_debt_is_kept_in_sleep_and_fades(void **state)
{
    struct hart *hart = arch_hart();

    (void)state;
    weigh(2, (u32[]){100, 100});
    run(SECOND);
    while (sched_next(hart) != v[0])
        run(MILLISECOND);
    loads[0] = (struct load){.runs = 9 * MILLISECOND, .sleeps = 10};
    run(12UL * MILLISECOND);
    assert_in_range(loads[0].worst_wait, 0, 0); /* it has woken up, and waits */
    assert_int_equal(v[0]->state, VCPU_RUNNABLE);
    assert_ptr_equal(hart->current, v[1]);
    loads[0] = (struct load){.runs = 9 * MILLISECOND, .sleeps = 50 * MILLISECOND};
    run(SECOND);
    assert_in_range(loads[0].worst_wait, 0, MILLISECOND + 1);
}

static void test_who_gives_way_is_not_next(void **state)
{
    struct hart *hart = arch_hart();
    struct vcpu *other;

    (void)state;
    weigh(2, (u32[]){10000, 1});
    run(SECOND);
    while (sched_next(hart) != v[0])
        run(MILLISECOND);
    check_value(hc_yield(v[0]));
    other = sched_next(hart);
    assert_ptr_equal(other, v[1]);
    check_value(hc_yield(v[1]));
    assert_ptr_equal(sched_next(hart), v[0]);
}

static void test_virtual_times_may_wrap(void **state)
{
    u64 shares[VMS];

    (void)state;
    weigh(2, (u32[]){100, 300});
    run(SECOND);
    for (u32 i = 0; i < 2; i++)
        v[i]->virtual_time += 0 - arch_hart()->virtual_time - 1000000;
    arch_hart()->virtual_time = 0ULL - 1000000;
    measure(10UL * SECOND, shares);
    assert_true((i64)arch_hart()->virtual_time > 0);
    about(shares[0], 250UL);
    about(shares[1], 750UL);
}

/* ---- several ---- */

static void check_two_harts(u32 count, const u32 *weights, const u64 *least, const u64 *most)
{
    u64 shares[VMS];

    if (hart_count == 1)
        host_add_hart();
    weigh(count, weights);
    run(3UL * SECOND);
    measure(20UL * SECOND, shares);
    for (u32 i = 0; i < count; i++)
        assert_in_range(shares[i], least[i], most[i]);
}

static void test_two_harts_divide_what_can_be_divided(void **state)
{
    (void)state;
    check_two_harts(4, (u32[]){300, 100, 300, 100}, (u64[]){730, 230, 730, 230},
                    (u64[]){770, 270, 770, 270});
}

static void test_one_that_deserves_more_than_a_hart_has_one(void **state)
{
    (void)state;
    check_two_harts(3, (u32[]){10000, 10, 10}, (u64[]){980, 470, 470}, (u64[]){1000, 530, 530});
}

static void test_three_alike_share_two_harts(void **state)
{
    (void)state;
    check_two_harts(3, (u32[]){100, 100, 101}, (u64[]){600, 600, 600}, (u64[]){730, 730, 740});
}

static void test_five_on_two_harts_are_ordered_as_their_weights(void **state)
{
    (void)state;
    check_two_harts(5, (u32[]){400, 300, 200, 200, 100}, (u64[]){560, 410, 260, 260, 110},
                    (u64[]){800, 600, 420, 420, 230});
}

/* ---- both policies ---- */

static u64 sum_of(const struct vcpu *vcpu)
{
    return vcpu->running_time + vcpu->idle_time + vcpu->steal_time;
}

/* What a guest is shown: of a time in which it ran, slept and waited, every tick, once. */
static void check_times(u32 harts_wanted)
{
    u64 from, before[VMS];

    while (hart_count < harts_wanted)
        host_add_hart();
    loads[0] = (struct load){.runs = 700, .sleeps = 5 * MILLISECOND};
    loads[1] = (struct load){.runs = 4 * MILLISECOND, .sleeps = 1000};
    run(100UL * MILLISECOND);
    from = host_time;
    for (u32 i = 0; i < VMS; i++) {
        sched_account(v[i], from);
        before[i] = sum_of(v[i]);
    }
    run(SECOND);
    for (u32 i = 0; i < VMS; i++) {
        const struct shared_page *page = v[i]->shared;
        u64 idle = v[i]->idle_time;

        sched_account(v[i], host_time);
        assert_int_equal(sum_of(v[i]) - before[i], host_time - from);
        assert_int_equal(page->running_time, v[i]->running_time);
        assert_int_equal(page->idle_time, v[i]->idle_time);
        assert_int_equal(page->steal_time, v[i]->steal_time);
        assert_int_equal(page->time_version % 2, 0);
        assert_true(i < 2 ? idle > 0 : v[i]->idle_time == 0);
    }
}

static void test_times_in_the_shared_page_add_up(void **state)
{
    (void)state;
    for (u32 i = 0; i < VMS; i++)
        check_value(hc_shared_page(v[i], world_data(0)));
    check_times(1);
    check_times(2);
}

/* A hart may have read the clock, then waited for a lock while another one brought the times up to
 * date by a later reading. */
static void test_a_clock_that_was_read_too_early_changes_nothing(void **state)
{
    struct vcpu before;

    (void)state;
    run(SECOND);
    for (u32 i = 0; i < VMS; i++) {
        sched_account(v[i], host_time);
        before = *v[i];
        sched_account(v[i], host_time - 500);
        assert_int_equal(v[i]->running_time, before.running_time);
        assert_int_equal(v[i]->steal_time, before.steal_time);
        assert_int_equal(v[i]->waited_lately, before.waited_lately);
        assert_int_equal(v[i]->virtual_time, before.virtual_time);
        assert_int_equal(v[i]->state_since, before.state_since);
    }
}

static void test_equal_weights_are_equal_shares(void **state)
{
    u64 shares[VMS];

    (void)state;
    run(SECOND);
    measure(10UL * SECOND, shares);
    for (u32 i = 0; i < VMS; i++)
        about(shares[i], 200UL);
}

/* ---- work aside, and calls that last ---- */

static struct vm *work_for_the_second(void)
{
    host_time += MILLISECOND / 4;
    return vms[1];
}

/* A fifth of the first one's turns is taken by work for the second. */
static void test_work_aside_is_paid_by_whom_it_was_for(void **state)
{
    struct hart *hart = arch_hart();
    u64 from, before[2], aside = 0;

    (void)state;
    for (u32 i = 2; i < VMS; i++)
        vm_pause(vms[i]);
    run(SECOND);
    from = host_time;
    for (u32 i = 0; i < 2; i++)
        before[i] = sched_times(v[i]).running;
    while (host_time < from + SECOND) {
        run(MILLISECOND);
        if (hart->current != v[0])
            continue;
        sched_aside(hart, work_for_the_second);
        aside += MILLISECOND / 4;
    }
    assert_in_range(aside, SECOND / 12, SECOND / 6);
    about((sched_times(v[0]).running - before[0]) * 1000 / (host_time - from), 500UL);
    about((sched_times(v[1]).running - before[1]) * 1000 / (host_time - from), 500UL);
}

static void test_a_call_that_outlasts_a_turn_makes_the_next_one_shorter(void **state)
{
    enum { LONG_CALL = MILLISECOND / 7, TURNS = 400 };

    struct hart *hart = arch_hart();
    const struct vcpu *last = NULL;
    u64 running = sched_times(v[0]).running;

    (void)state;
    weigh(2, (u32[]){100, 100});
    for (u32 turn = 0; turn < TURNS; turn++) {
        assert_ptr_not_equal(sched_next(hart), last);
        last = hart->current;
        host_time = host_timer + (last == v[1] ? LONG_CALL : 0);
        arch_hart_poll();
    }
    running = sched_times(v[0]).running - running;
    assert_in_range(sched_times(v[1]).running, running, running + 11UL * MILLISECOND);
}

static void test_round_robin_has_no_weights(void **state)
{
    u64 shares[VMS];

    (void)state;
    weigh(2, (u32[]){1, 10000});
    measure(10UL * SECOND, shares);
    about(shares[0], 500UL);
    assert_int_equal(v[1]->weight, BUNDLE_WEIGHT_DEFAULT);
}

#define weighted(test)                                    \
    {                                                     \
#test, test, start, NULL, (void *)&sched_weighted \
    }
#define round_robin(test)                                                    \
    {                                                                        \
#test ", round robin", test, start, NULL, (void *)&sched_round_robin \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        weighted(test_shares_follow_the_weights),
        weighted(test_a_new_weight_counts_at_once),
        weighted(test_nobody_starves),
        weighted(test_a_sleeper_gets_its_share_and_no_more),
        weighted(test_one_that_sleeps_half_of_the_time_has_its_half),
        weighted(test_who_wakes_up_has_its_turn_within_a_millisecond),
        weighted(test_a_debt_is_kept_in_sleep_and_fades),
        weighted(test_who_gives_way_is_not_next),
        weighted(test_virtual_times_may_wrap),
        weighted(test_two_harts_divide_what_can_be_divided),
        weighted(test_one_that_deserves_more_than_a_hart_has_one),
        weighted(test_three_alike_share_two_harts),
        weighted(test_five_on_two_harts_are_ordered_as_their_weights),
        weighted(test_times_in_the_shared_page_add_up),
        round_robin(test_times_in_the_shared_page_add_up),
        weighted(test_a_clock_that_was_read_too_early_changes_nothing),
        round_robin(test_a_clock_that_was_read_too_early_changes_nothing),
        weighted(test_equal_weights_are_equal_shares),
        round_robin(test_equal_weights_are_equal_shares),
        weighted(test_work_aside_is_paid_by_whom_it_was_for),
        round_robin(test_work_aside_is_paid_by_whom_it_was_for),
        weighted(test_a_call_that_outlasts_a_turn_makes_the_next_one_shorter),
        round_robin(test_round_robin_has_no_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
