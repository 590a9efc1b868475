/* SPDX-License-Identifier: MIT */
/*
 * Its own mappings changed while it goes from hart to hart: several of these run at once, sleep,
 * give way and are stolen. After each turn an address shows what was mapped last, in data and in
 * code.
 */
#include "attacks.h"

enum {
    BASE = 0x400000,
    CODE = 0x410000,
    PAGES = 8,
    ROUNDS = 600,
    SPIN_TICKS = 20000,
    LOAD_A0 = 0x4501,
    RETURN = 0x8082
};

static u64 root, frames[PAGES], code[2];

static void pass_time(u64 round)
{
    u64 until = time_now() + SPIN_TICKS;

    if (round % 3 == 0)
        candor_yield_idle(until);
    else if (round % 3 == 1)
        candor_yield();
    else
        while (time_now() < until)
            ;
}

static void change_pages(u64 round)
{
    u64 frame = frames[round % PAGES];

    *(volatile u64 *)gpa_to_pointer(frame) = round;
    must("map", candor_pte_set(root, BASE, leaf(frame, PTE_R | PTE_W)));
    must("map code", candor_pte_set(root, CODE, leaf(code[round % 2], PTE_R | PTE_X)));
}

static void mappings_while_moving(void)
{
    struct guest_trap trap;
    u64 wrong = 0, value;

    for (u64 round = 0; round < ROUNDS; round++) {
        change_pages(round);
        pass_time(round);
        wrong += !try_load(BASE, &value, &trap) || value != round;
        wrong += ((u64(*)(void))CODE)() != round % 2;
        must("clear", candor_pte_set(root, BASE, 0));
        pass_time(round + 1);
        wrong += try_load(BASE, &value, &trap);
    }
    expect_true("an address shows what was mapped last", wrong == 0);
}

static void code_while_moving(void)
{
    volatile u16 *words = gpa_to_pointer(code[0]);
    u64 wrong = 0;

    must("map code", candor_pte_set(root, CODE, leaf(code[0], PTE_R | PTE_X)));
    for (u64 round = 0; round < ROUNDS; round++) {
        words[0] = (u16)(LOAD_A0 + (round % 16 << 2));
        __asm__ volatile("fence.i");
        pass_time(round);
        wrong += ((u64(*)(void))CODE)() != round % 16;
    }
    expect_true("code that was rewritten before a move runs as it is", wrong == 0);
}

static const struct attack attacks[] = {
    {"mappings-while-moving", mappings_while_moving},
    {"code-while-moving", code_while_moving},
};

void guest_main(void)
{
    root = make_space(BASE, NULL);
    for (u64 i = 0; i < PAGES; i++)
        frames[i] = take_page();
    for (u64 i = 0; i < ARRAY_SIZE(code); i++) {
        volatile u16 *words;

        code[i] = take_page();
        words = gpa_to_pointer(code[i]);
        words[0] = (u16)(LOAD_A0 + (i << 2));
        words[1] = RETURN;
    }
    __asm__ volatile("fence.i");
    must("switch", candor_space_switch(root));
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
