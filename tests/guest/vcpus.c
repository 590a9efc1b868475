/* SPDX-License-Identifier: MIT */
/*
 * Several vCPUs of one machine: what starting, stopping and telling them does, what is refused, and
 * that what one changes in a space is so for all when the call returns. With the argument
 * `other-powers-off`, `other-faults` or `other-loops` it ends while they run.
 */
#include "guest.h"
#include "string.h"

enum {
    OTHERS_MAX = 7,
    STACK_BYTES = 4096,
    ROUNDS = 200,
    SHORT_ROUNDS = 40,
    SECONDS = 20, /* what happens at once may take so long on a busy host */
    TEXT = 0x400000,
};

static u8 stacks[OTHERS_MAX + 1][STACK_BYTES] __attribute__((aligned(16)));
static struct shared_page pages[OTHERS_MAX + 1] __attribute__((aligned(PAGE_BYTES)));
static void (*volatile work)(u64 number);
static volatile u64 started_with[OTHERS_MAX + 1];
static volatile u64 ready, rounds, seen, stop, left;
static u64 roots[2], frames[2];

/* From other_entry. */
void other_main(u64 number, u64 argument);
void other_main(u64 number, u64 argument)
{
    started_with[number] = argument;
    work(number);
    left++;
    (void)candor_vcpu_stop();
    fail("a vCPU stops", "it goes on");
}

__attribute__((naked)) static void other_entry(void)
{
    __asm__ volatile("mv sp, a1\n\tcall other_main");
}

static u64 stack_of(u64 number)
{
    return (u64)stacks[number] + STACK_BYTES;
}

static struct hc_result start_other(u64 number)
{
    return candor_vcpu_start(number, (u64)other_entry, stack_of(number));
}

static bool reaches(volatile u64 *word, u64 value)
{
    u64 end = time_now() + SECONDS * start->timebase_hz;

    while (*word < value && time_now() < end)
        (void)candor_yield_to(1);
    return *word >= value;
}

/* Starts it as soon as it is off. */
static void start_when_off(u64 number)
{
    u64 end = time_now() + SECONDS * start->timebase_hz;
    struct hc_result result;

    while ((result = start_other(number)).error == HC_EXISTS && time_now() < end)
        (void)candor_yield();
    must("vcpu_start", result);
}

/* Begins with nothing counted. */
static void start_to(void (*does)(u64))
{
    work = does;
    rounds = stop = left = 0;
    start_when_off(1);
}

static void stop_it(void)
{
    stop = 1;
    if (!reaches(&left, 1))
        fail("a vCPU stops", "it works on");
}

/* ---- what is refused ---- */

static void refusals(void)
{
    u64 count = start->vcpu_count, pool = (u64)gpa_to_pointer(start->pool_base_gpa);

    expect_error("a number too high", candor_vcpu_start(count, (u64)other_entry, 0),
                 HC_INVALID_PARAM);
    expect_error("a wild number", candor_vcpu_start(~0UL, (u64)other_entry, 0), HC_INVALID_PARAM);
    expect_error("an odd entry", candor_vcpu_start(1, (u64)other_entry + 1, 0), HC_INVALID_ADDRESS);
    expect_error("an entry outside memory", candor_vcpu_start(1, ~1UL, 0), HC_INVALID_ADDRESS);
    expect_error("an entry of the lower half", candor_vcpu_start(1, TEXT, 0), HC_INVALID_ADDRESS);
    expect_error("oneself", candor_vcpu_start(0, pool, 0), HC_EXISTS);
    expect_error("the first does not stop", candor_vcpu_stop(), HC_DENIED);
    expect_error("nobody to notify", candor_vcpu_notify(count), HC_INVALID_PARAM);
    expect_error("nobody to yield to", candor_yield_to(count), HC_INVALID_PARAM);
    expect_error("one that is off is told nothing", candor_vcpu_notify(1), HC_OK);
    expect_error("nor is it waited for", candor_yield_to(1), HC_OK);
}

/* ---- starting and stopping ---- */

static void do_nothing(u64 number)
{
    (void)number;
}

static void spin_until_stopped(u64 number)
{
    (void)number;
    rounds++;
    while (!stop) {
    }
}

static void starts(void)
{
    bool good = true;

    work = do_nothing;
    left = 0;
    for (u64 i = 1; good && i <= ROUNDS; i++) {
        start_when_off(1);
        good = reaches(&left, i);
    }
    expect_true("a vCPU starts and stops many times", good);
    expect_true("it gets its argument", started_with[1] == stack_of(1));

    start_to(spin_until_stopped);
    expect_true("it runs", reaches(&rounds, 1));
    expect_error("it runs already", start_other(1), HC_EXISTS);
    stop_it();
}

