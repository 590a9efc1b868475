/* SPDX-License-Identifier: MIT */
/*
 * Looks for another VM's floating-point registers: whatever it finds in its own must be what it
 * left there. Its pattern comes from its name, so two of them watch each other.
 */
#include "guest.h"

#include "string.h"

enum { FP_REGISTERS = 32, ROUNDS = 200, SPIN_TICKS = 40000 };

static u64 first[FP_REGISTERS], mine[FP_REGISTERS], found[FP_REGISTERS];

static void wait_a_while(u64 round)
{
    u64 until = time_now() + SPIN_TICKS;

    if (round % 2 == 0)
        candor_yield();
    else if (round % 5 == 0)
        candor_yield_idle(until);
    else
        while (time_now() < until)
            ;
}

void guest_main(void)
{
    static const u64 none[FP_REGISTERS];
    u64 wrong = 0;

    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_FS));
    guest_fp_store(first);
    expect_true("a new VM finds no one's numbers", memcmp(first, none, sizeof(none)) == 0);
    for (u64 round = 0; round < ROUNDS; round++) {
        for (u64 i = 0; i < FP_REGISTERS; i++)
            mine[i] = (u64)(u8)start->vm_name[strlen(start->vm_name) - 1] << 56 | round << 8 | i;
        guest_fp_load(mine);
        /* The guest says that it does not use them: Candor must not believe it. */
        __asm__ volatile("csrc sstatus, %0" : : "r"(SSTATUS_FS));
        wait_a_while(round);
        __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_FS));
        guest_fp_store(found);
        wrong += memcmp(mine, found, sizeof(mine)) != 0;
    }
    expect_true("its own registers stay its own", wrong == 0);
}
