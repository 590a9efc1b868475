/* SPDX-License-Identifier: MIT */
/*
 * Modes and registers: what a user can do to its kernel, through whatever was accessed before;
 * every control register by every kind of access and value; returns and trap vectors of all sorts;
 * what is no instruction.
 */
#include "bare.h"

enum {
    PLACE = 0x40000000,
    CSRS = 4096,
    ROUNDS = 300,
    WORDS = 3000,
    CSRRW = 0x00051573, /* a0 in, a0 out */
    CSRRS = 0x00052573,
    CSRRC = 0x00053573,
    CSRR = 0x00002573,
    CSRRWI_31 = 0x000fd573,
    CSRRSI_31 = 0x000fe573,
    CSRRCI_31 = 0x000ff573,
    CSR_SATP = 0x180,
    SATP_SHIFT = 44,
};

/* ---- users and their kernel ---- */

/* What a user gets from a kernel's page is a fault, whatever the kernel has just done with it. */
static u64 user_wrong(u64 page)
{
    u64 wrong = user_load_cause(page, NULL) != CAUSE_LOAD_PAGE;

    wrong += user_store_cause(page, 1) != CAUSE_STORE_PAGE;
    return wrong + (user_fetch_cause(page) != CAUSE_FETCH_PAGE);
}

static void user_against_its_kernel(void)
{
    u64 *root = space_make(), *page = page_take(), wrong = 0;

    user_code_map(root);
    map_page(root, PLACE, entry_of(page, PTE_ALL));
    space_use(root, 1);
    for (u32 i = 0; i < ROUNDS; i++) {
        csr_off(sstatus, SSTATUS_SUM | SSTATUS_MXR);
        csr_on(sstatus, (i & 1 ? SSTATUS_SUM : 0) | (i & 2 ? SSTATUS_MXR : 0));
        if (i & 4)
            wrong += load_cause(PLACE, NULL) != 0;
        if (i & 8)
            wrong += store_cause(PLACE, 0x8067) != 0; /* ret */
        if (i & 16)
            wrong += fetch_cause(PLACE) != 0;
        wrong += user_wrong(PLACE) + user_wrong((u64)page);
        wrong += user_load_cause(UART_BASE, NULL) != CAUSE_LOAD_PAGE;
    }
    expect_none("a user reaches no page of its kernel, whoever was there before", wrong);
}

static void opened_and_closed(void)
{
    u64 *root = space_make(), *page = page_take(), *low, wrong = 0;

    user_code_map(root);
    low = map_page(root, PLACE, 0);
    space_use(root, 1);
    page[0] = 0x8067;
    for (u32 i = 0; i < ROUNDS; i++) {
        *low = entry_of(page, PTE_ALL | PTE_U);
        fence_page(PLACE);
        wrong += user_load_cause(PLACE, NULL) != 0 || user_store_cause(PLACE, 0x8067) != 0;
        wrong += load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE;
        csr_on(sstatus, SSTATUS_SUM);
        /* In this order: once QEMU has stored it fetches too. */
        wrong += fetch_cause(PLACE) != CAUSE_FETCH_PAGE || store_cause(PLACE, 0x8067) != 0;
        csr_off(sstatus, SSTATUS_SUM);
        *low = entry_of(page, PTE_ALL);
        if (i & 1)
            fence_page(PLACE);
        else
            fence_all();
        wrong += user_wrong(PLACE);
        wrong += load_cause(PLACE, NULL) != 0 || fetch_cause(PLACE) != 0;
    }
    expect_none("a page opened to users and closed again is closed", wrong);
}

