/* SPDX-License-Identifier: MIT */
/*
 * Waits for an interrupt with all of them off, though its timer is due: on hardware that is for
 * ever. If it ever goes on, it says so.
 */
#include "bare.h"

enum { A_WHILE = 1000 };

void bare_main(void)
{
    csr_put(sie, 0);
    (void)sbi(SBI_TIME, 0, 0, 0, 0, 0, 0);
    bare_printf("sleeps");
    for (u32 i = 0; i < A_WHILE; i++)
        __asm__ volatile("wfi");
    bare_printf("woke");
}
