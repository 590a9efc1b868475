/* SPDX-License-Identifier: MIT */
/*
 * What people read of this processor: names of causes and registers, and what a stack tells.
 */
#include "arch/arch.h"
#include "arch/arch_names.h"
#include "boot.h"
#include "core/vcpu.h"
#include "csr.h"
#include "debug/backtrace.h"
#include "endian.h"

enum {
    REGISTER_PLACES = 32, /* as panic_entry stores them: pc, then x1 to x31 */
    OPCODE_JAL = 0x6f,
    OPCODE_JALR = 0x67,
    OPCODE_MASK = 0x7f,
    RD_SHIFT = 7,
    RD_MASK = 0x1f,
    COMPRESSED_JALR = 0x9002, /* c.jalr rs1 */
    COMPRESSED_JALR_MASK = 0xf07f,
    SHORT_BYTES = 2,
};

static const char *const exception_names[] = {
    "fetch-misaligned", "fetch-access",     "illegal-instruction", "breakpoint", "load-misaligned",
    "load-access",      "store-misaligned", "store-access",        "user-call",  "call",
    "vs-call",          "machine-call",     "fetch-fault",         "load-fault", "exception-14",
    "store-fault",
};

static const char *const interrupt_names[] = {
    "interrupt-0", "s-software", "vs-software", "software",   "interrupt-4", "s-timer",
    "vs-timer",    "timer",      "interrupt-8", "s-external", "vs-external", "device",
};

const char *arch_entry_name(u32 cause)
{
    if (cause < ARRAY_SIZE(exception_names))
        return exception_names[cause];
    if (cause >= ENTRY_EXCEPTIONS && cause - ENTRY_EXCEPTIONS < ARRAY_SIZE(interrupt_names))
        return interrupt_names[cause - ENTRY_EXCEPTIONS];
    return "other";
}

const char *arch_register_name(u32 place)
{
    static const char *const names[REGISTER_PLACES] = {
        "pc", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
        "a1", "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
        "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    };

    return place < REGISTER_PLACES ? names[place] : NULL;
}

void arch_registers_where(const u64 *registers, struct backtrace_start *where)
{
    *where = (struct backtrace_start){registers[REGISTER_PC], registers[REGISTER_SP],
                                      registers[REGISTER_RA]};
}

void arch_vcpu_where(const struct vcpu *vcpu, struct backtrace_start *where)
{
    arch_registers_where(vcpu->arch.x, where);
}

u64 arch_instruction_count(void)
{
    return csr_read(instret);
}

bool arch_fault_is_panic(u64 cause)
{
    return cause == CAUSE_BREAKPOINT;
}

const char *arch_fault_hint(u64 cause, u64 value)
{
    bool in_stacks = value - (u64)hart_stacks < sizeof(hart_stacks);

    if (cause == CAUSE_ILLEGAL)
        return "no instruction of this processor";
    if (in_stacks && (value - (u64)hart_stacks) % HART_STACK_BYTES < HART_GUARD_BYTES)
        return "its stack is used up: that is the guard page below it";
    if (value >= (u64)image_start && value < (u64)text_end && cause == CAUSE_STORE_ACCESS)
        return "that is Candor's own code, which is never written";
    if (cause == CAUSE_LOAD_MISALIGNED || cause == CAUSE_STORE_MISALIGNED)
        return "not at a multiple of its size";
    return value < FRAME_BYTES ? "a null pointer, or near one" : "no memory of Candor's is there";
}

u32 arch_record_cause(u64 what)
{
    u32 place = (u32)((what ^ CAUSE_ECALL_S) & (ENTRY_EXCEPTIONS - 1));

    return what & CAUSE_INTERRUPT ? ENTRY_EXCEPTIONS + place : place;
}

bool arch_ends_with_call(const u8 bytes[ARCH_CALL_BYTES])
{
    u32 first = load_le16(bytes), last = load_le16(bytes + SHORT_BYTES);
    bool long_call = ((first & OPCODE_MASK) == OPCODE_JAL ||
                      (first & OPCODE_MASK) == OPCODE_JALR) &&
                     (first >> RD_SHIFT & RD_MASK) == REGISTER_RA;

    return long_call ||
           ((last & COMPRESSED_JALR_MASK) == COMPRESSED_JALR && last != COMPRESSED_JALR);
}

bool arch_is_return_address(u64 address)
{
    return address >= (u64)image_start + ARCH_CALL_BYTES && address < (u64)text_end &&
           IS_ALIGNED(address, SHORT_BYTES) &&
           arch_ends_with_call((const u8 *)(address - ARCH_CALL_BYTES));
}

const u64 *arch_stack_end(const u64 *address)
{
    const u8 *at = (const u8 *)address;

    if (!IS_ALIGNED((u64)at, sizeof(u64)) || at < (const u8 *)hart_stacks ||
        at >= (const u8 *)hart_stacks + sizeof(hart_stacks))
        return address;
    u64 used = (u64)(at - (const u8 *)hart_stacks) % HART_STACK_BYTES;
    return (const u64 *)(at + HART_STACK_BYTES - used);
}
