/* SPDX-License-Identifier: MIT */
/*
 * Numbers that are no calls, calls at odd moments, events and timers at their edges.
 */
#include "attacks.h"

enum {
    BASE = 0x400000,
    LEGACY = 16,
    FUNCTIONS = 16,
    SOFTWARE_INTERRUPT = 1,
    SIP_SOFT = 1 << 1,
    SIE_TIMER = 1 << 5,
    SIE_ALL = 0x222,
    A_MOMENT = 20000,
    RESET_TYPES = 3,
};

#define INTERRUPT BIT(63)
#define NEVER UINT64_MAX

static struct shared_page *shared;

static void function_numbers(void)
{
    const u64 none[6] = {0};
    u64 wrong = 0;

    for (u64 bit = 0; bit < 64; bit++) {
        for (u64 low = 0; low < HC_CALL_COUNT; low++) {
            u64 number = BIT(bit) | low;

            if (number >= HC_CALL_COUNT)
                wrong += candor_call(number, none).error != HC_NOT_SUPPORTED;
            if (number >= HC_CALL_COUNT)
                wrong += candor_call(~number, none).error != HC_NOT_SUPPORTED;
        }
    }
    for (u64 number = HC_CALL_COUNT; number < 1000; number++)
        wrong += candor_call(number, none).error != HC_NOT_SUPPORTED;
    expect_true("no other number is a call", wrong == 0);
}

/* The number of the extension with one bit more or less: the call must not be made. */
static void extension_numbers(void)
{
    u64 frame = make_table(0), wrong = 0;

    must("free", candor_table_free(frame));

    for (u64 bit = 0; bit < 64; bit++) {
        wrong += sbi_call(CANDOR_EXTENSION ^ BIT(bit), HC_CALL_TABLE_MAKE, frame, 0, 0).error !=
                 HC_NOT_SUPPORTED;
        wrong += sbi_call(CANDOR_EXTENSION ^ BIT(bit), HC_CALL_SPACE_SWITCH, start->boot_root_gpa,
                          0, 0)
                     .error != HC_NOT_SUPPORTED;
    }
    expect_true("no other number is the extension", wrong == 0);
    expect_error("and no table was made", candor_table_free(frame), HC_BAD_LEVEL);
}

static void firmware_extensions(void)
{
    /* TIME, IPI, RFENCE, HSM, PMU, SUSP, CPPC, NACL, STA: of other firmware. */
    const u64 others[] = {0x54494d45, 0x735049,   0x52464e43, 0x48534d, 0x504d55,
                          0x53555350, 0x43505043, 0x4e41434c, 0x535441};
    u64 wrong = 0;

    for (u64 function = 0; function < FUNCTIONS; function++) {
        for (u64 i = 0; i < ARRAY_SIZE(others); i++) {
            wrong += sbi_call(others[i], function, 0, 0, 0).error != HC_NOT_SUPPORTED;
            wrong += sbi_call(others[i], function, NEVER, NEVER, NEVER).error != HC_NOT_SUPPORTED;
        }
        for (u64 i = 0; i < LEGACY; i++)
            wrong += sbi_call(i, function, NEVER, start->direct_map_gva, 1).error !=
                     HC_NOT_SUPPORTED;
        wrong += sbi_call(SBI_BASE, function + 7, 0, 0, 0).error != HC_NOT_SUPPORTED;
        wrong += sbi_call(SBI_DEBUG_CONSOLE, function + 3, 0, 0, 0).error != HC_NOT_SUPPORTED;
        wrong += sbi_call(SBI_SYSTEM_RESET, function + 1, 0, 0, 0).error != HC_NOT_SUPPORTED;
    }
    expect_true("what is not there is said not to be there", wrong == 0);
}

static void reset_with_wild_reasons(void)
{
    u64 wrong = 0;

    for (u64 bit = 2; bit < 64; bit++) {
        wrong += sbi_call(SBI_SYSTEM_RESET, 0, BIT(bit), 0, 0).error != HC_INVALID_PARAM;
        for (u64 type = 0; type < RESET_TYPES; type++)
            wrong += sbi_call(SBI_SYSTEM_RESET, 0, type, BIT(bit), 0).error != HC_INVALID_PARAM;
    }
    wrong += sbi_call(SBI_SYSTEM_RESET, 0, RESET_TYPES, 0, 0).error != HC_INVALID_PARAM;
    expect_true("a reset must have a type and a reason", wrong == 0);
}

static void call_with_interrupts_on(void *argument)
{
    (void)argument;
    __asm__ volatile("csrs sip, %0" : : "r"(SIP_SOFT));
    csr_put(sie, SIP_SOFT);
    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_SIE));
    for (u64 i = 0; i < 10; i++)
        (void)candor_version();
}

static void interrupts_during_calls(void)
{
    struct guest_trap trap;

    expect_true("an interrupt that waits comes to its kernel, not to Candor",
                guest_try(call_with_interrupts_on, NULL, &trap) == 1 &&
                    trap.cause == (INTERRUPT | SOFTWARE_INTERRUPT));
    csr_put(sie, 0);
    __asm__ volatile("csrc sip, %0" : : "r"(SIP_SOFT));
    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_SIE));
    must("a call with interrupts on", candor_yield());
    must("sleep with interrupts on", candor_yield_idle(time_now() + 1000));
    must("a table with interrupts on", candor_pte_set(make_space(BASE, NULL), BASE, 0));
    __asm__ volatile("csrc sstatus, %0" : : "r"(SSTATUS_SIE));
    pass("calls work with interrupts on");
}

