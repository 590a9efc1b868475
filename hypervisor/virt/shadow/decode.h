/* SPDX-License-Identifier: MIT */
/*
 * What an instruction says, for those that a hypervisor meets when a guest traps: accesses to
 * memory (which may be a device's), CSR instructions, returns from traps, fences, calls. 16 and 32
 * bits wide, RV64GC.
 *
 * Follows the unprivileged ISA 20191213 (chapters 2, 5, 8, 9, 11, 12, 16) and the privileged
 * specification 1.12 (3.3). What the two reserve is not decoded, but for fence and fence.i, whose
 * reserved fields an implementation ignores (2.7).
 *
 * Pure code: no state, no locks.
 */
#pragma once

#include "types.h"

enum instruction_kind {
    INSTRUCTION_LOAD,
    INSTRUCTION_STORE,
    INSTRUCTION_LOAD_RESERVED,
    INSTRUCTION_STORE_CONDITIONAL,
    INSTRUCTION_ATOMIC,
    INSTRUCTION_CSR,
    INSTRUCTION_SRET,
    INSTRUCTION_MRET,
    INSTRUCTION_WFI,
    INSTRUCTION_SFENCE_VMA,
    INSTRUCTION_FENCE,
    INSTRUCTION_FENCE_I,
    INSTRUCTION_ECALL,
    INSTRUCTION_EBREAK,
    INSTRUCTION_KINDS,
};

/* What a CSR instruction does with the old value. The two last with register x0 or immediate 0 do
   not write at all, which is CSR_READ. */
enum csr_op {
    CSR_READ,
    CSR_WRITE,
    CSR_SET,
    CSR_CLEAR,
};

/* funct5 of an atomic (8.4). */
enum atomic_op {
    ATOMIC_ADD = 0x00,
    ATOMIC_SWAP = 0x01,
    ATOMIC_XOR = 0x04,
    ATOMIC_OR = 0x08,
    ATOMIC_AND = 0x0c,
    ATOMIC_MIN = 0x10,
    ATOMIC_MAX = 0x14,
    ATOMIC_MIN_UNSIGNED = 0x18,
    ATOMIC_MAX_UNSIGNED = 0x1c,
};

/* Fields that a kind does not have are zero. */
struct instruction {
    enum instruction_kind kind;
    u8 bytes;         /* of the instruction: 2 or 4 */
    u8 rd, rs1, rs2;  /* numbers of registers */
    u8 size;          /* bytes of memory: 1, 2, 4, 8 */
    bool sign_extend; /* what is loaded (always of atomics) */
    bool floating;    /* the register that is loaded or stored is f[rd] or f[rs2] */
    enum atomic_op atomic_op;
    enum csr_op csr_op;
    bool csr_immediate; /* the operand is the number rs1, not register rs1 */
    u16 csr;
    i64 offset; /* what is added to x[rs1] for the address */
};

/* How many bytes the instruction has that starts with these two: 2, or 4 (longer ones, which are
 * reserved, count as 4 and are not decoded). */
static inline u32 instruction_bytes(u16 first)
{
    return (first & 3) == 3 ? 4 : 2;
}

/*
 * Decodes the instruction in the low bits of `bits`; bits above a compressed one are not looked at.
 * False: it is none of the kinds above, and nothing is told.
 */
MUST_CHECK bool instruction_decode(u32 bits, struct instruction *instruction);
