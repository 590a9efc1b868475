/* SPDX-License-Identifier: MIT */
/*
 * Every control register by number, read and written from user code, with everything open that the
 * kernel can open; and instructions that user code has no right to. Its kernel gets each as an
 * illegal instruction, and the time alone is read.
 */
#include "attacks.h"

enum {
    TEXT = 0x400000,
    CSRS = 4096,
    CSRRW = 1,
    CSRRS = 2,
    CSRRC = 3,
    CSR_SHIFT = 20,
    RS1_SHIFT = 15,
    FUNCTION_SHIFT = 12,
    RD_SHIFT = 7,
    SYSTEM = 0x73,
    T0 = 5,
    EBREAK = 0x100073,
    CSR_FFLAGS = 1,
    CSR_FCSR = 3,
    CSR_TIME = 0xc01,
};

static u32 *code;

static void run_user(void *argument)
{
    (void)argument;
    guest_enter_user(TEXT, 0);
}

/* What became of one instruction of user code: its trap's cause; a breakpoint if it was executed.
 */
static u64 cause_of(u32 instruction)
{
    struct guest_trap trap = {0};

    code[0] = instruction;
    code[1] = EBREAK;
    __asm__ volatile("fence.i");
    (void)guest_try(run_user, NULL, &trap);
    return trap.pc == TEXT || trap.cause == CAUSE_BREAKPOINT ? trap.cause : ~0UL;
}

static u32 csr_instruction(u32 csr, u32 function, u32 source)
{
    return csr << CSR_SHIFT | source << RS1_SHIFT | function << FUNCTION_SHIFT | T0 << RD_SHIFT |
           SYSTEM;
}

static bool may_read(u32 csr)
{
    return (csr >= CSR_FFLAGS && csr <= CSR_FCSR) || csr == CSR_TIME;
}

static void sweep(u32 function, u32 source)
{
    bool writes = function == CSRRW || source != 0;
    u64 wrong = 0;

    for (u32 csr = 0; csr < CSRS; csr++) {
        u64 expected = may_read(csr) && (!writes || csr != CSR_TIME) ? CAUSE_BREAKPOINT
                                                                     : CAUSE_ILLEGAL;
        u64 cause = cause_of(csr_instruction(csr, function, source));

        if (cause != expected && wrong++ < 4)
            fail("a control register", "%x: cause %lu", csr, cause);
    }
    if (wrong == 0)
        pass("of 4096 registers user code has the time and the rounding mode");
}

static void every_register_read_by_users(void)
{
    sweep(CSRRS, 0);
}

static void every_register_written_by_users(void)
{
    sweep(CSRRW, T0);
    sweep(CSRRC, T0);
}

static void system_instructions_of_users(void)
{
    /* sret, mret, wfi, sfence.vma, sinval.vma, sfence.w.inval, hfence.vvma, hfence.gvma, hlv.w,
     * hsv.w, dret, uret */
    const u32 instructions[] = {
        0x10200073, 0x30200073, 0x10500073, 0x12000073, 0x16000073, 0x18000073,
        0x22000073, 0x62000073, 0x680040f3, 0x6a504073, 0x7b200073, 0x00200073,
    };
    u64 wrong = 0;

    for (u64 i = 0; i < ARRAY_SIZE(instructions); i++)
        wrong += cause_of(instructions[i]) != CAUSE_ILLEGAL;
    expect_true("each is illegal", wrong == 0);
}

static void opcodes_of_users(void)
{
    /* None of these numbers is an instruction: all zeros, all ones, vectors, the custom spaces. */
    const u32 instructions[] = {
        0,          0xffffffff, 0x57,       0x02057007, 0x0000000b,
        0x0000002b, 0x0000005b, 0x0000007b, 0x8000,     0x73 | 4 << FUNCTION_SHIFT,
        0x0000707f};
    u64 wrong = 0;

    for (u64 i = 0; i < ARRAY_SIZE(instructions); i++)
        wrong += cause_of(instructions[i]) != CAUSE_ILLEGAL;
    expect_true("each is illegal", wrong == 0);
}

static const struct attack attacks[] = {
    {"every-register-read-by-users", every_register_read_by_users},
    {"every-register-written-by-users", every_register_written_by_users},
    {"system-instructions-of-users", system_instructions_of_users},
    {"opcodes-of-users", opcodes_of_users},
};

void guest_main(void)
{
    u64 root = make_space(TEXT, NULL), page = take_page();

    code = gpa_to_pointer(page);
    must("map text", candor_pte_set(root, TEXT, leaf(page, PTE_R | PTE_X | PTE_U)));
    must("switch", candor_space_switch(root));
    csr_put(scounteren, UINT64_MAX);
    csr_put(senvcfg, UINT64_MAX);
    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_FS | SSTATUS_SUM | SSTATUS_MXR));
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
