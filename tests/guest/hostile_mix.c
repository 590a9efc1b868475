/* SPDX-License-Identifier: MIT */
/*
 * Calls of every kind, thousands of them, with arguments that are right, nearly right or wrong, in
 * no order: each must come back, and none may keep the hart for long (tests/system/test_stay.py).
 * The two that leave the guest where it cannot go on, trap_register and trap_return, are left out:
 * hostile_traps has them.
 */
#include "guest.h"

enum { CALLS = 12000, FRAMES = 12, WORDS = 512, SEED = 88172645 };

#define PLACE 0x40000000UL

static u64 array[WORDS] __attribute__((aligned(4096)));
static u64 pool[FRAMES], pages[FRAMES];
static u64 roots[3];
static u64 state = SEED;

static u64 draw(u64 limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % limit;
}

static u64 count(void)
{
    static const u64 counts[] = {0, 1, 2, 63, 64, 511, 512, 513, 1UL << 20, ~0UL};

    return counts[draw(sizeof(counts) / sizeof(counts[0]))];
}

static u64 argument(void)
{
    switch (draw(10)) {
    case 0:
    case 1:
    case 2:
        return roots[draw(3)];
    case 3:
        return pool[draw(FRAMES)];
    case 4:
        return pages[draw(FRAMES)];
    case 5:
        return PLACE + draw(1024) * PAGE_BYTES;
    case 6:
        return pointer_to_gpa(array) + draw(2) * draw(64);
    case 7:
        return leaf(pages[draw(FRAMES)], PTE_R | PTE_W | PTE_U);
    case 8:
        return draw(8);
    default:
        return count();
    }
}

/* What such a call usually takes, so that many go all the way. */
static void usual(u64 number, u64 *args)
{
    args[0] = number < HC_CALL_TABLE_LINK ? pool[draw(FRAMES)] : roots[draw(3)];
    if (number >= HC_CALL_TABLE_LINK)
        args[1] = PLACE + draw(600) * PAGE_BYTES;
    if (number == HC_CALL_PTE_CLONE) {
        args[1] = roots[draw(3)];
        args[2] = PLACE;
        args[3] = count();
        args[4] = pointer_to_gpa(array);
    }
    if (number == HC_CALL_TABLE_MAKE)
        args[1] = draw(3);
}

static bool left_out(u64 number)
{
    return number == HC_CALL_TRAP_REGISTER || number == HC_CALL_TRAP_RETURN;
}

void guest_main(void)
{
    u64 errors = 0;

    for (u32 i = 0; i < FRAMES; i++) {
        pool[i] = take_pool_frame();
        pages[i] = take_page();
    }
    for (u32 i = 0; i < 3; i++)
        roots[i] = make_space(PLACE, NULL);
    for (u32 i = 0; i < CALLS; i++) {
        u64 number = draw(HC_CALL_COUNT + 1), args[6];

        for (u32 j = 0; j < 6; j++)
            args[j] = argument();
        if (left_out(number))
            continue;
        if (draw(2) == 0)
            usual(number, args);
        if (number == HC_CALL_YIELD_IDLE || number == HC_CALL_TIMER_SET)
            args[0] = time_now() + draw(1000);
        for (u32 j = 0; j < WORDS && i % 16 == 0; j++)
            array[j] = draw(4) != 0 ? pages[draw(FRAMES)] : argument();
        errors += candor_call(number, args).error != HC_OK;
    }
    expect_true("some calls worked and some did not", errors > 0 && errors < CALLS);
}
