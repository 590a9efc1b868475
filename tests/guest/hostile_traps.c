/* SPDX-License-Identifier: MIT */
/*
 * Trap registration and trap returns with wrong arguments, and a return to where nothing is.
 */
#include "guest.h"

enum {
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_KERNEL_CALL = 9,
    NOWHERE = 0x7000,
};

static struct hc_result trap_return(void)
{
    const u64 none[6] = {0};

    return candor_call(HC_CALL_TRAP_RETURN, none);
}

static void return_to_user(void *argument)
{
    (void)argument;
    __asm__ volatile("csrw sepc, %0" : : "r"((u64)NOWHERE));
    __asm__ volatile("csrc sstatus, %0" : : "r"((u64)SSTATUS_SPP));
    (void)trap_return();
}

static void return_to_kernel(void *argument)
{
    (void)argument;
    __asm__ volatile("csrw sepc, %0" : : "r"((u64)NOWHERE));
    __asm__ volatile("csrs sstatus, %0" : : "r"((u64)SSTATUS_SPP));
    (void)trap_return();
}

void guest_main(void)
{
    u64 entry = (u64)guest_trap_entry, page = take_page();
    struct shared_page *shared = gpa_to_pointer(page);
    struct guest_trap trap;

    expect_error("a misaligned trap entry", candor_trap_register(entry + 2, 0), HC_INVALID_ADDRESS);
    expect_error("a trap entry in the lower half", candor_trap_register(0x400000, 0),
                 HC_INVALID_ADDRESS);
    expect_error("a trap entry outside the direct map", candor_trap_register(~3UL, 0),
                 HC_INVALID_ADDRESS);
    expect_error(
        "a trap entry behind the memory",
        candor_trap_register((u64)gpa_to_pointer(start->memory_base_gpa) + start->memory_bytes, 0),
        HC_INVALID_ADDRESS);
    expect_error("illegal instructions stay with Candor", candor_trap_register(entry, BIT(2)),
                 HC_INVALID_PARAM);
    expect_error("so do the kernel's own calls",
                 candor_trap_register(entry, BIT(CAUSE_KERNEL_CALL)), HC_INVALID_PARAM);
    expect_error("so do access faults",
                 candor_trap_register(entry, BIT(CAUSE_LOAD_ACCESS) | BIT(CAUSE_FETCH_ACCESS)),
                 HC_INVALID_PARAM);
    expect_error("and causes that are none", candor_trap_register(entry, BIT(63)),
                 HC_INVALID_PARAM);
    expect_error("no trap return without a shared page", trap_return(), HC_DENIED);
    must("shared page", candor_shared_page(page));
    shared->pending = UINT64_MAX;
    shared->time_version = UINT64_MAX;
    shared->reserved[100] = UINT64_MAX;
    expect_true("a return to user code that is not there traps there",
                guest_try(return_to_user, NULL, &trap) == 1 && trap.cause == CAUSE_FETCH_FAULT &&
                    trap.pc == NOWHERE && (trap.status & SSTATUS_SPP) == 0);
    expect_true("a return to kernel code that is not there traps there",
                guest_try(return_to_kernel, NULL, &trap) == 1 && trap.cause == CAUSE_FETCH_FAULT &&
                    trap.pc == NOWHERE && (trap.status & SSTATUS_SPP) != 0);
    must("yield", candor_yield());
    must("idle", candor_yield_idle(time_now() + 1000));
    pass("a shared page full of nonsense disturbs nobody");
}
