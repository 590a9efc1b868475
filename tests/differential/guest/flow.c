/* SPDX-License-Identifier: MIT */
/*
 * Where a program goes: jumps into pages of all kinds, calls, returns from traps, what is illegal.
 */
#include "program.h"

enum { FUNCTION_JALR = 0, FUNCT5_ADD = 0 };

/* Which mode runs the slot is seen from where it stands: the users' view of the code is high up.
 * Where S-mode does, a fence comes first: after S-mode has loaded from a user's page, with SUM,
 * QEMU lets it run that page too. */
static void jump_to(struct program *program, u64 address)
{
    enum { FUNCTION_SRLI = 5, USER_SHIFT = 33, SKIP_FENCE = 0x000c9463 }; /* bnez s9, over one */

    code_constant(&program->code, REGISTER_ADDRESS, address);
    code_i(&program->code, OPCODE_IMMEDIATE, FUNCTION_SRLI, REGISTER_SCRATCH, REGISTER_SLOT,
           USER_SHIFT);
    code_word(&program->code, SKIP_FENCE);
    code_sfence(&program->code, 0, 0);
    code_i(&program->code, OPCODE_JUMP_REGISTER, FUNCTION_JALR, REGISTER_RA, REGISTER_ADDRESS, 0);
}

/* Each data page has something to run that comes back. */
static void make_fetch(struct program *program)
{
    u64 page = pick_address(program, 8) & ~(u64)(PAGE_BYTES - 1);

    jump_to(program, page + DATA_SNIPPET);
}

static void make_fetch_crossing(struct program *program)
{
    u64 page = pick_address(program, 8) & ~(u64)(PAGE_BYTES - 1);

    jump_to(program, page + DATA_CROSSING);
}

/* ---- calls ---- */

enum sbi {
    SBI_UNKNOWN = 0x0a5a5a5a,
    SBI_TIME = 0x54494d45,
    SBI_IPI = 0x735049,
    SBI_RFENCE = 0x52464e43,
};

/* From S-mode to the firmware, for all harts; from U-mode to the kernel. */
static void call(struct program *program, u64 extension, u64 function, u64 a0, u64 a1)
{
    struct code *code = &program->code;

    code_constant(code, REGISTER_A7, extension);
    code_constant(code, REGISTER_A6, function);
    code_constant(code, REGISTER_A0, a0);
    code_constant(code, REGISTER_A1, a1);
    code_word(code, CODE_ECALL);
}

static void make_call(struct program *program)
{
    call(program, SBI_UNKNOWN, random_below(&program->random, 4), pick_value(program), 0);
}

static void make_call_ipi(struct program *program)
{
    call(program, SBI_IPI, 0, 0, ~0UL);
}

static void make_call_timer(struct program *program)
{
    static const u64 values[] = {0, 1UL << 50, ~0UL};

    call(program, SBI_TIME, 0, values[random_below(&program->random, ARRAY_SIZE(values))], 0);
}

static void make_call_fence(struct program *program)
{
    enum { A2 = 12, A3 = 13 };

    code_constant(&program->code, A2, 0);
    code_constant(&program->code, A3, 0);
    call(program, SBI_RFENCE, random_below(&program->random, 2), 0, ~0UL);
}

static void make_break(struct program *program)
{
    enum { COMPRESSED_EBREAK = 0x9002 };

    if (random_percent(&program->random, 50))
        code_word(&program->code, CODE_EBREAK);
    else
        code_half(&program->code, COMPRESSED_EBREAK);
}

/* ---- what is illegal ---- */

static void make_illegal(struct program *program)
{
    /* unknown opcodes, reserved fields of sfence.vma, sret and wfi, H's and debug's instructions */
    static const u32 words[] = {
        0xffffffff, 0x0000000b, 0x0000002b,           0x0000005b, 0x0000007b, 0x00001063 | 2 << 12,
        0x120000f3, 0x102080f3, 0x105080f3,           0x22000073, 0x62000073, 0x7b200073,
        0x00200073, 0x6c004073, 0x04000053 | 7 << 27, 0x0000702f, 0x1200702f, 0xfff05073 ^ 0x4000,
    };

    code_word(&program->code, words[random_below(&program->random, ARRAY_SIZE(words))]);
}

