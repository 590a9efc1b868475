/* SPDX-License-Identifier: MIT */
/*
 * The decoder: see decode.h.
 */
#include "virt/shadow/decode.h"

/* Bits 6 to 2 of a 32-bit instruction (table 24.1). */
enum opcode {
    OPCODE_LOAD = 0x00,
    OPCODE_LOAD_FP = 0x01,
    OPCODE_MISC_MEM = 0x03,
    OPCODE_STORE = 0x08,
    OPCODE_STORE_FP = 0x09,
    OPCODE_AMO = 0x0b,
    OPCODE_SYSTEM = 0x1c,
};

/* Bits 1 to 0 with bits 15 to 13 of a compressed instruction (tables 16.5 and 16.7, RV64). */
enum compressed {
    C_FLD = 0 << 3 | 1,
    C_LW = 0 << 3 | 2,
    C_LD = 0 << 3 | 3,
    C_FSD = 0 << 3 | 5,
    C_SW = 0 << 3 | 6,
    C_SD = 0 << 3 | 7,
    C_FLDSP = 2 << 3 | 1,
    C_LWSP = 2 << 3 | 2,
    C_LDSP = 2 << 3 | 3,
    C_FSDSP = 2 << 3 | 5,
    C_SWSP = 2 << 3 | 6,
    C_SDSP = 2 << 3 | 7,
};

enum {
    OPCODE_SHIFT = 2,
    RD_SHIFT = 7,
    FUNCT3_SHIFT = 12,
    RS1_SHIFT = 15,
    RS2_SHIFT = 20,
    FUNCT5_SHIFT = 27,
    CSR_SHIFT = 20,
    REGISTER_BITS = 5,
    REGISTER_SP = 2,
    REGISTER_COMPRESSED = 8, /* the first that three bits can name */

    FUNCT3_FENCE = 0,
    FUNCT3_FENCE_I = 1,
    FUNCT3_PRIVILEGED = 0,
    FUNCT3_IMMEDIATE = 4,
    FUNCT3_UNSIGNED = 4,
    FUNCT5_LR = 0x02,
    FUNCT5_SC = 0x03,
    SIZE_WORD_LOG2 = 2,
    SIZE_DOUBLE_LOG2 = 3,
};

/* Instructions without operands, and sfence.vma, whose registers its mask leaves out. */
enum whole {
    WHOLE_ECALL = 0x00000073,
    WHOLE_EBREAK = 0x00100073,
    WHOLE_SRET = 0x10200073,
    WHOLE_MRET = 0x30200073,
    WHOLE_WFI = 0x10500073,
    WHOLE_C_EBREAK = 0x9002,
    SFENCE_VMA = 0x12000073,
};
#define SFENCE_VMA_MASK 0xfe007fffU

static u32 field(u32 bits, u32 shift, u32 count)
{
    return bits >> shift & ((1U << count) - 1);
}

/* `count` bits at `from` of the instruction, for a value where they stand at `to`. */
static u32 moved(u32 bits, u32 from, u32 count, u32 to)
{
    return field(bits, from, count) << to;
}

static i64 signed_12(u32 value)
{
    return (i64)((i32)(value << 20) >> 20);
}

/* funct3 of loads and stores: the size's logarithm, and whether the load is unsigned. */
static bool decode_load(u32 bits, struct instruction *i)
{
    u32 funct3 = field(bits, FUNCT3_SHIFT, 3);

    if (funct3 == (FUNCT3_UNSIGNED | SIZE_DOUBLE_LOG2))
        return false;
    i->kind = INSTRUCTION_LOAD;
    i->size = (u8)(1U << (funct3 & 3));
    i->sign_extend = (funct3 & FUNCT3_UNSIGNED) == 0;
    i->rd = (u8)field(bits, RD_SHIFT, REGISTER_BITS);
    i->rs1 = (u8)field(bits, RS1_SHIFT, REGISTER_BITS);
    i->offset = signed_12(bits >> RS2_SHIFT);
    return true;
}

static bool decode_store(u32 bits, struct instruction *i)
{
    u32 funct3 = field(bits, FUNCT3_SHIFT, 3);

    if (funct3 > SIZE_DOUBLE_LOG2)
        return false;
    i->kind = INSTRUCTION_STORE;
    i->size = (u8)(1U << funct3);
    i->rs1 = (u8)field(bits, RS1_SHIFT, REGISTER_BITS);
    i->rs2 = (u8)field(bits, RS2_SHIFT, REGISTER_BITS);
    i->offset = signed_12(field(bits, 25, 7) << 5 | field(bits, RD_SHIFT, 5));
    return true;
}

