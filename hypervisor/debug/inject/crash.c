/* SPDX-License-Identifier: MIT */
/*
 * Faults of Candor's own, on demand: the monitor's `crash KIND [HART]`, by which the tests try what
 * a fault shows (docs/faults.md). Only the debug build links this folder.
 *
 * On another hart the fault happens in that hart's timer interrupt, whatever runs there. The alarm
 * that brings it there is the hart's own (core/sched.h), set from outside; the machine ends with
 * it.
 */
#include "arch/arch.h"
#include "core/hart.h"
#include "core/machine.h"
#include "debug/monitor_commands.h"
#include "debug/panic.h"
#include "string.h"

enum {
    NOWHERE = 8, /* an address of nothing */
    STACK_EATEN_BYTES = 512,
};

static u32 crash_expected, crash_arrived; /* harts that crash at once */
static void (*crash_now)(void);

static void crash_panic(void)
{
    panic("a panic that was asked for");
}

static void crash_assert(void)
{
    ASSERT(hart_count == 0);
}

static void crash_load(void)
{
    u64 *volatile nowhere = (u64 *)NOWHERE;

    READ_ONCE(*nowhere);
}

static void crash_store(void)
{
    *(volatile u64 *)crash_load = 0;
}

static void crash_fetch(void)
{
    void (*volatile nowhere)(void) = (void (*)(void))NOWHERE;

    nowhere();
}

static void crash_misaligned(void)
{
    static u32 words[2];
    u32 *volatile between = (u32 *)((u8 *)words + 1);

    __atomic_fetch_add(between, 1, __ATOMIC_SEQ_CST);
}

static void crash_illegal(void)
{
    __asm__ volatile(".4byte 0");
}

static u32 eat_stack(u32 depth)
{
    volatile u8 eaten[STACK_EATEN_BYTES];

    eaten[0] = (u8)depth;
    return depth == 0 ? eaten[0] : eat_stack(depth + 1) + eaten[0];
}

static void crash_stack(void)
{
    eat_stack(1);
}

static void crash_order(void)
{
    static struct lock low = LOCK_INIT(LOCK_QUEUE, "of a low level"),
                       high = LOCK_INIT(LOCK_FRAME, "of a high level");

    lock_acquire(&high);
    lock_acquire(&low);
}

static void crash_twice(void)
{
    static struct lock lock = LOCK_INIT(LOCK_QUEUE, "that is taken twice");

    lock_acquire(&lock);
    lock_acquire(&lock);
}

/* The holder is a hart that never runs. */
static void crash_stuck(void)
{
    static struct lock lock = {1, LOCK_QUEUE, "that is never released", HARTS_MAX};

    lock_acquire(&lock);
}

/* The report's part about the guest faults, too. */
static void crash_double(void)
{
    arch_hart()->loaded = (struct vcpu *)NOWHERE;
    panic("a panic whose report faults");
}

static const struct {
    const char *name;
    void (*crash)(void);
} kinds[] = {
    {"panic", crash_panic},     {"assert", crash_assert}, {"load", crash_load},
    {"store", crash_store},     {"fetch", crash_fetch},   {"misaligned", crash_misaligned},
    {"illegal", crash_illegal}, {"stack", crash_stack},   {"order", crash_order},
    {"twice", crash_twice},     {"stuck", crash_stuck},   {"double", crash_double},
};

/* All that shall crash at once wait for each other, a second at most. */
static void crash_here(void)
{
    u64 since = arch_time_now();

    __atomic_add_fetch(&crash_arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&crash_arrived, __ATOMIC_SEQ_CST) < crash_expected &&
           arch_time_now() - since < machine.timebase_hz)
        ;
    crash_now();
}

static void crash_there(struct hart *hart)
{
    lock_acquire(&hart->queue_lock);
    hart->alarm_ring = crash_here;
    hart->alarm = 0;
    lock_release(&hart->queue_lock);
    hart_send(hart, HART_MAIL_RESCHEDULE);
}

/* Where to, by the word behind the kind: this hart without one, `all`, or a number. */
static enum monitor_step crash_where(struct monitor_job *job, const char *word)
{
    struct hart *self = arch_hart();
    u32 number = 0;

    crash_expected = 1;
    if (*word == '\0')
        crash_here();
    if (strcmp(word, "all") == 0) {
        crash_expected = hart_count;
        for (u32 i = 0; i < hart_count; i++) {
            if (&harts[i] != self)
                crash_there(&harts[i]);
        }
        crash_here();
    }
    for (; *word >= '0' && *word <= '9' && number < HARTS_MAX; word++)
        number = number * BASE_TEN + (u32)(*word - '0');
    if (*word != '\0' || number >= hart_count || !hart_is_online(&harts[number]))
        return monitor_fail(job, "there is no such hart");
    if (&harts[number] == self)
        crash_here();
    crash_there(&harts[number]);
    return STEP_DONE;
}

static enum monitor_step crash_step(struct monitor_job *job)
{
    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t length = strlen(kinds[i].name);
        const char *rest = job->argument + length;

        if (strncmp(job->argument, kinds[i].name, length) != 0 || (*rest != '\0' && *rest != ' '))
            continue;
        while (*rest == ' ')
            rest++;
        crash_now = kinds[i].crash;
        return crash_where(job, rest);
    }
    return monitor_fail(job, "give a kind of fault (docs/faults.md), and a hart or all");
}

const struct monitor_command monitor_more_commands[] = {
    {"crash", "KIND [HART]", "a fault of Candor's own, on this hart, that one, or all", crash_step},
};
const u32 monitor_more_count = ARRAY_SIZE(monitor_more_commands);
