/* SPDX-License-Identifier: MIT */
/*
 * Control and status registers: what programs do to them, and the declared masks.
 *
 * Everything that a program reads is compared. A mask says which bits it never makes one by a
 * write, because the architecture (privileged specification 1.12; what may be written is WARL or
 * WLRL there) leaves to each machine whether they can be, or because QEMU keeps what has to be
 * zero.
 */
#include "program.h"

enum csr {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_STVEC = 0x105,
    CSR_SCOUNTEREN = 0x106,
    CSR_SENVCFG = 0x10a,
    CSR_SSCRATCH = 0x140,
    CSR_SEPC = 0x141,
    CSR_SCAUSE = 0x142,
    CSR_STVAL = 0x143,
    CSR_SIP = 0x144,
    CSR_STIMECMP = 0x14d,
    CSR_SATP = 0x180,
    CSR_CYCLE = 0xc00,
    CSR_TIME = 0xc01,
    CSR_INSTRET = 0xc02,
    CSR_NUMBERS = 1 << 12,
};

struct declared {
    u16 csr;
    u64 written;
    const char *section;
    const char *why;
};

#define ALL (~0UL)
#define WHOLE "all bits are written and compared"

static const struct declared masks[] = {
    {CSR_FFLAGS, ALL, "11.2", WHOLE},
    {CSR_FRM, ALL, "11.2", WHOLE},
    {CSR_FCSR, ALL, "11.2", WHOLE},
    {CSR_SSTATUS, ~(3UL << 32 | 3UL << 9), "4.1.1",
     "UXL: QEMU has 32-bit users, the virtual machine has not; VS: QEMU keeps it without vectors"},
    {CSR_SIE, ALL, "4.1.3", WHOLE},
    {CSR_SCOUNTEREN, 7, "4.1.5", "counters beyond cycle, time, instret: QEMU keeps the bits"},
    {CSR_SENVCFG, 1, "4.1.10", "CBIE, CBCFE, CBZE: QEMU keeps them without the extension too"},
    {CSR_SSCRATCH, ALL, "4.1.6", WHOLE},
    {CSR_SEPC, ~1UL, "4.1.7", "bit 0 is zero always, but QEMU keeps it"},
    {CSR_SCAUSE, ALL, "4.1.8", WHOLE},
    {CSR_STVAL, ALL, "4.1.9", WHOLE},
    {CSR_SIP, ALL, "4.1.3", WHOLE},
};

/* Numbers that are not accessed at all: from, to. */
static const struct {
    u16 from, to;
    const char *why;
} optional[] = {
    {0xc03, 0xc1f, "hpmcounter3 to 31: 2.2, QEMU has some, the virtual machine none"},
    {0x015, 0x015, "seed: of an extension (Zkr) that 1.12 does not have"},
    {0x10c, 0x10f, "sstateen: of an extension (Smstateen)"},
};

static u64 masked(struct program *program, const struct declared *mask)
{
    return pick_value(program) & mask->written;
}

static enum csr_form pick_form(struct program *program)
{
    static const u8 forms[] = {CSR_RW, CSR_RS, CSR_RC, CSR_RWI, CSR_RSI, CSR_RCI};

    return (enum csr_form)forms[random_below(&program->random, ARRAY_SIZE(forms))];
}

static bool form_immediate(enum csr_form form)
{
    return form >= CSR_RWI;
}

/* One instruction of any form; an operand of zero bits now and then, or none at all (x0). */
static void csr_any(struct program *program, const struct declared *mask)
{
    enum { IMMEDIATE_MASK = 31 };
    enum csr_form form = pick_form(program);
    u32 rd = pick_register(program), source = REGISTER_VALUE;
    u64 value = masked(program, mask);

    if (form_immediate(form))
        source = (u32)value & IMMEDIATE_MASK;
    else if (random_percent(&program->random, 15))
        source = 0;
    else
        code_constant(&program->code, source, value);
    code_csr(&program->code, form, rd, mask->csr, source);
}

static void make_csr(struct program *program)
{
    const struct declared *mask = &masks[random_below(&program->random, ARRAY_SIZE(masks))];

    csr_any(program, mask);
    if (random_percent(&program->random, 40))
        csr_any(program, mask);
    code_csr(&program->code, CSR_RS, pick_register(program), mask->csr, 0);
}

static void make_sstatus(struct program *program)
{
    csr_any(program, &masks[3]);
    csr_any(program, &masks[3]);
}

