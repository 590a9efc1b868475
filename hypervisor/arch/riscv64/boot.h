/* SPDX-License-Identifier: MIT */
/*
 * Start-up on RISC-V: what entry.S hands to C, and the stacks.
 */
#pragma once

#include "candor_abi.h"
#include "core/machine.h"
#include "types.h"

enum {
    HART_STACK_BYTES = 16384, /* its lowest page is the guard */
    HART_GUARD_BYTES = 4096,
};

/* By order of arrival. */
extern u8 hart_stacks[HARTS_MAX][HART_STACK_BYTES];

/* Called by entry.S: by the first hart to arrive, and by each other after `boot_done`. Neither
 * returns. */
void boot_first(u64 hardware_id, u64 device_tree) __attribute__((noreturn));
void boot_other(u64 hardware_id, u64 ticket) __attribute__((noreturn));

/* Sets up this hart's protected mode, counters and traps (cpu.c). `index` is its stack's. */
void cpu_init(u32 index);

/* NULL, or why Candor does not run on this processor, given its extension list. */
const char *cpu_refuse(const char *isa);

/* Entry points of entry.S. */
void trap_entry(void);
void panic_entry(void);
struct vcpu;
void trap_leave(struct vcpu *vcpu) __attribute__((noreturn));
void trap_leave_traced(struct vcpu *vcpu) __attribute__((noreturn));
void trap_leave_detailed(struct vcpu *vcpu) __attribute__((noreturn));

/* Called by entry.S. */
struct vcpu *trap_handle(struct vcpu *vcpu);

/* Chooses who runs now on this hart, and leaves to it by the way of the trace's level. Also called
 * by entry.S. */
struct hart;
void trap_resume(struct hart *hart) __attribute__((noreturn));
struct hc_result trap_light_call(struct vcpu *vcpu, u64 number, const u64 arguments[6]);
void trap_own(const u64 registers[32]) __attribute__((noreturn));
void cpu_fp_save(void *saved);
void cpu_fp_load(const void *saved);

/* Reads the device tree at `tree` into `found`: NULL, or one clause that says why Candor cannot run
   on this machine. The tree may be overwritten afterwards. */
MUST_CHECK const char *machine_read(struct machine *found, const void *tree, u64 limit_bytes);

/* The calls of the standard firmware interface and Candor's own (sbi.c). */
void sbi_call(struct vcpu *vcpu);

/* Symbols of the linker script. */
extern u8 image_start[], text_end[], image_end[];
