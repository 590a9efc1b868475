/* SPDX-License-Identifier: MIT */
/*
 * The same calls in the same order with the same arguments, right and wild, wherever it runs: two
 * machines, one of them with fastpaths=no, must print the same. Each line sums up all registers
 * after each call, what memory shows in between, the tables and the counts. `SERVED` says how many
 * calls the assembly served.
 */
#include "attacks.h"

enum {
    BASE = 0x400000,
    BLOCKS = 48,
    CALLS = 160, /* a block */
    ROOTS = 3,
    FRAMES = 10, /* of the pool, made and freed at will */
    PAGES = 12,
    REGIONS = 3,
    LAST_PAGES = 8,
    ARRAY_WORDS = 64,
    REGION_BYTES = 0x200000,
    TABLE_WORDS = 512,
    LOW_BITS = 0x3ff,
    ENTRY_SHIFT = 10,
    A0 = 10,
    CALLER_ENTRIES = 9, /* calls from S, as they are counted in struct counters */
};

static struct registers registers;
static u64 roots[ROOTS], frames[FRAMES], pages[PAGES], array, seed = 88172645463325252UL, digest;

static u64 random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static u64 one_of(const u64 *values, u64 count)
{
    return values[random_number() % count];
}

static void digest_add(u64 value)
{
    digest = (digest ^ value) * 0x100000001b3UL;
    digest ^= digest >> 29;
}

static bool one_in(u64 number)
{
    return random_number() % number == 0;
}

static u64 pick_root(void)
{
    return one_in(30) ? random_number() : one_in(8) ? one_of(frames, FRAMES) : one_of(roots, ROOTS);
}

static u64 pick_address(void)
{
    u64 address = BASE + random_number() % REGIONS * REGION_BYTES +
                  random_number() % LAST_PAGES * PAGE_BYTES;

    if (one_in(40))
        address += BIT(random_number() % 64);
    return address;
}

static u64 pick_entry(void)
{
    u64 frame = one_in(12) ? one_of(frames, FRAMES) : one_of(pages, PAGES);
    u64 entry = leaf(frame, random_number() & LOW_BITS);

    if (one_in(5))
        return 0;
    if (one_in(3))
        entry |= PTE_R;
    if (one_in(20))
        entry ^= BIT(random_number() % 64);
    return one_in(60) ? random_number() : entry;
}

static u64 pick_number(void)
{
    static const u64 usual[] = {HC_CALL_PTE_SET, HC_CALL_PTE_SET, HC_CALL_PTE_SET,
                                HC_CALL_SPACE_SWITCH};
    u64 number = random_number();

    return number % 4 != 0
               ? usual[number / 4 % ARRAY_SIZE(usual)]
               : HC_CALL_TABLE_MAKE + number / 4 % (HC_CALL_FLUSH - HC_CALL_TABLE_MAKE + 2);
}

/* Arguments as they are usually meant by that call. */
static void pick_arguments(u64 number, u64 *a)
{
    u64 *words = gpa_to_pointer(array);

    for (u64 i = 0; i < ARRAY_WORDS; i++)
        words[i] = number == HC_CALL_PTE_FILL ? one_of(pages, PAGES)
                   : i % 2 == 0               ? pick_address()
                                              : pick_entry();
    a[0] = pick_root();
    a[1] = pick_address();
    a[2] = pick_entry();
    a[3] = random_number() % LAST_PAGES;
    a[4] = PROT_READ | (random_number() & (PROT_WRITE | PROT_EXECUTE));
    switch (number) {
    case HC_CALL_TABLE_MAKE:
    case HC_CALL_TABLE_FREE:
        a[0] = one_in(10) ? pick_root() : one_of(frames, FRAMES);
        a[1] = random_number() % 4;
        break;
    case HC_CALL_TABLE_LINK:
        a[2] = one_of(frames, FRAMES);
        break;
    case HC_CALL_TABLE_UNLINK:
        a[2] = one_in(4);
        break;
    case HC_CALL_PTE_BATCH:
        a[1] = array;
        a[2] = random_number() % (ARRAY_WORDS / 2);
        break;
    case HC_CALL_PTE_FILL:
        a[2] = array;
        break;
    case HC_CALL_PTE_PROTECT:
        a[2] = a[3];
        a[3] = a[4];
        break;
    case HC_CALL_PTE_CLONE:
        a[4] = array;
        a[2] = a[1];
        a[1] = pick_root();
        break;
    case HC_CALL_PTE_CLEAR:
        a[2] = a[3];
        a[3] = array;
        break;
    default:
        a[2] = number == HC_CALL_PTE_SET ? a[2] : a[3];
        break;
    }
}

