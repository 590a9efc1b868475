/* SPDX-License-Identifier: MIT */
/*
 * Writing satp with a root of the guest's own making, in its data. It ends the VM, and nothing
 * else.
 */
#include "guest.h"

enum { SATP_SV39_SHIFT = 60, PAGE_SHIFT = 12 };

void guest_main(void)
{
    u64 root = take_page();

    guest_expect_end("satp is written");
    __asm__ volatile("csrw satp, %0" : : "r"(8UL << SATP_SV39_SHIFT | root >> PAGE_SHIFT));
    fail("an unvalidated root", "satp could be written");
}