static void shared_page_at_the_last_page(void)
{
    u64 end = start->memory_base_gpa + start->memory_bytes;

    expect_error("one behind the last", candor_shared_page(end), HC_INVALID_ADDRESS);
    expect_error("far behind", candor_shared_page(BIT(63)), HC_INVALID_ADDRESS);
    expect_error("by its virtual address",
                 candor_shared_page((u64)gpa_to_pointer(end - PAGE_BYTES)), HC_INVALID_ADDRESS);
    expect_error("the last of the pool",
                 candor_shared_page(start->pool_base_gpa + start->pool_bytes - PAGE_BYTES),
                 HC_IS_POOL);
    expect_error("the last page", candor_shared_page(end - PAGE_BYTES), HC_OK);
    expect_error("the same again", candor_shared_page(end - PAGE_BYTES), HC_EXISTS);
    expect_error("a wrong one again", candor_shared_page(end), HC_INVALID_ADDRESS);
    shared = gpa_to_pointer(end - PAGE_BYTES);
}

/* The timer's event, if it has come. (The console has events of its own.) */
static u64 take_events(void)
{
    __asm__ volatile("csrc sip, %0" : : "r"(SIP_SOFT));
    return __atomic_exchange_n(&shared->pending, 0, __ATOMIC_SEQ_CST) & EVENT_TIMER;
}

/* Sets the timer and takes it back; true if that was done before its time, whoever had a turn
 * meanwhile. */
static bool timer_taken_back(void)
{
    u64 deadline = time_now() + A_MOMENT;

    must("timer", candor_timer_set(deadline));
    must("off again", candor_timer_set(NEVER));
    return time_now() < deadline;
}

static void timers_at_their_edges(void)
{
    const u64 past[] = {0, 1, time_now() - 1, time_now()};

    (void)take_events();
    for (u64 i = 0; i < ARRAY_SIZE(past); i++) {
        must("timer", candor_timer_set(past[i]));
        if ((csr_get(sip) & SIP_SOFT) == 0 || take_events() != EVENT_TIMER)
            fail("a time that is past comes at once", "%lu", past[i]);
    }
    while (!timer_taken_back())
        (void)take_events();
    must("idle", candor_yield_idle(time_now() + 2 * A_MOMENT));
    expect_true("a timer that is off does not come", take_events() == 0);
    must("timer", candor_timer_set(time_now() + A_MOMENT));
    must("idle until it comes", candor_yield_idle(NEVER));
    expect_true("a timer ends a sleep that has no end", take_events() == EVENT_TIMER);
    must("the largest time but one", candor_timer_set(NEVER - 1));
    must("a large time", candor_timer_set(BIT(63)));
    must("off", candor_timer_set(NEVER));
    expect_true("times far away do not wrap", take_events() == 0);
}

static void sleep_with_something_pending(void)
{
    u64 before = time_now();

    shared->pending = EVENT_CONSOLE;
    must("sleep", candor_yield_idle(NEVER));
    shared->pending = BIT(63); /* no event: but the guest's own word */
    must("sleep", candor_yield_idle(NEVER));
    shared->pending = 0;
    __asm__ volatile("csrs sip, %0" : : "r"(SIP_SOFT));
    must("sleep", candor_yield_idle(NEVER));
    __asm__ volatile("csrc sip, %0" : : "r"(SIP_SOFT));
    for (u64 i = 0; i < 100; i++)
        must("sleep until what is past", candor_yield_idle(i % 2 == 0 ? i : before));
    pass("a sleep returns at once when something waits");
}

static void processor_timer_at_its_edges(void)
{
    csr_put(sie, 0);
    csr_put(stimecmp, 0);
    must("sleep", candor_yield_idle(NEVER));
    csr_put(stimecmp, time_now() + A_MOMENT);
    must("sleep until it comes", candor_yield_idle(NEVER));
    csr_put(stimecmp, NEVER);
    must("sleep", candor_yield_idle(time_now() + A_MOMENT));
    csr_put(sie, SIE_TIMER);
    csr_put(stimecmp, 1);
    for (u64 i = 0; i < 50; i++)
        must("give way with the timer's interrupt pending and masked", candor_yield());
    csr_put(stimecmp, NEVER);
    csr_put(sie, 0);
    pass("the processor's timer ends a sleep, and nothing else");
}

static void shared_page_written_by_both(void)
{
    for (u64 i = 0; i < 200; i++) {
        shared->time_version = i * 0x0101010101010101UL;
        shared->time_offset = -1;
        shared->running_time = shared->idle_time = shared->steal_time = NEVER;
        if (i % 8 == 0)
            must("sleep", candor_yield_idle(time_now() + 200));
        else
            must("give way", candor_yield());
    }
    must("timer", candor_timer_set(0));
    expect_true("Candor believes nothing that stands there", (take_events() & EVENT_TIMER) != 0);
}

static const struct attack attacks[] = {
    {"function-numbers", function_numbers},
    {"extension-numbers", extension_numbers},
    {"firmware-extensions", firmware_extensions},
    {"reset-with-wild-reasons", reset_with_wild_reasons},
    {"interrupts-during-calls", interrupts_during_calls},
    {"shared-page-at-the-last-page", shared_page_at_the_last_page},
    {"timers-at-their-edges", timers_at_their_edges},
    {"sleep-with-something-pending", sleep_with_something_pending},
    {"processor-timer-at-its-edges", processor_timer_at_its_edges},
    {"shared-page-written-by-both", shared_page_written_by_both},
};

void guest_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