static void stale_in_the_other_view(void)
{
    u64 *roots[2] = {space_make(), space_make()}, *page = page_take(), *low, wrong = 0;

    for (u32 i = 0; i < 2; i++)
        user_code_map(roots[i]);
    low = map_page(roots[0], PLACE, entry_of(page, PTE_DATA | PTE_U));
    map_page(roots[1], PLACE, 0);
    ((u64 *)(roots[1][1] >> 10 << PAGE_SHIFT))[0] = ((u64 *)(roots[0][1] >> 10 << PAGE_SHIFT))[0];
    for (u32 i = 0; i < ROUNDS; i++) {
        *low = entry_of(page, PTE_DATA | PTE_U);
        space_use(roots[0], 1);
        wrong += user_load_cause(PLACE, NULL) != 0;
        csr_put(satp, SATP_SV39 | 2UL << SATP_SHIFT | (u64)roots[1] >> PAGE_SHIFT);
        fence_all();
        csr_on(sstatus, SSTATUS_SUM);
        wrong += store_cause(PLACE, i) != 0;
        *low = entry_of(page, PTE_DATA); /* seen in three views of two spaces */
        fence_all();
        csr_off(sstatus, SSTATUS_SUM);
        wrong += user_wrong(PLACE);
        csr_put(satp, SATP_SV39 | 1UL << SATP_SHIFT | (u64)roots[0] >> PAGE_SHIFT);
        wrong += user_load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE;
    }
    expect_none("a page closed in one space is closed in the other's views too", wrong);
}

/* SUM and MXR are true for the next instruction, without a fence. */
static void rights_of_the_moment(void)
{
    u64 *root = space_make(), *page = page_take(), wrong = 0;

    user_code_map(root);
    map_page(root, PLACE, entry_of(page, PTE_DATA | PTE_U));
    map_page(root, PLACE + PAGE_BYTES, entry_of(page, PTE_V | PTE_X | PTE_A));
    map_page(root, PLACE + 2 * PAGE_BYTES, entry_of(page, PTE_V | PTE_X | PTE_U | PTE_A));
    space_use(root, 1);
    for (u32 i = 0; i < ROUNDS; i++) {
        bool sum = random_next() & 1, mxr = random_next() & 1;

        csr_off(sstatus, SSTATUS_SUM | SSTATUS_MXR);
        csr_on(sstatus, (sum ? SSTATUS_SUM : 0) | (mxr ? SSTATUS_MXR : 0));
        wrong += load_cause(PLACE, NULL) != (sum ? 0 : CAUSE_LOAD_PAGE);
        wrong += store_cause(PLACE, i) != (sum ? 0 : CAUSE_STORE_PAGE);
        wrong += load_cause(PLACE + PAGE_BYTES, NULL) != (mxr ? 0 : CAUSE_LOAD_PAGE);
        wrong += load_cause(PLACE + 2 * PAGE_BYTES, NULL) != (sum && mxr ? 0 : CAUSE_LOAD_PAGE);
        wrong += user_load_cause(PLACE + 2 * PAGE_BYTES, NULL) != (mxr ? 0 : CAUSE_LOAD_PAGE);
        wrong += user_load_cause(PLACE, NULL) != 0;
    }
    expect_none("SUM and MXR hold from the next instruction on", wrong);
}

/* ---- returns and vectors ---- */

static void returns_of_all_sorts(void)
{
    static const u64 places[] = {0, 2, 0x300000, BIT(38), BIT(39), BIT(63), ~1UL, PLACE};
    static const u64 states[] = {0, SSTATUS_SPP, SSTATUS_SPIE, SSTATUS_SPP | SSTATUS_SPIE};
    u64 *root = space_make(), wrong = 0;

    space_use(root, 1);
    for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
        for (u32 j = 0; j < ARRAY_SIZE(states); j++) {
            u64 cause = return_cause(places[i], states[j]);

            wrong += cause != CAUSE_FETCH_PAGE && cause != CAUSE_FETCH_ACCESS;
            wrong += last_trap.pc != places[i] || last_trap.value != places[i];
            wrong += (last_trap.status & SSTATUS_SPP) != (states[j] & SSTATUS_SPP);
            wrong += (last_trap.status & SSTATUS_SPIE) != (states[j] & SSTATUS_SPIE);
            wrong += (csr_get(sstatus) & SSTATUS_SIE) != 0;
        }
    }
    csr_put(sepc, ~0UL);
    wrong += csr_get(sepc) < ~3UL; /* QEMU keeps bit 0 */
    expect_none("a return anywhere faults there, in the mode and state it asked for", wrong);
}

