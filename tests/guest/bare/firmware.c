/* SPDX-License-Identifier: MIT */
/*
 * Calls every function of the firmware that the SBI specification gives a kernel in S-mode, with
 * good arguments and bad ones, and says what it answers: the same lines on OpenSBI and on Candor.
 * What the specification leaves to the firmware stands in lines of its own, which begin with `own`.
 */
#include "bare.h"

#include "string.h"

enum {
    HART_NONE = 5, /* there is no such */
    SOON_TICKS = 20000,
    BASE_FUNCTIONS = 7,
    RESERVED_SUSPEND = 1,
};

struct call {
    const char *name;
    u64 extension, function;
    u64 arguments[5];
};

static void make_calls(const struct call *calls, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        const struct call *call = &calls[i];
        const u64 *a = call->arguments;

        bare_printf("%s: %ld", call->name,
                    sbi(call->extension, call->function, a[0], a[1], a[2], a[3], a[4]).error);
    }
}

static void base(void)
{
    static const u64 known[] = {SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_RESET};
    static const char *const names[BASE_FUNCTIONS] = {
        "specification", "implementation", "its version", "probe of 0",
        "vendor",        "architecture",   "machine"};

    for (u64 function = 0; function < BASE_FUNCTIONS; function++) {
        struct sbi_result result = sbi(SBI_BASE, function, 0, 0, 0, 0, 0);

        bare_printf("%s: %ld", names[function], result.error);
        bare_printf("own %s 0x%lx", names[function], result.value);
    }
    bare_printf("function 7: %ld", sbi(SBI_BASE, BASE_FUNCTIONS, 0, 0, 0, 0, 0).error);
    bare_printf("version 1 or later: %u", sbi(SBI_BASE, 0, 0, 0, 0, 0, 0).value >= 1UL << 24);
    for (u32 i = 0; i < ARRAY_SIZE(known); i++)
        bare_printf("0x%lx is there: %u", known[i],
                    sbi(SBI_BASE, 3, known[i], 0, 0, 0, 0).value != 0);
    bare_printf("0x1234567 is there: %u", sbi(SBI_BASE, 3, 0x1234567, 0, 0, 0, 0).value != 0);
    bare_printf("a call of an extension that is none: %ld", sbi(0x1234567, 0, 0, 0, 0, 0, 0).error);
}

static void wait_open(void *argument)
{
    (void)argument;
    csr_on(sstatus, SSTATUS_SIE);
    for (;;)
        __asm__ volatile("wfi");
}

/* One interrupt of those that are enabled. */
static void take(const char *what)
{
    struct bare_trap trap;

    bare_try(wait_open, NULL, &trap);
    bare_printf("%s: cause 0x%lx", what, trap.cause);
}

static void timer(void)
{
    u64 due = time_now() + SOON_TICKS;

    csr_put(sie, BIT(IRQ_TIMER));
    bare_printf("a timer: %ld", sbi(SBI_TIME, 0, due, 0, 0, 0, 0).error);
    bare_printf("it waits: %u", (csr_get(sip) & BIT(IRQ_TIMER)) == 0 || time_now() >= due);
    take("it comes");
    bare_printf("not early: %u, still pending: %u", time_now() >= due,
                (csr_get(sip) & BIT(IRQ_TIMER)) != 0);
    bare_printf("never: %ld", sbi(SBI_TIME, 0, ~0UL, 0, 0, 0, 0).error);
    bare_printf("still pending: %u", (csr_get(sip) & BIT(IRQ_TIMER)) != 0);
    bare_printf("in the past: %ld", sbi(SBI_TIME, 0, 0, 0, 0, 0, 0).error);
    take("it comes at once");
    (void)sbi(SBI_TIME, 0, ~0UL, 0, 0, 0, 0);
    bare_printf("function 1: %ld", sbi(SBI_TIME, 1, 0, 0, 0, 0, 0).error);
}

static void interrupts(void)
{
    static const struct call calls[] = {
        {"to nobody", SBI_IPI, 0, {0, 0}},
        {"to a hart that is not there", SBI_IPI, 0, {1, HART_NONE}},
        {"function 1", SBI_IPI, 1, {1, 0}},
    };

    csr_put(sie, BIT(IRQ_SOFT));
    make_calls(calls, ARRAY_SIZE(calls));
    bare_printf("pending: %u", (csr_get(sip) & BIT(IRQ_SOFT)) != 0);
    bare_printf("to itself: %ld", sbi(SBI_IPI, 0, 1, 0, 0, 0, 0).error);
    take("it comes");
    csr_off(sip, BIT(IRQ_SOFT));
    bare_printf("to all: %ld", sbi(SBI_IPI, 0, 0, ~0UL, 0, 0, 0).error);
    take("it comes");
    csr_off(sip, BIT(IRQ_SOFT));
}

