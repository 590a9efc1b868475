/* SPDX-License-Identifier: MIT */
/*
 * Shared page and console buffers aimed at the pool, at nothing, across edges: none is written or
 * read.
 */
#include "guest.h"

void guest_main(void)
{
    u64 end = start->memory_base_gpa + start->memory_bytes;
    u64 table = make_table(0), page = take_page();
    struct guest_trap trap;
    u64 value;

    expect_error("a shared page in the pool", candor_shared_page(start->pool_base_gpa + PAGE_BYTES),
                 HC_IS_POOL);
    expect_error("a shared page on a table", candor_shared_page(table), HC_IS_POOL);
    expect_error("a shared page outside the memory", candor_shared_page(end), HC_INVALID_ADDRESS);
    expect_error("a shared page on a device", candor_shared_page(0x10000000), HC_INVALID_ADDRESS);
    expect_error("a misaligned shared page", candor_shared_page(page + 8), HC_INVALID_ADDRESS);
    expect_error("a good shared page", candor_shared_page(page), HC_OK);
    expect_error("but only one", candor_shared_page(take_page()), HC_EXISTS);

    expect_error("console read into a table", sbi_call(SBI_DEBUG_CONSOLE, DBCN_READ, 8, table, 0),
                 HC_INVALID_PARAM);
    expect_error("console read into the pool",
                 sbi_call(SBI_DEBUG_CONSOLE, DBCN_READ, PAGE_BYTES, start->pool_base_gpa, 0),
                 HC_INVALID_PARAM);
    expect_error(
        "console read across the pool's end",
        sbi_call(SBI_DEBUG_CONSOLE, DBCN_READ, 16, start->pool_base_gpa + start->pool_bytes - 8, 0),
        HC_INVALID_PARAM);
    expect_error("console read past the memory",
                 sbi_call(SBI_DEBUG_CONSOLE, DBCN_READ, 16, end - 8, 0), HC_INVALID_PARAM);
    expect_error("console write from outside",
                 sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, 8, 0x10000000, 0), HC_INVALID_PARAM);
    expect_error("console write past the memory",
                 sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, 16, end - 8, 0), HC_INVALID_PARAM);
    expect_error("console write that wraps",
                 sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, UINT64_MAX, page, 0), HC_INVALID_PARAM);
    expect_error("console write with a high address word",
                 sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, 8, page, 1), HC_INVALID_PARAM);
    expect_true("the table is still empty",
                try_load((u64)gpa_to_pointer(table), &value, &trap) && value == 0);
}