/* ---- events ---- */

/* Sleeps until an event has come. */
static void wait_for_event(u64 number)
{
    while ((__atomic_exchange_n(&pages[number].pending, 0, __ATOMIC_ACQ_REL) & EVENT_VCPU) == 0) {
        __asm__ volatile("csrc sip, 2");
        if (__atomic_load_n(&pages[number].pending, __ATOMIC_ACQUIRE) == 0)
            (void)candor_yield_idle(~0UL);
    }
}

static void answer_events(u64 number)
{
    must("shared_page", candor_shared_page(pointer_to_gpa(&pages[number])));
    ready = 1;
    for (u32 i = 0; i < ROUNDS; i++) {
        wait_for_event(number);
        must("vcpu_notify", candor_vcpu_notify(0));
    }
}

static void events(void)
{
    must("shared_page", candor_shared_page(pointer_to_gpa(&pages[0])));
    start_to(answer_events);
    expect_true("it has its page", reaches(&ready, 1));
    for (u32 i = 0; i < ROUNDS; i++) { /* one at a time: two that meet would be one */
        must("vcpu_notify", candor_vcpu_notify(1));
        wait_for_event(0);
    }
    expect_true("events wake who sleeps", reaches(&left, 1));
}

/* ---- one space, several vCPUs ---- */

static void look_at_page(u64 number)
{
    (void)number;
    must("space_switch", candor_space_switch(roots[0]));
    while (!stop) {
        seen = *(volatile u64 *)TEXT;
        rounds++;
    }
}

/* The translation is remembered from an earlier stay in the space. */
static void look_now_and_then(u64 number)
{
    (void)number;
    while (!stop) {
        must("space_switch", candor_space_switch(roots[0]));
        seen = *(volatile u64 *)TEXT;
        must("space_switch", candor_space_switch(roots[1]));
        rounds++;
    }
}

/* When pte_set has returned, no vCPU reads the page that was there before. */
static void changes(const char *name, void (*looks)(u64))
{
    u32 late = 0;

    start_to(looks);
    for (u64 i = 0; i < SHORT_ROUNDS; i++) {
        u64 now;

        must("pte_set", candor_pte_set(roots[0], TEXT, leaf(frames[i % 2], PTE_R | PTE_W)));
        now = rounds;
        if (!reaches(&rounds, now + 2))
            fail(name, "the other one stands still");
        late += seen != i % 2;
    }
    stop_it();
    if (late > 0)
        fail(name, "%u of %u changes came late", late, SHORT_ROUNDS);
    else
        pass(name);
}

static void spaces(void)
{
    roots[0] = make_space(TEXT, NULL);
    roots[1] = make_space(TEXT, NULL);
    for (u64 i = 0; i < 2; i++) {
        frames[i] = take_page();
        *(volatile u64 *)gpa_to_pointer(frames[i]) = i;
    }
    must("pte_set", candor_pte_set(roots[0], TEXT, leaf(frames[0], PTE_R | PTE_W)));
    changes("a change is seen in the space", look_at_page);
    changes("a change is seen on coming back", look_now_and_then);
}

/* The root that another vCPU uses stays one. */
static void roots_in_use(void)
{
    start_to(look_at_page);
    (void)reaches(&rounds, 1);
    expect_error("a root that another vCPU uses is not freed", candor_table_free(roots[0]),
                 HC_IN_USE);
    stop_it();
}

/* ---- ends ---- */

static void power_off(u64 number)
{
    (void)number;
    guest_finish();
}

static void execute_nothing(u64 number)
{
    (void)number;
    __asm__ volatile(".word 0");
}

static void loop(u64 number)
{
    (void)number;
    rounds++;
    for (;;) {
    }
}

static void start_all(void (*does)(u64))
{
    work = does;
    rounds = 0;
    for (u64 i = 1; i < start->vcpu_count; i++)
        start_when_off(i);
}

void guest_main(void)
{
    if (strcmp(start->args, "other-powers-off") == 0) {
        start_all(power_off);
        loop(0);
    }
    if (strcmp(start->args, "other-faults") == 0) {
        guest_expect_end("illegal instruction");
        start_all(execute_nothing);
        loop(0);
    }
    if (strcmp(start->args, "other-loops") == 0) {
        start_all(loop);
        (void)reaches(&rounds, start->vcpu_count - 1);
        guest_finish();
    }
    refusals();
    starts();
    events();
    spaces();
    roots_in_use();
    guest_finish();
}
