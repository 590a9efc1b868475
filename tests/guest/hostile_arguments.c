/* SPDX-License-Identifier: MIT */
/*
 * Every hypercall, and numbers that are none, with wild arguments: each answers with an error of
 * the ABI or does something that a guest may do; the guest's own memory outside what it offered is
 * as before.
 */
#include "guest.h"

#include "string.h"

enum {
    ROUNDS = 18000,
    WATCHED_PAGES = 4,
    WORDS = PAGE_BYTES / 8,
    VALUES = 32,
    NUMBERS_BEYOND = 4,
    ARGUMENTS = 6,
    DEADLINE_MAX = 10,
    YIELD_ONE_IN = 32,
};

static u64 values[VALUES];
static u64 seed = 20240229;

static u64 random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static u64 wild_argument(void)
{
    u64 r = random_number();

    switch (r >> 8 & 7) {
    case 0:
        return random_number();
    case 1:
        return values[r % VALUES] + (random_number() & 0xfff);
    case 2:
        return values[r % VALUES] - 1;
    case 3:
        return r & 0x3ff;
    default:
        return values[r % VALUES];
    }
}

static void choose_values(u64 root, u64 pages)
{
    u64 end = start->memory_base_gpa + start->memory_bytes;
    u64 frame = take_page();
    u64 chosen[VALUES] = {
        0,
        1,
        2,
        8,
        PAGE_BYTES,
        UINT64_MAX,
        1UL << 63,
        1UL << 38,
        (1UL << 38) - PAGE_BYTES,
        1UL << 39,
        start->pool_base_gpa,
        start->pool_base_gpa + PAGE_BYTES,
        start->pool_base_gpa + start->pool_bytes - PAGE_BYTES,
        end,
        end - PAGE_BYTES,
        end - 8,
        root,
        pages,
        root,
        pages,
        frame,
        frame + 8,
        leaf(frame, PTE_R),
        leaf(frame, PTE_R | PTE_W | PTE_U),
        leaf(start->pool_base_gpa, PTE_R | PTE_W),
        leaf(0x10000000, PTE_R | PTE_W),
        leaf(end, PTE_R),
        start->direct_map_gva,
        start->direct_map_gva + frame,
        0x400000,
        0x401000,
        0x100000,
    };

    memcpy(values, chosen, sizeof(values));
}

/* Calls that would end or stop this guest by right are left out: they have tests of their own. */
static bool may_call(u64 number, u64 args[ARGUMENTS])
{
    switch (number) {
    case HC_CALL_TRAP_REGISTER:
    case HC_CALL_SHARED_PAGE:
        return (args[0] & 3) != 0 || args[0] < start->memory_base_gpa;
    case HC_CALL_YIELD:
    case HC_CALL_YIELD_IDLE:
        /* Each costs a neighbour's slice. */
        args[0] = time_now() + args[0] % DEADLINE_MAX;
        return random_number() % YIELD_ONE_IN == 0;
    default:
        return true;
    }
}

/* Calls may write to arrays: those lie in data that wild values can name, which is not watched. */
static bool array_is_safe(u64 number, const u64 args[ARGUMENTS], u64 low, u64 high)
{
    u64 array = number == HC_CALL_PTE_CLONE   ? args[4]
                : number == HC_CALL_PTE_CLEAR ? args[3]
                : number == HC_CALL_COUNTERS  ? args[0]
                                              : 0;

    return array < low || array >= high;
}

void guest_main(void)
{
    u64 watched = take_page(), pages;
    u64 root = make_space(0x400000, &pages);
    u64 low = start->image_base_gpa, high, unknown = 0;
    u64 *words = gpa_to_pointer(watched);

    for (u64 i = 1; i < WATCHED_PAGES; i++)
        (void)take_page();
    choose_values(root, pages);
    high = take_page();
    for (u64 i = 0; i < WATCHED_PAGES * WORDS; i++)
        words[i] = i * 3;
    for (u64 round = 0; round < ROUNDS; round++) {
        u64 args[ARGUMENTS], number = random_number() % (HC_CALL_COUNT + NUMBERS_BEYOND);

        for (u64 i = 0; i < ARGUMENTS; i++)
            args[i] = wild_argument();
        if (number >= HC_CALL_COUNT)
            number = random_number();
        if (!may_call(number, args) || !array_is_safe(number, args, low, high))
            continue;
        struct hc_result r = candor_call(number, args);
        if (number >= HC_CALL_COUNT && r.error != HC_NOT_SUPPORTED)
            fail("unknown numbers", "%lx answers %ld", number, r.error);
        unknown += r.error > HC_OK || r.error < HC_NO_SPACE ||
                   (r.error < HC_INVALID_ADDRESS && r.error > HC_NOT_POOL);
    }
    expect_true("every answer is an error of the ABI", unknown == 0);
    u64 wrong = 0;
    for (u64 i = 0; i < WATCHED_PAGES * WORDS; i++)
        wrong += words[i] != i * 3;
    expect_true("memory that was not offered is as before", wrong == 0);
    for (u64 extension = 0; extension < 3; extension++) {
        for (u64 i = 0; i < 200; i++)
            (void)sbi_call(extension == 0 ? SBI_BASE : random_number(), random_number() & 15,
                           wild_argument(), wild_argument(), wild_argument());
    }
    pass("wild firmware calls come back");
}
