/* SPDX-License-Identifier: MIT */
/*
 * Several harts, as the SBI specification has them (2.0; HSM, sPI, RFENCE) and the privileged one:
 * what starts, stops and suspends them, whom interrupts reach, what a remote fence promises, and
 * what a hart's own fence does while others change the same table.
 */
#include "harts.h"

#include "string.h"

enum {
    NOBODY = 77,
    ROUNDS = 60,
    OWN_ROUNDS = 500,
    OWN_PAGES = 4,
    MARK = 0x1000,
    SOON_TICKS = 20000,
};
#define PLACE 0x40000000UL

static u64 wrong;
static u64 *root, *table, *pages[OWN_PAGES];
static volatile u64 seen[HARTS_MAX], go_on;

static i64 call(u64 extension, u64 function, u64 a0, u64 a1, u64 a2)
{
    return sbi(extension, function, a0, a1, a2, 0, 0).error;
}

static void count(bool bad)
{
    if (bad)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

static void verdict(const char *name)
{
    expect_none(name, wrong);
    wrong = 0;
}

/* ---- who runs ---- */

static void look_around(u64 hart)
{
    seen[hart] = csr_get(satp) == 0 && (csr_get(sstatus) & SSTATUS_SIE) == 0;
}

static void states(void)
{
    u64 outside = bare_machine ? 0 : bare_memory_end;

    bare_printf("own %u harts", hart_count);
    for (u64 i = 1; i < hart_count; i++)
        count(hart_status(i) != HSM_STOPPED);
    count(hart_status(0) != HSM_STARTED);
    verdict("one hart begins, the others are stopped");
    count(hart_start(0) != SBI_ERROR_AVAILABLE);
    count(call(SBI_HSM, HSM_START, NOBODY, (u64)hart_entry, 0) != SBI_ERROR_PARAM);
    count(call(SBI_HSM, HSM_START, ~0UL, (u64)hart_entry, 0) != SBI_ERROR_PARAM);
    count(call(SBI_HSM, HSM_START, 1UL << 32, (u64)hart_entry, 0) != SBI_ERROR_PARAM &&
          !bare_machine); /* OpenSBI 1.1 takes 32 bits */
    count(call(SBI_HSM, HSM_STATUS, hart_count, 0, 0) != SBI_ERROR_PARAM);
    count(call(SBI_HSM, HSM_STATUS, ~0UL, 0, 0) != SBI_ERROR_PARAM);
    if (hart_count > 1) /* in no memory; OpenSBI asks where its own is */
        count(!bare_machine && call(SBI_HSM, HSM_START, 1, outside, 0) != SBI_ERROR_ADDRESS);
    verdict("who is none, or runs, or would begin nowhere, does not start");
    harts_start();
    harts_do(look_around);
    for (u64 i = 1; i < hart_count; i++) {
        count(seen[i] != 1 || hart_status(i) != HSM_STARTED);
        count(hart_start(i) != SBI_ERROR_AVAILABLE);
    }
    verdict("the others start once, without translation or interrupts");
}

static void stop(u64 hart)
{
    if (hart == 0)
        return;
    seen[hart] = 2;
    (void)sbi(SBI_HSM, HSM_STOP, 0, 0, 0, 0, 0);
    count(true); /* it came back */
}

static void stops(void)
{
    for (u32 round = 0; round < 10; round++) {
        for (u64 i = 1; i < hart_count; i++)
            hart_do(i, stop);
        for (u64 i = 1; i < hart_count; i++) {
            while (hart_status(i) != HSM_STOPPED)
                ;
            count(call(SBI_IPI, SBI_SEND, 1, i, 0) != 0 && !bare_machine);
            count(call(SBI_RFENCE, RFENCE_SPACE, 1, i, 0) != 0 && !bare_machine);
            hart_do(i, NULL);
        }
        harts_start();
        harts_do(look_around);
        for (u64 i = 1; i < hart_count; i++)
            count(seen[i] != 1);
    }
    if (!bare_machine)
        count(call(SBI_HSM, HSM_STOP, 0, 0, 0) != SBI_ERROR_FAILED);
    verdict("who stops is stopped, and starts again as new");
}

static void wait_soft(u64 hart)
{
    csr_off(sip, BIT(IRQ_SOFT));
    csr_put(sie, BIT(IRQ_SOFT));
    seen[hart] = 3;
    while ((csr_get(sip) & BIT(IRQ_SOFT)) == 0)
        __asm__ volatile("wfi");
    csr_off(sip, BIT(IRQ_SOFT));
    csr_put(sie, 0);
    seen[hart] = 4;
}

static void suspend_soft(u64 hart)
{
    csr_off(sip, BIT(IRQ_SOFT));
    csr_put(sie, BIT(IRQ_SOFT));
    seen[hart] = 3;
    while ((csr_get(sip) & BIT(IRQ_SOFT)) == 0)
        (void)sbi(SBI_HSM, HSM_SUSPEND, 0, 0, 0, 0, 0);
    csr_off(sip, BIT(IRQ_SOFT));
    csr_put(sie, 0);
    seen[hart] = 4;
}

static void interrupts(void)
{
    for (u64 i = 1; i < hart_count; i++) {
        for (u32 round = 0; round < ROUNDS; round++) {
            hart_do(i, round % 2 != 0 ? wait_soft : suspend_soft);
            while (seen[i] != 3)
                ;
            while (round == 0 && hart_status(i) != HSM_SUSPENDED)
                ;
            count(call(SBI_IPI, SBI_SEND, 1, i, 0) != 0);
            hart_wait(i);
            count(seen[i] != 4);
        }
    }
    verdict("an interrupt ends a wait and a suspension");
    for (u64 i = 1; i < hart_count; i++) {
        seen[i] = 0;
        hart_do(i, wait_soft);
        while (seen[i] != 3)
            ;
    }
    count(call(SBI_IPI, SBI_SEND, 1, hart_count, 0) != SBI_ERROR_PARAM);
    count(call(SBI_IPI, SBI_SEND, 2, hart_count - 1, 0) != SBI_ERROR_PARAM && !bare_machine);
    count(call(SBI_IPI, SBI_SEND, 1, NOBODY, 0) != SBI_ERROR_PARAM);
    count(call(SBI_IPI, SBI_SEND, 0, 0, 0) != 0);
    for (u64 i = 1; i < hart_count && !bare_machine; i++)
        count(seen[i] != 3);
    verdict("a mask that names one that is not there reaches nobody");
    count(call(SBI_IPI, SBI_SEND, 0, ~0UL, 0) != 0);
    for (u64 i = 1; i < hart_count; i++)
        hart_wait(i);
    csr_off(sip, BIT(IRQ_SOFT));
    verdict("an interrupt for all reaches all");
}

/* Each its own time, all at once. */
static void wait_timer(u64 hart)
{
    u64 due = time_now() + SOON_TICKS * (1 + hart);

    csr_put(sie, BIT(IRQ_TIMER));
    (void)sbi(SBI_TIME, 0, due, 0, 0, 0, 0);
    while ((csr_get(sip) & BIT(IRQ_TIMER)) == 0)
        __asm__ volatile("wfi");
    count(time_now() < due);
    (void)sbi(SBI_TIME, 0, ~0UL, 0, 0, 0, 0);
    count((csr_get(sip) & BIT(IRQ_TIMER)) != 0);
    csr_put(sie, 0);
}

static void timers(void)
{
    for (u32 round = 0; round < 10; round++)
        harts_do(wait_timer);
    verdict("each has its timer");
}

/* ---- translations ---- */

static void space_prepare(void)
{
    root = space_make();
    for (u32 i = 0; i < OWN_PAGES; i++) {
        pages[i] = page_take();
        pages[i][0] = MARK + i;
    }
    table = (u64 *)ALIGN_DOWN((u64)map_page(root, PLACE, 0), (u64)PAGE_BYTES);
}

static void enter_space(u64 hart)
{
    (void)hart;
    space_use(root, 1);
}

static void leave_space(u64 hart)
{
    (void)hart;
    space_leave();
}

/* Reads until told otherwise; what it reads after go_on has changed must be as new as that. */
static void read_along(u64 hart)
{
    u64 before, value;

    do {
        before = go_on;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        value = *(volatile u64 *)PLACE;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        count(go_on == before && before != ~0UL && value != MARK + before % OWN_PAGES &&
              value != MARK + (before + 1) % OWN_PAGES);
        seen[hart]++;
    } while (go_on != ~0UL);
}

static void remote_fences(void)
{
    go_on = 0;
    table[0] = entry_of(pages[0], PTE_DATA);
    harts_do(enter_space);
    for (u64 i = 1; i < hart_count; i++)
        hart_do(i, read_along);
    for (u64 round = 1; round <= ROUNDS; round++) {
        u64 asid = round % 2;

        __atomic_store_n(&table[0], entry_of(pages[round % OWN_PAGES], PTE_DATA), __ATOMIC_SEQ_CST);
        count(
            sbi(SBI_RFENCE, asid ? RFENCE_SPACE_ASID : RFENCE_SPACE, 0, ~0UL, PLACE, PAGE_BYTES, 1)
                .error != 0);
        __atomic_store_n(&go_on, round, __ATOMIC_SEQ_CST);
        count(*(volatile u64 *)PLACE != MARK + round % OWN_PAGES);
    }
    count(call(SBI_RFENCE, RFENCE_CODE, 0, ~0UL, 0) != 0);
    count(call(SBI_RFENCE, RFENCE_SPACE, 1, hart_count, 0) != SBI_ERROR_PARAM);
    __atomic_store_n(&go_on, ~0UL, __ATOMIC_SEQ_CST);
    for (u64 i = 1; i < hart_count; i++)
        hart_wait(i);
    harts_do(leave_space);
    verdict("nothing older than a remote fence is seen after it");
}

/* A right that is taken away: whoever writes along has stopped when the fence is over. */
static void write_along(u64 hart)
{
    u64 value = 0;

    while (try_store(PLACE + 8 * hart, ++value) == 0)
        seen[hart] = value;
}

static void rights(void)
{
    harts_do(enter_space);
    for (u32 round = 0; round < 10; round++) {
        u64 last[HARTS_MAX];

        for (u64 i = 1; i < hart_count; i++)
            seen[i] = 0;
        table[0] = entry_of(pages[0], PTE_DATA);
        count(sbi(SBI_RFENCE, RFENCE_SPACE, 0, ~0UL, PLACE, PAGE_BYTES, 0).error != 0);
        for (u64 i = 1; i < hart_count; i++)
            hart_do(i, write_along);
        for (u64 i = 1; i < hart_count; i++)
            while (seen[i] == 0)
                ;
        __atomic_store_n(&table[0], entry_of(pages[0], PTE_DATA & ~(u64)PTE_W), __ATOMIC_SEQ_CST);
        count(sbi(SBI_RFENCE, RFENCE_SPACE, 0, ~0UL, PLACE, PAGE_BYTES, 0).error != 0);
        memcpy(last, pages[0], sizeof(last));
        for (u64 i = 1; i < hart_count; i++)
            hart_wait(i);
        count(memcmp(last, pages[0], sizeof(last)) != 0);
    }
    pages[0][0] = MARK;
    harts_do(leave_space);
    verdict("nobody writes after a fence has taken the right away");
}

/* All change the same table, each a place of its own, and fence for themselves alone. */
static void change_own(u64 hart)
{
    u64 place = 1 + hart * 8;

    for (u64 i = 0; i < OWN_ROUNDS; i++) {
        u64 page = (hart + i * 7 / 2) % OWN_PAGES, at = place + i % 8, value = 0;

        table[at] = entry_of(pages[page], PTE_DATA);
        if (i % 3 == 0)
            fence_all();
        else
            fence_page(PLACE + at * PAGE_BYTES);
        count(try_load(PLACE + at * PAGE_BYTES, &value) != 0 || value != MARK + page);
        if (i % 5 == 0) {
            table[at] = 0;
            fence_page(PLACE + at * PAGE_BYTES);
            count(try_load(PLACE + at * PAGE_BYTES, NULL) != CAUSE_LOAD_PAGE);
        }
    }
}

static void own_fences(void)
{
    harts_do(enter_space);
    harts_do(change_own);
    harts_do(leave_space);
    verdict("each sees its own changes after its own fence");
}

static const struct attack parts[] = {
    {"states", states},
    {"stops", stops},
    {"interrupts", interrupts},
    {"timers", timers},
    {"remote-fences", remote_fences},
    {"rights", rights},
    {"own-fences", own_fences},
};

void bare_main(void)
{
    harts_find();
    space_prepare();
    attacks_make(parts, ARRAY_SIZE(parts));
}