/* Of the floating-point ones those of 4 and 8 bytes exist; what is loaded has no sign. */
static bool decode_floating(u32 bits, bool store, struct instruction *i)
{
    u32 funct3 = field(bits, FUNCT3_SHIFT, 3);

    if (funct3 != SIZE_WORD_LOG2 && funct3 != SIZE_DOUBLE_LOG2)
        return false;
    if (!(store ? decode_store(bits, i) : decode_load(bits, i)))
        return false;
    i->floating = true;
    i->sign_extend = false;
    return true;
}

static bool decode_misc_mem(u32 bits, struct instruction *i)
{
    switch (field(bits, FUNCT3_SHIFT, 3)) {
    case FUNCT3_FENCE:
        i->kind = INSTRUCTION_FENCE;
        return true;
    case FUNCT3_FENCE_I:
        i->kind = INSTRUCTION_FENCE_I;
        return true;
    default:
        return false;
    }
}

static bool decode_atomic(u32 bits, struct instruction *i)
{
    u32 size = field(bits, FUNCT3_SHIFT, 3);
    u32 funct5 = field(bits, FUNCT5_SHIFT, 5);

    if (size != SIZE_WORD_LOG2 && size != SIZE_DOUBLE_LOG2)
        return false;
    i->size = (u8)(1U << size);
    i->sign_extend = true;
    i->rd = (u8)field(bits, RD_SHIFT, REGISTER_BITS);
    i->rs1 = (u8)field(bits, RS1_SHIFT, REGISTER_BITS);
    i->rs2 = (u8)field(bits, RS2_SHIFT, REGISTER_BITS);
    switch (funct5) {
    case FUNCT5_LR:
        i->kind = INSTRUCTION_LOAD_RESERVED;
        return i->rs2 == 0;
    case FUNCT5_SC:
        i->kind = INSTRUCTION_STORE_CONDITIONAL;
        return true;
    case ATOMIC_ADD:
    case ATOMIC_SWAP:
    case ATOMIC_XOR:
    case ATOMIC_OR:
    case ATOMIC_AND:
    case ATOMIC_MIN:
    case ATOMIC_MAX:
    case ATOMIC_MIN_UNSIGNED:
    case ATOMIC_MAX_UNSIGNED:
        i->kind = INSTRUCTION_ATOMIC;
        i->atomic_op = (enum atomic_op)funct5;
        return true;
    default:
        return false;
    }
}

static bool decode_privileged(u32 bits, struct instruction *i)
{
    if ((bits & SFENCE_VMA_MASK) == SFENCE_VMA) {
        i->kind = INSTRUCTION_SFENCE_VMA;
        i->rs1 = (u8)field(bits, RS1_SHIFT, REGISTER_BITS);
        i->rs2 = (u8)field(bits, RS2_SHIFT, REGISTER_BITS);
        return true;
    }
    switch (bits) {
    case WHOLE_ECALL:
        i->kind = INSTRUCTION_ECALL;
        return true;
    case WHOLE_EBREAK:
        i->kind = INSTRUCTION_EBREAK;
        return true;
    case WHOLE_SRET:
        i->kind = INSTRUCTION_SRET;
        return true;
    case WHOLE_MRET:
        i->kind = INSTRUCTION_MRET;
        return true;
    case WHOLE_WFI:
        i->kind = INSTRUCTION_WFI;
        return true;
    default:
        return false;
    }
}

static bool decode_system(u32 bits, struct instruction *i)
{
    static const enum csr_op ops[] = {CSR_READ, CSR_WRITE, CSR_SET, CSR_CLEAR};
    u32 funct3 = field(bits, FUNCT3_SHIFT, 3);

    if (funct3 == FUNCT3_PRIVILEGED)
        return decode_privileged(bits, i);
    if (funct3 == FUNCT3_IMMEDIATE)
        return false;
    i->kind = INSTRUCTION_CSR;
    i->rd = (u8)field(bits, RD_SHIFT, REGISTER_BITS);
    i->rs1 = (u8)field(bits, RS1_SHIFT, REGISTER_BITS);
    i->csr = (u16)(bits >> CSR_SHIFT);
    i->csr_immediate = (funct3 & FUNCT3_IMMEDIATE) != 0;
    i->csr_op = ops[funct3 & 3];
    if (i->rs1 == 0 && i->csr_op != CSR_WRITE)
        i->csr_op = CSR_READ;
    return true;
}