static void vectors_of_all_sorts(void)
{
    u64 entry = (u64)bare_trap_entry, wrong = 0;

    for (u64 mode = 0; mode < 4 && !bare_machine; mode++) { /* OpenSBI hands no trap to such */
        csr_put(stvec, entry);
        csr_put(stvec, entry | mode);
        wrong += (csr_get(stvec) & 3) > 1 || csr_get(stvec) >> 2 != entry >> 2;
        wrong += load_cause(0x300000, NULL) != CAUSE_LOAD_ACCESS;
        wrong += execute_cause(0, 0) != CAUSE_ILLEGAL;
    }
    csr_put(stvec, entry);
    expect_none("a vector of a mode that is not there is not taken", wrong);
}

/* ---- what is no instruction ---- */

static const u32 none[] = {
    0x00000000, 0xffffffff, 0x30200073, 0x7b200073, 0x22000073, 0x62000073, 0x16000073, 0x18000073,
    0x6800c2f3, 0x6a50c073, 0x0d0072d7, 0x02028007, 0x0000000b, 0x0000002b, 0x0000005b, 0x0000007b,
    0x00004073, 0xf0000073, 0x12100273, 0x10200173, 0x10500173, 0x0000001f, 0x0000003f, 0x0000007f,
    0x30059073, 0x34059073, 0x3a059073, 0x3b059073, 0xb0059073, 0x7a059073, 0xf1402573, 0x30002573,
};

static void illegal_for_the_kernel(void)
{
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(none); i++) {
        u64 seen;

        wrong += execute_cause(none[i], 0) != CAUSE_ILLEGAL;
        seen = last_trap.value;
        wrong += seen != 0 && seen != none[i] && seen != (none[i] & 0xffff);
    }
    expect_none("what is no instruction is an illegal one, with its word", wrong);
}

/* Words of privileged, atomic, fence and custom opcodes, each followed by a call. */
static void rubbish_by_users(void)
{
    static const u32 opcodes[] = {0x73, 0x0f, 0x0b, 0x2b, 0x5b, 0x7b, 0x1b, 0x3b, 0x57, 0x77};
    u64 *root = space_make(), *page = page_take(), wrong = 0;
    volatile u32 *words = (volatile u32 *)page;

    map_page(root, PLACE, entry_of(page, PTE_V | PTE_R | PTE_X | PTE_U | PTE_A));
    space_use(root, 1);
    for (u32 i = 0; i < WORDS; i++) {
        u64 cause;

        words[0] = ((u32)random_next() & ~0x7fU) | opcodes[i % ARRAY_SIZE(opcodes)];
        words[1] = 0x73; /* ecall */
        __asm__ volatile("fence.i");
        cause = return_cause(PLACE, 0);
        wrong += cause != CAUSE_USER_CALL && cause != CAUSE_ILLEGAL && cause != CAUSE_BREAKPOINT;
        wrong += (last_trap.status & SSTATUS_SPP) != 0;
    }
    expect_none("rubbish of a user's is its kernel's trap, or nothing", wrong);
}

/* ---- control registers ---- */

static bool kernel_has(u32 csr)
{
    return (csr >= 1 && csr <= 3) || csr == 0x100 || (csr >= 0x104 && csr <= 0x106) ||
           csr == 0x10a || (csr >= 0x140 && csr <= 0x144) || csr == 0x14d || csr == CSR_SATP ||
           csr == 0xc01;
}

/* Whether cycle and instret are open is the firmware's choice; event counters are its too. */
static bool may_have(u32 csr)
{
    return kernel_has(csr) || (csr >= 0xc00 && csr < 0xc20);
}

