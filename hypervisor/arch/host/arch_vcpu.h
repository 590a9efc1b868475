/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's state on the host: what the core and the pv path can see of a processor, and no more.
 */
#pragma once

#include "mem/addr.h"

struct hart;

#define HOST_MEMORY_BASE 0x80000000UL

/* Machine memory is an array; see host.h. */
extern u8 *host_memory;

struct hart *arch_hart(void);

static inline void *arch_frame_bytes(mfn_t frame)
{
    return host_memory + (mfn_to_maddr(frame).value - HOST_MEMORY_BASE);
}

static inline mfn_t arch_frame_of(const void *bytes)
{
    return maddr_to_mfn(maddr((u64)((const u8 *)bytes - host_memory) + HOST_MEMORY_BASE));
}

/* Where the pc stands among a guest's registers (arch_shadow.h). */
enum { REGISTER_PC = 0, HOST_REGISTERS = 32 };

struct arch_vcpu {
    union {
        u64 pc;
        u64 registers[HOST_REGISTERS]; /* with the pc at [REGISTER_PC] */
    };
    u64 arguments[2];
    mfn_t root;
    u16 space_id;
    bool kernel; /* in its kernel, else in user code */
    bool masked; /* interrupts */
    bool doorbell;
    u64 deadline;
    u64 trap_entry;
    u64 direct_causes;
    u64 trap_pc, trap_cause, trap_value;
    u64 registers6_7[2];
    u32 loads; /* how often it was loaded */
};

struct arch_vcpu_saved {
    u8 nothing;
};
