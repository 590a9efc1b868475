/* SPDX-License-Identifier: MIT */
#include "code.h"

#include "string.h"

enum {
    RD_SHIFT = 7,
    FUNCTION_SHIFT = 12,
    RS1_SHIFT = 15,
    RS2_SHIFT = 20,
    HIGH_SHIFT = 25,
    LOW_BITS = 12,
    LOW_MASK = (1 << LOW_BITS) - 1,
    FUNCTION_SLLI = 1,
    HIGH_SFENCE = 0x09,
};

static void put(struct code *code, const void *bytes, size_t count)
{
    if ((size_t)(code->end - code->at) < count) {
        code->full = true;
        return;
    }
    memcpy(code->at, bytes, count);
    code->at += count;
}

void code_word(struct code *code, u32 word)
{
    put(code, &word, sizeof(word));
}

void code_half(struct code *code, u16 half)
{
    put(code, &half, sizeof(half));
}

void code_i(struct code *code, u32 opcode, u32 function, u32 rd, u32 rs1, i32 immediate)
{
    code_word(code, opcode | rd << RD_SHIFT | function << FUNCTION_SHIFT | rs1 << RS1_SHIFT |
                        (u32)immediate << RS2_SHIFT);
}

void code_s(struct code *code, u32 opcode, u32 function, u32 rs1, u32 rs2, i32 immediate)
{
    u32 bits = (u32)immediate & LOW_MASK;

    code_word(code, opcode | (bits & 31) << RD_SHIFT | function << FUNCTION_SHIFT |
                        rs1 << RS1_SHIFT | rs2 << RS2_SHIFT | bits >> 5 << HIGH_SHIFT);
}

void code_r(struct code *code, u32 opcode, u32 function, u32 high, u32 rd, u32 rs1, u32 rs2)
{
    code_word(code, opcode | rd << RD_SHIFT | function << FUNCTION_SHIFT | rs1 << RS1_SHIFT |
                        rs2 << RS2_SHIFT | high << HIGH_SHIFT);
}

static i32 low_part(u64 value)
{
    return (i32)((value & LOW_MASK) << (32 - LOW_BITS)) >> (32 - LOW_BITS);
}

void code_constant(struct code *code, u32 rd, u64 value)
{
    i32 low = low_part(value);

    if (value == (u64)(i64)low) {
        code_i(code, OPCODE_IMMEDIATE, 0, rd, 0, low);
    } else if (value == (u64)(i64)(i32)value) {
        code_word(code, OPCODE_UPPER | rd << RD_SHIFT | (((u32)value - (u32)low) & ~(u32)LOW_MASK));
        if (low != 0)
            code_i(code, OPCODE_IMMEDIATE_32, 0, rd, rd, low);
    } else {
        u64 rest = (u64)((i64)(value - (u64)(i64)low) >> LOW_BITS);
        u32 zeros = 0;

        for (; (rest & 1) == 0; rest = (u64)((i64)rest >> 1))
            zeros++;
        code_constant(code, rd, rest);
        code_i(code, OPCODE_IMMEDIATE, FUNCTION_SLLI, rd, rd, (i32)(zeros + LOW_BITS));
        if (low != 0)
            code_i(code, OPCODE_IMMEDIATE, 0, rd, rd, low);
    }
}

void code_csr(struct code *code, enum csr_form form, u32 rd, u32 csr, u32 source)
{
    code_word(code, OPCODE_SYSTEM | rd << RD_SHIFT | (u32)form << FUNCTION_SHIFT |
                        source << RS1_SHIFT | csr << RS2_SHIFT);
}

void code_sfence(struct code *code, u32 rs1, u32 rs2)
{
    code_r(code, OPCODE_SYSTEM, 0, HIGH_SFENCE, 0, rs1, rs2);
}

void code_jump(struct code *code, i32 offset)
{
    u32 bits = (u32)offset;

    code_word(code, OPCODE_JUMP | (bits >> 12 & 0xff) << 12 | (bits >> 11 & 1) << 20 |
                        (bits >> 1 & 0x3ff) << 21 | (bits >> 20 & 1) << 31);
}
