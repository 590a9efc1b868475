/* SPDX-License-Identifier: MIT */
/* The start of the kernel, and what it learned of the machine. */
#pragma once

#include "platform.h"

/* Set before anything that could ask for it runs. */
extern const struct plat_info *kernel_plat_info;

/* Called by the platform's entry, on the first CPU's stack (kernel_boot_stack, THREAD_STACK_SIZE
   bytes aligned to their size), with the arguments of the boot. Never returns. */
NORETURN void kernel_main(u64 boot_a0, u64 boot_a1);
