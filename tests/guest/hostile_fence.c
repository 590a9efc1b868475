/* SPDX-License-Identifier: MIT */
/*
 * sfence.vma is Candor's: a guest that executes it is ended, and nothing else.
 */
#include "guest.h"

void guest_main(void)
{
    guest_expect_end("sfence.vma is executed");
    __asm__ volatile("sfence.vma");
    fail("sfence.vma", "it could be executed");
}
