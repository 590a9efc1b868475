/* SPDX-License-Identifier: MIT */
/*
 * Writing instructions (unprivileged ISA 20191213, chapters 2, 8, 9, 11, 12, 16, 24) into a slot.
 * Nothing is written past its end; `full` says that something was to be.
 */
#pragma once

#include "types.h"

struct code {
    u8 *at;
    u8 *end;
    bool full;
};

enum opcode {
    OPCODE_LOAD = 0x03,
    OPCODE_LOAD_FLOATING = 0x07,
    OPCODE_FENCE = 0x0f,
    OPCODE_IMMEDIATE = 0x13,
    OPCODE_AUIPC = 0x17,
    OPCODE_IMMEDIATE_32 = 0x1b,
    OPCODE_STORE = 0x23,
    OPCODE_STORE_FLOATING = 0x27,
    OPCODE_ATOMIC = 0x2f,
    OPCODE_REGISTER = 0x33,
    OPCODE_UPPER = 0x37,
    OPCODE_FLOATING = 0x53,
    OPCODE_BRANCH = 0x63,
    OPCODE_JUMP_REGISTER = 0x67,
    OPCODE_JUMP = 0x6f,
    OPCODE_SYSTEM = 0x73,
};

/* funct3 of CSR instructions. */
enum csr_form {
    CSR_RW = 1,
    CSR_RS = 2,
    CSR_RC = 3,
    CSR_RWI = 5,
    CSR_RSI = 6,
    CSR_RCI = 7,
};

enum code_word {
    CODE_ECALL = 0x00000073,
    CODE_EBREAK = 0x00100073,
    CODE_SRET = 0x10200073,
    CODE_MRET = 0x30200073,
    CODE_WFI = 0x10500073,
    CODE_FENCE_I = 0x0000100f,
};

void code_word(struct code *code, u32 word);
void code_half(struct code *code, u16 half);

/* Formats of instructions. */
void code_i(struct code *code, u32 opcode, u32 function, u32 rd, u32 rs1, i32 immediate);
void code_s(struct code *code, u32 opcode, u32 function, u32 rs1, u32 rs2, i32 immediate);
void code_r(struct code *code, u32 opcode, u32 function, u32 high, u32 rd, u32 rs1, u32 rs2);

/* rd = value, in as many instructions as it takes */
void code_constant(struct code *code, u32 rd, u64 value);
void code_csr(struct code *code, enum csr_form form, u32 rd, u32 csr, u32 source);
void code_sfence(struct code *code, u32 rs1, u32 rs2);
void code_jump(struct code *code, i32 offset);
