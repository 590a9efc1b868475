/* SPDX-License-Identifier: MIT */
/*
 * Calls of the standard firmware interface with numbers, pointers, masks and ranges that are none.
 */
#include "bare.h"

enum {
    ROUNDS = 400,
    NOT_SUPPORTED = -2,
    INVALID = -3,
    ALREADY_AVAILABLE = -6,
    HSM_START = 0,
    HSM_STATUS = 2,
    HSM_SUSPEND = 3,
    CONSOLE_WRITE = 0,
    CONSOLE_READ = 1,
};

static void console_with_bad_pointers(void)
{
    static const u64 bases[] = {0, UART_BASE, ~0UL, BIT(55), RAM_BASE - 8, ~0xfffUL};
    u64 wrong = 0;

    if (sbi(SBI_BASE, 3, SBI_CONSOLE, 0, 0, 0, 0).value == 0) {
        pass("there is no such call");
        return;
    }
    for (u32 i = 0; i < ARRAY_SIZE(bases); i++) {
        for (u64 function = CONSOLE_WRITE; function <= CONSOLE_READ; function++) {
            wrong += sbi(SBI_CONSOLE, function, 16, bases[i], 0, 0, 0).error >= 0;
            wrong += sbi(SBI_CONSOLE, function, 16, RAM_BASE, 1, 0, 0).error >= 0;
            wrong += sbi(SBI_CONSOLE, function, ~0UL, bases[i] | 1, 0, 0, 0).error >= 0;
        }
    }
    wrong += sbi(SBI_CONSOLE, CONSOLE_WRITE, 16, bare_memory_end - 8, 0, 0, 0).error >= 0;
    wrong += sbi(SBI_CONSOLE, CONSOLE_READ, 16, bare_memory_end - 8, 0, 0, 0).error >= 0;
    expect_none("a buffer that is not memory is refused", wrong);
}

/* What the firmware reads into may be a table in use, or the code that runs. */
static void console_reads_into_tables(void)
{
    u64 *root = space_make(), wrong = 0;

    space_use(root, 1);
    if (!bare_machine) {
        for (u32 i = 0; i < ROUNDS; i++)
            wrong += sbi(SBI_CONSOLE, CONSOLE_READ, 8, (u64)&root[511], 0, 0, 0).error < 0;
        fence_all();
    }
    wrong += load_cause((u64)root, NULL) != 0;
    expect_none("a table that the console reads into is still one", wrong);
}

static void hart_masks(void)
{
    static const u64 masks[] = {2, 3, BIT(63), ~0UL, 1UL << 32};
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(masks) && !bare_machine; i++) {
        wrong += sbi(SBI_IPI, 0, masks[i], 0, 0, 0, 0).error != INVALID;
        wrong += sbi(SBI_RFENCE, 1, masks[i], 0, 0, ~0UL, 0).error != INVALID;
        wrong += sbi(SBI_IPI, 0, 1, masks[i] & ~BIT(0), 0, 0, 0).error != INVALID &&
                 masks[i] != ~0UL;
    }
    wrong += sbi(SBI_IPI, 0, 0, 0, 0, 0, 0).error != 0;
    csr_put(sip, 0);
    wrong += sbi(SBI_IPI, 0, 1, 0, 0, 0, 0).error != 0 || (csr_get(sip) & BIT(IRQ_SOFT)) == 0;
    csr_put(sip, 0);
    wrong += sbi(SBI_IPI, 0, 0, ~0UL, 0, 0, 0).error != 0 || (csr_get(sip) & BIT(IRQ_SOFT)) == 0;
    csr_put(sip, 0);
    expect_none("a mask of harts names harts that are there", wrong);
}