static void make_illegal_compressed(struct program *program)
{
    /* all zero; c.addi4spn of 0; c.lui of 0; c.addiw, c.lwsp, c.ldsp, c.jr of x0; reserved ones */
    static const u16 halves[] = {0x0000, 0x0008, 0x6081, 0x2001, 0x4002,
                                 0x6002, 0x8002, 0x8000, 0x9c41};

    code_half(&program->code, halves[random_below(&program->random, ARRAY_SIZE(halves))]);
}

static void make_privileged(struct program *program)
{
    static const u32 words[] = {CODE_MRET, CODE_MRET, 0x30200073 ^ 0x00100000};

    code_word(&program->code, words[random_below(&program->random, ARRAY_SIZE(words))]);
}

/* ---- returns ---- */

/* To the next slot, in S-mode or in U-mode, with SPIE of both kinds. */
static void make_return(struct program *program)
{
    enum { SSTATUS = 0x100, SEPC = 0x141, SPP_SPIE = 1 << 8 | 1 << 5 };
    struct random *random = &program->random;
    struct code *code = &program->code;
    u64 slot = (u64)ALIGN_DOWN((u64)code->at, SLOT_BYTES) - area_address(AREA_CODE);
    bool user = random_percent(random, 60);
    /* S-mode stays where the tables that it changes do not lead. */
    u64 base = user && !random_percent(random, 8) ? VA_CODE_USER : area_address(AREA_CODE);

    code_constant(code, REGISTER_VALUE, SPP_SPIE);
    code_csr(code, CSR_RC, pick_register(program), SSTATUS, REGISTER_VALUE);
    code_constant(code, REGISTER_VALUE,
                  (user ? 0 : 1 << 8) | (random_percent(random, 50) ? 1 << 5 : 0));
    code_csr(code, CSR_RS, pick_register(program), SSTATUS, REGISTER_VALUE);
    code_constant(code, REGISTER_VALUE, base + slot + SLOT_BYTES);
    code_csr(code, CSR_RW, 0, SEPC, REGISTER_VALUE);
    code_sfence(code, 0, 0); /* as before a jump */
    code_word(code, CODE_SRET);
}

/* ---- what cannot trap ---- */

static void make_plain(struct program *program)
{
    enum { MULTIPLY = 1, SUBTRACT = 0x20 };
    static const u8 high[] = {0, MULTIPLY, SUBTRACT};

    for (u32 i = 0; i < 4; i++) {
        u32 kind = high[random_below(&program->random, ARRAY_SIZE(high))];

        code_r(&program->code, OPCODE_REGISTER, FUNCT5_ADD, kind, pick_register(program),
               pick_register(program), pick_register(program));
    }
    code_constant(&program->code, pick_register(program), pick_value(program));
}

static void make_fences(struct program *program)
{
    enum { FENCE_ALL = 0x0ff0000f, PAUSE = 0x0100000f };
    static const u32 words[] = {FENCE_ALL, PAUSE, CODE_FENCE_I};

    code_word(&program->code, words[random_below(&program->random, ARRAY_SIZE(words))]);
}

const struct feature flow_features[] = {
    {"fetch", 7, make_fetch},
    {"fetch-crossing", 4, make_fetch_crossing},
    {"ecall", 3, make_call},
    {"ecall-ipi", 1, make_call_ipi},
    {"ecall-timer", 1, make_call_timer},
    {"ecall-rfence", 1, make_call_fence},
    {"ebreak", 1, make_break},
    {"illegal", 3, make_illegal},
    {"illegal-compressed", 2, make_illegal_compressed},
    {"mret", 1, make_privileged},
    {"sret", 8, make_return},
    {"arithmetic", 2, make_plain},
    {"fence", 1, make_fences},
    {NULL, 0, NULL},
};
