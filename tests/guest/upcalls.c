/* SPDX-License-Identifier: MIT */
/*
 * A trap looks the same to the guest's kernel whether the hardware hands it over or Candor does:
 * where it came from, what it was, and the state of interrupts before it. Which of the two it is
 * stays with each machine, whoever ran meanwhile.
 */
#include "guest.h"

enum {
    SECONDS = 1,
    STATUS_SIE = 1 << 1,
    STATUS_SPIE = 1 << 5,
    STATUS_SPP = 1 << 8,
    TEXT = 0x400000,
    BREAKPOINT_INSTRUCTION = 0x00100073,
};

/* Interrupts as the code that traps has them; none is enabled in sie, so none comes. */
static void break_in_kernel(void *argument)
{
    if (argument != NULL)
        __asm__ volatile("csrs sstatus, %0" : : "r"((u64)STATUS_SIE));
    else
        __asm__ volatile("csrc sstatus, %0" : : "r"((u64)STATUS_SIE));
    __asm__ volatile(".option push\n .option norvc\n ebreak\n .option pop");
}

static void break_in_user(void *argument)
{
    __asm__ volatile("csrc sstatus, %0" : : "r"((u64)STATUS_SPIE));
    if (argument != NULL)
        __asm__ volatile("csrs sstatus, %0" : : "r"((u64)STATUS_SPIE)); /* sret moves it to SIE */
    guest_enter_user(TEXT, 0);
}

static void check(const char *name, void (*function)(void *), bool interrupts, u64 from)
{
    struct guest_trap trap;
    u64 expected = from | (interrupts ? STATUS_SPIE : 0);

    __asm__ volatile("csrw sie, zero");
    if (guest_try(function, interrupts ? (void *)1 : NULL, &trap) != 1 ||
        trap.cause != CAUSE_BREAKPOINT ||
        (trap.status & (STATUS_SIE | STATUS_SPIE | STATUS_SPP)) != expected ||
        (from == 0 && trap.pc != TEXT))
        fail(name, "cause %lu, pc %lx, status %lx", trap.cause, trap.pc, trap.status);
    else
        pass(name);
}

static u64 upcalls(void)
{
    static struct counters counters;

    must("counters", candor_counters(pointer_to_gpa(&counters)));
    return counters.upcalls;
}

static void check_delegation(void)
{
    u64 end = time_now() + SECONDS * start->timebase_hz;
    u64 each = start->flags & START_FLAG_TRAPS_BOUNCED ? 1 : 0;
    struct guest_trap trap;

    while (time_now() < end) {
        u64 before;

        candor_yield();
        before = upcalls();
        if (guest_try(break_in_kernel, NULL, &trap) != 1 || upcalls() - before != each) {
            fail("delegation is one's own", "%lu upcalls came", upcalls() - before);
            return;
        }
    }
    pass("delegation is one's own");
}

void guest_main(void)
{
    u64 root = make_space(TEXT, NULL), code = take_page();

    *(u32 *)gpa_to_pointer(code) = BREAKPOINT_INSTRUCTION;
    __asm__ volatile("fence.i");
    must("map", candor_pte_set(root, TEXT, leaf(code, PTE_R | PTE_X | PTE_U)));
    must("switch", candor_space_switch(root));
    check("a kernel with interrupts", break_in_kernel, true, STATUS_SPP);
    check("a kernel without interrupts", break_in_kernel, false, STATUS_SPP);
    check("a user with interrupts", break_in_user, true, 0);
    check("a user without interrupts", break_in_user, false, 0);
    check_delegation();
}