static void fences_of_all_ranges(void)
{
    u64 *root = space_make(), *page = page_take(), wrong = 0, value;
    u64 *low = map_page(root, GIGAPAGE_BYTES, 0);

    space_use(root, 1);
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 start = random_next() << (i % 50), bytes = i & 1 ? ~0UL : random_next() << (i % 40);

        if (!bare_machine || i < 8)
            wrong += sbi(SBI_RFENCE, 1 + i % 2, 1, 0, start, bytes, i).error != 0;
        page[0] = i;
        *low = i & 1 ? entry_of(page, PTE_DATA) : 0;
        wrong += sbi(SBI_RFENCE, 1, 1, 0, 0, ~0UL, 0).error != 0;
        wrong += load_cause(GIGAPAGE_BYTES, &value) != (i & 1 ? 0 : CAUSE_LOAD_PAGE);
        wrong += sbi(SBI_RFENCE, 0, i & 1, 0, 0, 0, 0).error != 0;
    }
    for (u64 function = 3; function < 16; function++)
        wrong += !bare_machine && sbi(SBI_RFENCE, function, 1, 0, 0, 0, 0).error != NOT_SUPPORTED;
    expect_none("a fence of any range does at least that", wrong);
}

static void harts_started_and_stopped(void)
{
    u64 wrong = 0;

    for (u32 i = 0; i < ROUNDS; i++) {
        wrong += sbi(SBI_HSM, HSM_START, 0, random_next(), 0, 0, 0).error != ALREADY_AVAILABLE;
        wrong += sbi(SBI_HSM, HSM_START, 1 + i, RAM_BASE, 0, 0, 0).error != INVALID;
        wrong += sbi(SBI_HSM, HSM_STATUS, BIT(20) + i, 0, 0, 0, 0).error != INVALID;
        wrong += sbi(SBI_HSM, HSM_STATUS, 0, 0, 0, 0, 0).value != 0;
        wrong += !bare_machine && sbi(SBI_HSM, HSM_SUSPEND, 0x80000000, 0, 0, 0, 0).error >= 0;
        wrong += sbi(SBI_HSM, 7 + i, 0, 0, 0, 0, 0).error != NOT_SUPPORTED;
    }
    wrong += !bare_machine && sbi(SBI_HSM, 1, 0, 0, 0, 0, 0).error >= 0;
    csr_put(sie, BIT(IRQ_TIMER));
    csr_put(stimecmp, time_now() + 100);
    wrong += sbi(SBI_HSM, HSM_SUSPEND, 0, 0, 0, 0, 0).error != 0;
    csr_put(stimecmp, ~0UL);
    csr_put(sie, 0);
    expect_none("the one hart there is starts no other, and does not stop", wrong);
}

static void numbers_that_are_none(void)
{
    u64 wrong = 0;

    for (u32 i = 0; i < ROUNDS; i++) {
        u64 extension = random_next() << 32 | 0x0a000000 | i;

        wrong += sbi(extension, random_next(), random_next(), i, 0, 0, 0).error != NOT_SUPPORTED;
        wrong += !bare_machine && sbi(0x0843414e, i, 0, 0, 0, 0, 0).error >= 0;
    }
    for (u64 type = 3; type < 64 && !bare_machine; type++)
        wrong += sbi(SBI_RESET, 0, type, 0, 0, 0, 0).error >= 0;
    wrong += sbi(SBI_TIME, 1, 0, 0, 0, 0, 0).error != NOT_SUPPORTED;
    wrong += sbi(SBI_TIME, 0, 0, 0, 0, 0, 0).error != 0 || (csr_get(sip) & BIT(IRQ_TIMER)) == 0;
    wrong += sbi(SBI_TIME, 0, ~0UL, 0, 0, 0, 0).error != 0 || (csr_get(sip) & BIT(IRQ_TIMER)) != 0;
    expect_none("a call that is none is not supported", wrong);
}

static const struct attack attacks[] = {
    {"console-with-bad-pointers", console_with_bad_pointers},
    {"console-reads-into-tables", console_reads_into_tables},
    {"hart-masks", hart_masks},
    {"fences-of-all-ranges", fences_of_all_ranges},
    {"harts-started-and-stopped", harts_started_and_stopped},
    {"numbers-that-are-none", numbers_that_are_none},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