static void registers_again(void)
{
    csr_put(satp, 0);
    csr_put(stvec, (u64)bare_trap_entry);
    csr_put(sie, 0);
    csr_put(sip, 0);
    csr_put(stimecmp, ~0UL);
    csr_put(scounteren, ~0UL);
    csr_put(senvcfg, 0);
    csr_off(sstatus, SSTATUS_SIE | SSTATUS_SUM | SSTATUS_MXR);
    csr_on(sstatus, SSTATUS_FS);
}

static void every_csr_every_way(void)
{
    static const u32 forms[] = {CSRR, CSRRW, CSRRS, CSRRC, CSRRWI_31, CSRRSI_31, CSRRCI_31};
    static const u64 values[] = {0, ~0UL, 0x5555555555555555, SATP_SV39 | 0xfffff,
                                 9UL << 60 | RAM_BASE >> PAGE_SHIFT};
    u64 wrong = 0;

    for (u32 csr = 0; csr < CSRS && !bare_machine; csr++) { /* QEMU's has others */
        bool stops = csr == CSR_SATP; /* what translates may not be there the next moment */

        for (u32 form = 0; form < ARRAY_SIZE(forms) && !(stops && form > 0); form++) {
            for (u32 value = 0; value < ARRAY_SIZE(values); value++) {
                u64 cause = execute_cause(csr << 20 | forms[form], values[value]);

                registers_again();
                if (!may_have(csr))
                    wrong += cause != CAUSE_ILLEGAL;
                else if (kernel_has(csr) && (form == 0 || csr < 0xc00))
                    wrong += cause != 0 && (cause & CAUSE_INTERRUPT) == 0;
                if (form == 0 || form > 3 || cause == CAUSE_ILLEGAL)
                    break;
            }
        }
    }
    expect_none("of 4096 control registers a kernel has its own", wrong);
    for (u64 mode = 1; mode < 16 && !bare_machine; mode++) {
        u64 value = mode << 60 | RAM_BASE >> PAGE_SHIFT;

        if (mode == 8)
            continue;
        (void)execute_cause(CSR_SATP << 20 | CSRRW, value);
        wrong += csr_get(satp) != 0;
        csr_put(satp, 0);
    }
    expect_none("modes of translation that are not there are not taken", wrong);
}

static void every_csr_by_users(void)
{
    u64 *root = space_make(), *page = page_take(), wrong = 0;
    volatile u32 *words = (volatile u32 *)page;

    map_page(root, PLACE, entry_of(page, PTE_V | PTE_R | PTE_X | PTE_U | PTE_A));
    space_use(root, 1);
    csr_put(scounteren, 2);
    for (u32 csr = 0; csr < CSRS && !bare_machine; csr++) {
        for (u32 form = 0; form < 2; form++) {
            u64 cause;
            bool has = (csr >= 1 && csr <= 3) || (csr == 0xc01 && form == 0);

            words[0] = csr << 20 | (form == 0 ? CSRR : CSRRW);
            words[1] = 0x73;
            __asm__ volatile("fence.i");
            cause = return_cause(PLACE, 0);
            wrong += cause != (has ? CAUSE_USER_CALL : CAUSE_ILLEGAL);
        }
    }
    csr_put(scounteren, 0);
    words[0] = 0xc01U << 20 | CSRR;
    __asm__ volatile("fence.i");
    wrong += return_cause(PLACE, 0) != CAUSE_ILLEGAL;
    csr_put(scounteren, ~0UL);
    expect_none("of 4096 control registers users have the time and their rounding mode", wrong);
}

static const struct attack attacks[] = {
    {"user-against-its-kernel", user_against_its_kernel},
    {"opened-and-closed", opened_and_closed},
    {"stale-in-the-other-view", stale_in_the_other_view},
    {"rights-of-the-moment", rights_of_the_moment},
    {"returns-of-all-sorts", returns_of_all_sorts},
    {"vectors-of-all-sorts", vectors_of_all_sorts},
    {"illegal-for-the-kernel", illegal_for_the_kernel},
    {"rubbish-by-users", rubbish_by_users},
    {"every-csr-every-way", every_csr_every_way},
    {"every-csr-by-users", every_csr_by_users},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