static void make_call(void)
{
    u64 number = pick_number();

    for (u64 i = 1; i < 32; i++)
        registers.in[i] = i * 0x0101010101010101UL;
    pick_arguments(number, &registers.in[A0]);
    registers.in[A0 + 6] = number;
    registers.in[A0 + 7] = CANDOR_EXTENSION;
    registers_call(&registers);
    for (u64 i = 1; i < 32; i++) {
        /* What a call gives up is zero or as it was, which is not the same for all that serve it.
         */
        bool given_up = (GIVEN_UP >> i & 1) != 0;

        if (!given_up || (registers.out[i] != 0 && registers.out[i] != registers.in[i]))
            digest_add(registers.out[i]);
    }
}

/* What the space in use shows there: each page holds its own name. */
static void look(void)
{
    u64 address = ALIGN_DOWN(pick_address(), (u64)PAGE_BYTES), value = 0;
    struct guest_trap trap = {0};

    if (address >= BIT(LOWER_HALF_SPAN_SHIFT))
        return;
    if (!try_load(address, &value, &trap)) {
        digest_add(trap.cause);
        return;
    }
    digest_add(value % PAGE_BYTES == 0 ? value : value & LOW_BITS);
    if (value == 0 || value % PAGE_BYTES != 0)
        return; /* a table, whose frame numbers are no other machine's */
    digest_add(try_store(address, value, &trap) ? 1 : trap.cause);
}

static void digest_tables(void)
{
    for (u64 i = 0; i < ROOTS; i++) {
        for (u64 page = 0; page < REGIONS * LAST_PAGES; page++) {
            u64 address = BASE + page / LAST_PAGES * REGION_BYTES + page % LAST_PAGES * PAGE_BYTES;
            struct hc_result r = candor_pte_get(roots[i], address);

            digest_add((u64)r.error);
            digest_add(r.value);
        }
    }
    /* Frame numbers are the machine's and differ. */
    for (u64 i = 0; i < FRAMES; i++) {
        const u64 *table = gpa_to_pointer(frames[i]);

        for (u64 entry = 0; entry < TABLE_WORDS; entry++)
            digest_add(table[entry] & (LOW_BITS | ~0UL << 54));
    }
}

static void digest_counts(bool last)
{
    static struct counters counts __attribute__((aligned(4096)));
    u64 calls = 0;

    must("counters", candor_counters(pointer_to_gpa(&counts)));
    digest_add(counts.flushes);
    for (u64 i = 0; i < HC_CALL_COUNT; i++) {
        /* Of a yield there are as many as the console's room wanted. */
        if (i != HC_CALL_YIELD)
            digest_add(counts.calls[i]);
        calls += counts.calls[i];
    }
    if (last)
        guest_printf("SERVED %ld",
                     (i64)(calls + counts.standard_calls - counts.entries[CALLER_ENTRIES]));
}

void guest_main(void)
{
    for (u64 i = 0; i < ROOTS; i++)
        roots[i] = make_space(BASE, NULL);
    for (u64 i = 0; i < ROOTS; i++)
        must("link", candor_table_link(roots[i], BASE + REGION_BYTES, make_table(0)));
    for (u64 i = 0; i < FRAMES; i++)
        frames[i] = take_pool_frame();
    for (u64 i = 0; i < PAGES; i++) {
        pages[i] = take_page();
        *(volatile u64 *)gpa_to_pointer(pages[i]) = pages[i];
    }
    array = take_page();
    for (u64 block = 0; block < BLOCKS; block++) {
        for (u64 i = 0; i < CALLS; i++) {
            make_call();
            look();
        }
        digest_tables();
        digest_counts(false);
        guest_printf("TWIN %lu %lx", block, digest);
    }
    digest_counts(true);
    pass("all blocks are done");
}
