/* SPDX-License-Identifier: MIT */
/*
 * User code: privileged instructions and CSRs trap to the guest's own kernel or end nothing; it
 * cannot touch the direct map, the kernel's pages or make hypercalls.
 */
#include "guest.h"

enum { TEXT = 0x400000, STACK = 0x401000, CODE_WORDS_MAX = 4 };

static u64 code_page;

static void run_user(void *argument)
{
    (void)argument;
    guest_enter_user(TEXT, STACK + PAGE_BYTES);
}

/* Runs up to four instructions as user code and expects this cause. */
static void expect_cause(const char *name, u64 cause, u32 i0, u32 i1, u32 i2)
{
    u32 *code = gpa_to_pointer(code_page);
    struct guest_trap trap;

    code[0] = i0;
    code[1] = i1;
    code[2] = i2;
    code[3] = 0x9002; /* ebreak */
    __asm__ volatile("fence.i");
    if (guest_try(run_user, NULL, &trap) != 1)
        fail(name, "no trap came");
    else if (trap.cause != cause || (trap.status & 0x100) != 0)
        fail(name, "cause %lu value %lx at %lx, status %lx", trap.cause, trap.value, trap.pc,
             trap.status);
    else
        pass(name);
}

void guest_main(void)
{
    enum {
        NOP = 0x13,
        ECALL = 0x73,
        WFI = 0x10500073,
        SRET = 0x10200073,
        MRET = 0x30200073,
        SFENCE = 0x12000073
    };
    u64 root = make_space(TEXT, NULL);

    code_page = take_page();
    must("map text", candor_pte_set(root, TEXT, leaf(code_page, PTE_R | PTE_X | PTE_U)));
    must("map stack", candor_pte_set(root, STACK, leaf(take_page(), PTE_R | PTE_W | PTE_U)));
    must("switch", candor_space_switch(root));
    expect_cause("a breakpoint reaches the kernel", CAUSE_BREAKPOINT, NOP, NOP, NOP);
    expect_cause("a system call reaches the kernel", CAUSE_USER_CALL, ECALL, NOP, NOP);
    expect_cause("csrw satp", CAUSE_ILLEGAL, 0x18001073, NOP, NOP);
    expect_cause("csrr sstatus", CAUSE_ILLEGAL, 0x100022f3, NOP, NOP);
    expect_cause("csrr mstatus", CAUSE_ILLEGAL, 0x300022f3, NOP, NOP);
    expect_cause("sret", CAUSE_ILLEGAL, SRET, NOP, NOP);
    expect_cause("mret", CAUSE_ILLEGAL, MRET, NOP, NOP);
    expect_cause("wfi", CAUSE_ILLEGAL, WFI, NOP, NOP);
    expect_cause("sfence.vma", CAUSE_ILLEGAL, SFENCE, NOP, NOP);
    expect_cause("an undefined instruction", CAUSE_ILLEGAL, 0xffffffff, NOP, NOP);
    /* li t0, -1; slli t0, t0, 38; ld t0, 0(t0): the direct map */
    expect_cause("the direct map is not the user's to read", CAUSE_LOAD_FAULT, 0xfff00293,
                 0x02629293, 0x0002b283);
    /* a7 = the extension's upper bits, then a hypercall: a plain system call for the kernel */
    expect_cause("a hypercall number makes no hypercall", CAUSE_USER_CALL, 0x084348b7, ECALL, NOP);
    expect_cause("a store to its own text", CAUSE_STORE_FAULT, 0x004002b7, 0x0002b023, NOP);
}
