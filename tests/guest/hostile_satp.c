/* SPDX-License-Identifier: MIT */
/*
 * Writing satp: Bare would show machine memory to the guest. It ends the VM, and nothing else.
 */
#include "guest.h"

void guest_main(void)
{
    guest_expect_end("satp is written");
    __asm__ volatile("csrw satp, zero");
    fail("Bare", "satp could be written");
}