static void fences(void)
{
    static const struct call calls[] = {
        {"fence.i", SBI_RFENCE, 0, {1, 0}},
        {"sfence.vma of a page", SBI_RFENCE, 1, {1, 0, 0x1000, 0x1000}},
        {"sfence.vma of all", SBI_RFENCE, 1, {1, 0, 0, ~0UL}},
        {"sfence.vma of all, size 0", SBI_RFENCE, 1, {1, 0, 0, 0}},
        {"sfence.vma with asid", SBI_RFENCE, 2, {1, 0, 0, ~0UL, 7}},
        {"for all harts", SBI_RFENCE, 1, {0, ~0UL, 0, ~0UL}},
        {"for nobody", SBI_RFENCE, 1, {0, 0, 0, ~0UL}},
        {"for a hart that is not there", SBI_RFENCE, 1, {1, HART_NONE, 0, ~0UL}},
        {"function 99", SBI_RFENCE, 99, {1, 0}},
    };

    make_calls(calls, ARRAY_SIZE(calls));
}

static void harts(void)
{
    static const struct call calls[] = {
        {"start itself", SBI_HSM, 0, {0, RAM_BASE + MEGAPAGE_BYTES}},
        {"start none", SBI_HSM, 0, {HART_NONE, RAM_BASE}},
        {"status of none", SBI_HSM, 2, {HART_NONE}},
        {"suspend in a reserved way", SBI_HSM, 3, {RESERVED_SUSPEND}},
        {"function 9", SBI_HSM, 9, {0}},
    };
    struct sbi_result status = sbi(SBI_HSM, 2, 0, 0, 0, 0, 0);

    make_calls(calls, ARRAY_SIZE(calls));
    bare_printf("status: %ld, %lu", status.error, status.value);
    csr_put(sie, BIT(IRQ_TIMER));
    (void)sbi(SBI_TIME, 0, time_now() + SOON_TICKS, 0, 0, 0, 0);
    bare_printf("suspend: %ld", sbi(SBI_HSM, 3, 0, 0, 0, 0, 0).error);
    bare_printf("until the timer: %u", (csr_get(sip) & BIT(IRQ_TIMER)) != 0);
    (void)sbi(SBI_TIME, 0, ~0UL, 0, 0, 0, 0);
}

static void resets(void)
{
    static const struct call calls[] = {
        {"a reserved type", SBI_RESET, 0, {3, 0}},
        {"a reserved reason", SBI_RESET, 0, {0, 2}},
        {"function 1", SBI_RESET, 1, {0, 0}},
    };

    make_calls(calls, ARRAY_SIZE(calls));
}

/* OpenSBI 1.1 has none: what it should answer is checked here. */
static void console(void)
{
    static const char text[] = "own text of the console\n";
    bool there = sbi(SBI_BASE, 3, SBI_CONSOLE, 0, 0, 0, 0).value != 0;
    struct sbi_result wrote = sbi(SBI_CONSOLE, 0, sizeof(text) - 1, (u64)text, 0, 0, 0);

    if (!there) {
        bare_printf("as it should: %u", wrote.error == -2);
        return;
    }
    bare_printf("as it should: %u",
                wrote.error == 0 && wrote.value == sizeof(text) - 1 &&
                    sbi(SBI_CONSOLE, 0, 1, 0, 0, 0, 0).error == -3 &&
                    sbi(SBI_CONSOLE, 0, 1, (u64)text, 1, 0, 0).error == -3 &&
                    sbi(SBI_CONSOLE, 1, 1, bare_memory_end, 0, 0, 0).error == -3 &&
                    sbi(SBI_CONSOLE, 1, 0, RAM_BASE, 0, 0, 0).error == 0 &&
                    sbi(SBI_CONSOLE, 2, '\n', 0, 0, 0, 0).error == 0 &&
                    sbi(SBI_CONSOLE, 3, 0, 0, 0, 0, 0).error == -2);
}

static const struct attack attacks[] = {
    {"base", base},   {"timer", timer},   {"interrupts", interrupts}, {"fences", fences},
    {"harts", harts}, {"resets", resets}, {"console", console},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
