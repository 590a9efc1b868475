/* SPDX-License-Identifier: MIT */
/*
 * The innocent neighbour: computes sums over memory that it maps, keeps numbers in floating-point
 * registers, and says `beat` for each round that came out right. It never ends by itself.
 */
#include "guest.h"

#include "string.h"

enum {
    PAGES = 32,
    WORDS = PAGE_BYTES / 8,
    BASE = 0x10000000,
    FP_REGISTERS = 32,
    ROUND_MS = 100,
    MS_A_SECOND = 1000,
};

static u64 mix(u64 x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdUL;
    return x ^ x >> 29;
}

static bool round_is_right(u64 round)
{
    u64 registers[FP_REGISTERS], back[FP_REGISTERS];
    volatile u64 *words = (volatile u64 *)BASE;
    u64 until = time_now() + start->timebase_hz * ROUND_MS / MS_A_SECOND;

    for (u64 i = 0; i < FP_REGISTERS; i++)
        registers[i] = mix(round * FP_REGISTERS + i);
    guest_fp_load(registers);
    do {
        for (u64 i = 0; i < PAGES * WORDS; i++)
            words[i] = mix(i + round);
        for (u64 i = 0; i < PAGES * WORDS; i++) {
            if (words[i] != mix(i + round))
                return false;
        }
    } while (time_now() < until);
    guest_fp_store(back);
    return memcmp(registers, back, sizeof(back)) == 0;
}

void guest_main(void)
{
    u64 root = make_space(BASE, NULL);

    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_FS));
    for (u64 i = 0; i < PAGES; i++)
        must("map", candor_pte_set(root, BASE + i * PAGE_BYTES, leaf(take_page(), PTE_R | PTE_W)));
    must("switch", candor_space_switch(root));
    for (u64 round = 0;; round++) {
        if (round_is_right(round))
            guest_printf("beat %lu", round);
        else
            fail("beat", "round %lu came out wrong", round);
    }
}