/* SUM and MXR as they matter to the accesses that come after. */
static void make_rights(struct program *program)
{
    enum { SUM_MXR = 3 << 18 };
    struct random *random = &program->random;

    code_constant(&program->code, REGISTER_VALUE, random_bits(random) & SUM_MXR);
    code_csr(&program->code, random_percent(random, 50) ? CSR_RS : CSR_RC, 0, CSR_SSTATUS,
             REGISTER_VALUE);
}

static bool csr_optional(u32 number)
{
    for (u32 i = 0; i < ARRAY_SIZE(optional); i++)
        if (number >= optional[i].from && number <= optional[i].to)
            return true;
    return false;
}

static bool csr_exists(u32 number)
{
    for (u32 i = 0; i < ARRAY_SIZE(masks); i++)
        if (masks[i].csr == number)
            return true;
    return number == CSR_STVEC || number == CSR_STIMECMP || number == CSR_SATP ||
           (number >= CSR_CYCLE && number <= CSR_INSTRET);
}

static void make_csr_illegal(struct program *program)
{
    struct random *random = &program->random;
    u32 number;

    do {
        number = random_below(random, CSR_NUMBERS);
        if (random_percent(random, 40)) /* near those that there are */
            number = (number & 0x3f) | (random_percent(random, 50) ? CSR_SSTATUS : CSR_SSCRATCH);
    } while (csr_optional(number) || csr_exists(number));
    code_csr(&program->code, pick_form(program), pick_register(program), number,
             pick_register(program));
}

/* Not with zero in the register: then QEMU takes it for no write, as it does x0. */
static void make_csr_read_only(struct program *program)
{
    enum csr_form form = pick_form(program);

    code_constant(&program->code, REGISTER_VALUE, 1);
    code_csr(&program->code, form, pick_register(program),
             CSR_CYCLE + random_below(&program->random, 3), REGISTER_VALUE);
}

/* Whether it can be read is compared, what is read is not: two machines count apart. */
static void make_counter(struct program *program)
{
    u32 rd = pick_register(program);

    code_csr(&program->code, random_percent(&program->random, 50) ? CSR_RS : CSR_RCI, rd,
             CSR_CYCLE + random_below(&program->random, 3), 0);
    code_i(&program->code, OPCODE_IMMEDIATE, 0, rd, 0, 1);
}

static void make_counter_enable(struct program *program)
{
    code_csr(&program->code, CSR_RWI, 0, CSR_SCOUNTEREN, random_below(&program->random, 8));
    make_counter(program);
}

/* Any value, and the program's own again before anything can trap. */
static void make_stvec(struct program *program)
{
    bool vectored = random_percent(&program->random, 50);
    u64 own = vectored ? (u64)trap_vectored | 1 : (u64)trap_direct;

    code_constant(&program->code, REGISTER_OTHER, own);
    code_constant(&program->code, REGISTER_VALUE, pick_value(program));
    code_csr(&program->code, CSR_RW, pick_register(program), CSR_STVEC, REGISTER_VALUE);
    code_csr(&program->code, CSR_RS, REGISTER_VALUE, CSR_STVEC, 0);
    code_csr(&program->code, CSR_RW, pick_register(program), CSR_STVEC, REGISTER_OTHER);
}

static void make_stvec_mode(struct program *program)
{
    bool vectored = random_percent(&program->random, 50);

    code_constant(&program->code, REGISTER_OTHER,
                  vectored ? (u64)trap_vectored | 1 : (u64)trap_direct);
    code_csr(&program->code, CSR_RW, pick_register(program), CSR_STVEC, REGISTER_OTHER);
}

static void make_satp(struct program *program)
{
    struct random *random = &program->random;
    u64 satp = random_percent(random, 20)
                   ? 0
                   : space_satp(&program->plan, random_below(random, SPACES));

    code_constant(&program->code, REGISTER_VALUE, satp);
    code_csr(&program->code, CSR_RW, pick_register(program), CSR_SATP, REGISTER_VALUE);
    satp_fence(&program->plan, random, &program->code);
    if (random_percent(random, 50))
        code_csr(&program->code, CSR_RS, pick_register(program), CSR_SATP, 0);
}

/* Modes that neither machine has: the write does nothing. Sv48 and Sv57 (9, 10) are not among them:
 * QEMU has them, and the virtual machine has not (4.1.11). */
