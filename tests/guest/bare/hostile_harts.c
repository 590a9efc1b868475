/* SPDX-License-Identifier: MIT */
/*
 * All harts at once, on the same tables: each writes entries, right ones and wild ones, anywhere in
 * any of them, goes from space to space, loads and stores through whatever stands there, fences for
 * itself, for others, or not at all, and calls the firmware with anything. What a load finds is not
 * asked: nothing of it may be anybody else's, which the audit and a neighbour tell.
 */
#include "harts.h"

enum {
    STEPS = 8000,
    ROOTS = 3,
    TABLES = 12,     /* the roots among them */
    TABLE_SAFE = 16, /* words of each that nobody changes: a root's way to the kernel */
    DATA = 12,
    WILD_FRAMES = 1 << 20,
    ADDRESS_BITS = 39,
};

static u64 *tables[TABLES], *data[DATA];
static u64 steps_done;

struct hart_random {
    u64 state;
};

static u64 some(struct hart_random *random, u64 below)
{
    random->state = random->state * 6364136223846793005UL + 1442695040888963407UL;
    return (random->state >> 33) % below;
}

/* A page that no large leaf can be of: its frame is not aligned. */
static u64 *odd_page(void)
{
    u64 *page = page_take();

    while ((u64)page % MEGAPAGE_BYTES == 0)
        page = page_take();
    return page;
}

static u64 any_entry(struct hart_random *random)
{
    u64 rights = some(random, 128) << 1 | PTE_V;

    switch (some(random, 6)) {
    case 0:
        return 0;
    case 1:
        return (bare_memory_end / PAGE_BYTES + some(random, WILD_FRAMES)) << 10 | rights;
    case 2:
        return entry_of(tables[some(random, TABLES)], rights);
    case 3:
        return entry_of(data[some(random, DATA)], PTE_DATA);
    default:
        return entry_of(tables[some(random, TABLES)], PTE_V);
    }
}

/* Behind the way to the kernel's own memory. */
static u64 any_address(struct hart_random *random)
{
    u64 index = TABLE_SAFE + some(random, 8), address = index << 30;

    address |= (TABLE_SAFE + some(random, 8)) << 21 | (TABLE_SAFE + some(random, 8)) << 12;
    address |= (TABLE_SAFE + some(random, TABLE_WORDS - TABLE_SAFE)) * sizeof(u64);
    return (u64)((i64)(address << (64 - ADDRESS_BITS)) >> (64 - ADDRESS_BITS));
}

static void fence(struct hart_random *random, u64 address)
{
    u64 mask = some(random, 2) ? some(random, 1UL << hart_count) : some(random, ~0UL >> 33);

    switch (some(random, 5)) {
    case 0:
        fence_all();
        break;
    case 1:
    case 2:
        fence_page(address);
        break;
    default:
        (void)sbi(SBI_RFENCE, some(random, 4), mask, some(random, 8) ? 0 : some(random, 9), address,
                  PAGE_BYTES, 0);
        break;
    }
}

static void call_anything(struct hart_random *random)
{
    u64 a0 = some(random, 3) ? some(random, hart_count) : some(random, ~0UL >> 33);

    if (some(random, 2))
        (void)sbi(SBI_IPI, some(random, 2), a0, some(random, 9), 0, 0, 0);
    else if (some(random, 2))
        (void)sbi(SBI_HSM, HSM_STATUS, a0, 0, 0, 0, 0);
    else
        (void)sbi(SBI_HSM, HSM_START, a0, some(random, ~0UL >> 33), 0, 0, 0);
}

static void rage(u64 hart)
{
    struct hart_random random = {hart * 977 + 1};

    for (u64 i = 0; i < STEPS / hart_count; i++) {
        u64 address = any_address(&random);

        switch (some(&random, 10)) {
        case 0:
        case 1:
        case 2:
            tables[some(&random, TABLES)][TABLE_SAFE + some(&random, 8)] = any_entry(&random);
            break;
        case 3:
            csr_put(satp, SATP_SV39 | some(&random, 4) << 44 |
                              (u64)tables[some(&random, ROOTS)] / PAGE_BYTES);
            break;
        case 4:
            fence(&random, address);
            break;
        case 5:
            call_anything(&random);
            break;
        case 6:
        case 7:
            (void)try_store(address, any_entry(&random));
            break;
        default:
            (void)try_load(address, NULL);
            break;
        }
        __atomic_fetch_add(&steps_done, 1, __ATOMIC_RELAXED);
    }
    csr_off(sip, BIT(IRQ_SOFT));
    space_leave();
}

static void all_rage(void)
{
    for (u32 i = 0; i < TABLES; i++)
        tables[i] = odd_page();
    for (u32 i = 0; i < DATA; i++)
        data[i] = odd_page();
    for (u32 i = 0; i < ROOTS; i++) {
        const u64 *kernel = space_make();

        for (u32 word = 0; word < TABLE_SAFE; word++)
            tables[i][word] = kernel[word];
    }
    harts_start();
    harts_do(rage);
    bare_printf("%lu steps", steps_done);
    pass("all end");
}

static const struct attack attacks[] = {{"all-rage", all_rage}};

void bare_main(void)
{
    harts_find();
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