static bool decode_full(u32 bits, struct instruction *i)
{
    i->bytes = sizeof(u32);
    switch (field(bits, OPCODE_SHIFT, 5)) {
    case OPCODE_LOAD:
        return decode_load(bits, i);
    case OPCODE_LOAD_FP:
        return decode_floating(bits, false, i);
    case OPCODE_MISC_MEM:
        return decode_misc_mem(bits, i);
    case OPCODE_STORE:
        return decode_store(bits, i);
    case OPCODE_STORE_FP:
        return decode_floating(bits, true, i);
    case OPCODE_AMO:
        return decode_atomic(bits, i);
    case OPCODE_SYSTEM:
        return decode_system(bits, i);
    default:
        return false;
    }
}

/* Forms with a register as base (CL and CS): uimm[5:3], then 2 and 6, or 7 and 6. */
static bool decode_compressed_register(u32 bits, u32 size, bool store, struct instruction *i)
{
    u8 value = (u8)(REGISTER_COMPRESSED + field(bits, 2, 3));
    u32 offset = moved(bits, 10, 3, 3);

    offset |= size == sizeof(u32) ? moved(bits, 6, 1, 2) | moved(bits, 5, 1, 6)
                                  : moved(bits, 5, 2, 6);
    i->kind = store ? INSTRUCTION_STORE : INSTRUCTION_LOAD;
    i->size = (u8)size;
    i->rs1 = (u8)(REGISTER_COMPRESSED + field(bits, 7, 3));
    *(store ? &i->rs2 : &i->rd) = value;
    i->offset = offset;
    return true;
}

/* c.lwsp, c.ldsp, c.fldsp (CI). */
static bool decode_stack_load(u32 bits, u32 size, struct instruction *i)
{
    i->kind = INSTRUCTION_LOAD;
    i->size = (u8)size;
    i->rd = (u8)field(bits, RD_SHIFT, REGISTER_BITS);
    i->rs1 = REGISTER_SP;
    i->offset = moved(bits, 12, 1, 5);
    i->offset |= size == sizeof(u32) ? moved(bits, 4, 3, 2) | moved(bits, 2, 2, 6)
                                     : moved(bits, 5, 2, 3) | moved(bits, 2, 3, 6);
    return true;
}

/* c.swsp, c.sdsp, c.fsdsp (CSS). */
static bool decode_stack_store(u32 bits, u32 size, struct instruction *i)
{
    i->kind = INSTRUCTION_STORE;
    i->size = (u8)size;
    i->rs1 = REGISTER_SP;
    i->rs2 = (u8)field(bits, 2, REGISTER_BITS);
    i->offset = size == sizeof(u32) ? moved(bits, 9, 4, 2) | moved(bits, 7, 2, 6)
                                    : moved(bits, 10, 3, 3) | moved(bits, 7, 3, 6);
    return true;
}

static bool decode_compressed(u32 bits, struct instruction *i)
{
    u32 form = field(bits, 0, 2) << 3 | field(bits, 13, 3);

    i->bytes = sizeof(u16);
    i->floating = form == C_FLD || form == C_FSD || form == C_FLDSP || form == C_FSDSP;
    i->sign_extend = form == C_LW || form == C_LWSP || form == C_LD || form == C_LDSP;
    switch (form) {
    case C_LW:
    case C_SW:
        return decode_compressed_register(bits, sizeof(u32), form == C_SW, i);
    case C_FLD:
    case C_LD:
    case C_FSD:
    case C_SD:
        return decode_compressed_register(bits, sizeof(u64), form == C_FSD || form == C_SD, i);
    case C_LWSP:
    case C_LDSP: /* into x0: reserved */
        return field(bits, RD_SHIFT, REGISTER_BITS) != 0 &&
               decode_stack_load(bits, form == C_LWSP ? sizeof(u32) : sizeof(u64), i);
    case C_FLDSP:
        return decode_stack_load(bits, sizeof(u64), i);
    case C_SWSP:
        return decode_stack_store(bits, sizeof(u32), i);
    case C_FSDSP:
    case C_SDSP:
        return decode_stack_store(bits, sizeof(u64), i);
    default:
        i->kind = INSTRUCTION_EBREAK;
        return bits == WHOLE_C_EBREAK;
    }
}

bool instruction_decode(u32 bits, struct instruction *instruction)
{
    struct instruction decoded = {0};
    bool known = instruction_bytes((u16)bits) == sizeof(u32)
                     ? decode_full(bits, &decoded)
                     : decode_compressed((u16)bits, &decoded);

    if (known)
        *instruction = decoded;
    return known;
}