static void make_satp_refused(struct program *program)
{
    static const u8 modes[] = {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
    u64 mode = modes[random_below(&program->random, ARRAY_SIZE(modes))];

    code_constant(&program->code, REGISTER_VALUE, mode << 60 | random_bits(&program->random) >> 4);
    code_csr(&program->code, CSR_RW, pick_register(program), CSR_SATP, REGISTER_VALUE);
    code_csr(&program->code, CSR_RSI, pick_register(program), CSR_SATP, 0);
}

/* ---- interrupts ---- */

static void make_software_interrupt(struct program *program)
{
    enum { SSIP = 2 };
    struct code *code = &program->code;

    if (random_percent(&program->random, 60))
        code_csr(code, CSR_RSI, 0, CSR_SIE, SSIP);
    code_csr(code, random_percent(&program->random, 80) ? CSR_RSI : CSR_RCI, pick_register(program),
             CSR_SIP, SSIP);
    if (random_percent(&program->random, 50))
        code_csr(code, CSR_RSI, 0, CSR_SSTATUS, SSIP); /* SIE is the same bit */
    code_csr(code, CSR_RS, pick_register(program), CSR_SIP, 0);
}

/* In the past, or so far ahead that no machine lives to see it. */
static void make_timer(struct program *program)
{
    enum { STIE = 1 << 5 };
    static const u64 values[] = {0, 1, 1UL << 50, ~0UL};
    struct code *code = &program->code;
    u64 value = values[random_below(&program->random, ARRAY_SIZE(values))];

    if (random_percent(&program->random, 50)) {
        code_constant(code, REGISTER_VALUE, STIE);
        code_csr(code, CSR_RS, 0, CSR_SIE, REGISTER_VALUE);
    }
    code_constant(code, REGISTER_VALUE, value);
    code_csr(code, CSR_RW, pick_register(program), CSR_STIMECMP, REGISTER_VALUE);
    code_csr(code, CSR_RS, pick_register(program), CSR_SIP, 0);
    code_csr(code, CSR_RS, pick_register(program), CSR_STIMECMP, 0);
}

/* With an interrupt that is pending and enabled in sie, so that it ends. */
static void make_wait(struct program *program)
{
    enum { SSIP = 2 };
    struct code *code = &program->code;

    code_csr(code, CSR_RSI, 0, CSR_SIE, SSIP);
    code_csr(code, CSR_RSI, 0, CSR_SIP, SSIP);
    code_word(code, CODE_WFI);
    code_csr(code, CSR_RS, pick_register(program), CSR_SIP, 0);
}

/* ---- floating point ---- */

/* fadd.d, fmv.x.d, fmv.d.x of f0 to f7: illegal with FS off, and FS is dirty afterwards. */
static void make_floating(struct program *program)
{
    enum { ADD_DOUBLE = 0x01, TO_INTEGER = 0x71, FROM_INTEGER = 0x79, DYNAMIC = 7 };
    struct random *random = &program->random;
    struct code *code = &program->code;
    u32 a = random_below(random, FLOATING), b = random_below(random, FLOATING);

    switch (random_below(random, 3)) {
    case 0:
        code_r(code, OPCODE_FLOATING, random_percent(random, 50) ? DYNAMIC : 0, ADD_DOUBLE, a, b,
               a);
        break;
    case 1:
        code_r(code, OPCODE_FLOATING, 0, TO_INTEGER, pick_register(program), a, 0);
        break;
    default:
        code_r(code, OPCODE_FLOATING, 0, FROM_INTEGER, a, pick_register(program), 0);
    }
    if (random_percent(random, 50))
        code_csr(code, CSR_RS, pick_register(program), CSR_SSTATUS, 0);
}

static void make_floating_state(struct program *program)
{
    enum { FS_SHIFT = 13, FS = 3 };
    struct code *code = &program->code;

    code_constant(code, REGISTER_VALUE, FS << FS_SHIFT);
    code_csr(code, CSR_RC, pick_register(program), CSR_SSTATUS, REGISTER_VALUE);
    code_constant(code, REGISTER_VALUE, (u64)random_below(&program->random, 4) << FS_SHIFT);
    code_csr(code, CSR_RS, 0, CSR_SSTATUS, REGISTER_VALUE);
    make_floating(program);
}

const struct feature register_features[] = {
    {"csr", 14, make_csr},
    {"csr-sstatus", 4, make_sstatus},
    {"csr-sum-mxr", 5, make_rights},
    {"csr-none", 5, make_csr_illegal},
    {"csr-read-only", 2, make_csr_read_only},
    {"counter", 2, make_counter},
    {"counter-enable", 2, make_counter_enable},
    {"stvec-any", 2, make_stvec},
    {"stvec-mode", 2, make_stvec_mode},
    {"satp", 7, make_satp},
    {"satp-refused", 2, make_satp_refused},
    {"interrupt", 4, make_software_interrupt},
    {"timer", 3, make_timer},
    {"wfi", 2, make_wait},
    {"floating", 3, make_floating},
    {"floating-state", 2, make_floating_state},
    {NULL, 0, NULL},
};
