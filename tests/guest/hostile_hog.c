/* SPDX-License-Identifier: MIT */
/*
 * Never gives the hart back by itself: interrupts masked, no call, for ever. It is its right; it
 * gets its share and no more.
 */
#include "guest.h"

void guest_main(void)
{
    guest_printf("hogging");
    __asm__ volatile("csrc sstatus, %0" : : "r"(SSTATUS_SIE));
    for (;;)
        __asm__ volatile("");
}
