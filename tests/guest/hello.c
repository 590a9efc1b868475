/* SPDX-License-Identifier: MIT */
/*
 * The smallest guest: says hello, checks what it was told, powers off.
 */
#include "guest.h"

#include "string.h"

void guest_main(void)
{
    u64 on_stack = 0;

    guest_printf("hello from %s, args '%s', %lu MiB at %lx", start->vm_name, start->args,
                 start->memory_bytes >> 20, start->memory_base_gpa);
    expect_true("abi version in start_info", start->abi_version == CANDOR_ABI_VERSION);
    expect_true("abi version by call", must("version", candor_version()) == CANDOR_ABI_VERSION);
    expect_true("stack in the direct map",
                pointer_to_gpa(&on_stack) - start->memory_base_gpa < start->memory_bytes);
    expect_true("pool as asked for",
                start->pool_base_gpa == 0x80000000 && start->pool_bytes == 0x200000);
}
