/* SPDX-License-Identifier: MIT */
/*
 * The seam between the processor architecture and the rest of Candor.
 *
 * core/ and mem/ use nothing else of an architecture; the mmu calls (virt/pv/) also know the format
 * of the tables, as a chapter of the ABI for processors with hardware-walked tables. Each port
 * supplies these functions and a header arch_vcpu.h with struct arch_vcpu, arch_hart() and
 * arch_frame_bytes().
 *
 * "On this hart" functions act on the hart that executes. A vCPU is *loaded* where the registers of
 * its hart hold its state.
 */
#pragma once

#include "arch_vcpu.h"
#include "mem/addr.h"

struct backtrace_start;
struct hart;
struct vcpu;

/* ---- the machine and its harts ---- */

/* Ends another hart's sleep, or makes it enter the hypervisor soon. Any context; does not wait. */
void arch_hart_wake(struct hart *hart);

/* Sleeps until an interrupt may be pending on this hart, then serves the devices. May return early.
 */
void arch_hart_sleep(void);

/* The same, but serves nothing and forgets that this hart was woken. */
void arch_hart_doze(void);

/* Serves what waits for this hart: devices, mail, the timer. Does not wait. */
void arch_hart_poll(void);

/* A short pause while spinning on memory. Does not return if another hart halts the machine
 * (hart_halt_others): whoever spins may wait for what that hart holds. */
void arch_relax(void);

/* Where the caller is, for people to read. */
void arch_here(struct backtrace_start *where);

/* This hart executes nothing any more. */
NORETURN void arch_hart_halt(void);

/* Time, in units of machine.timebase_hz; the same on every hart. */
u64 arch_time_now(void);

/* This hart enters the hypervisor (or wakes) when that time comes; TIME_NEVER: no more. */
void arch_timer_set(u64 deadline);

/* arch_vcpu.h also has, inline: void *arch_frame_bytes(mfn_t), the bytes of a machine frame for
   Candor, and the other way mfn_t arch_frame_of(const void *). */

/* ---- a vCPU's state ---- */

/* A vCPU about to run its first instruction: all registers 0 but for those given, kernel mode,
 * traps off. */
void arch_vcpu_reset(struct vcpu *vcpu, gva_t entry, u64 argument0, u64 argument1);

/* Makes `to` the vCPU loaded on this hart and stores the state of the one that was (either may be
 * NULL). */
void arch_vcpu_switch(struct vcpu *from, struct vcpu *to);

/* Raises the doorbell of a vCPU that runs on this hart, loaded or not. */
void arch_vcpu_doorbell(struct vcpu *vcpu);

/* Whether an interrupt waits for the vCPU at that time: its doorbell, its timer. */
bool arch_vcpu_interrupted(struct vcpu *vcpu, u64 now);

/* When the guest's own timer will fire; TIME_NEVER: it has none, or it is not armed, or its
 * interrupt is disabled and would not end the sleep of that guest. */
u64 arch_vcpu_deadline(struct vcpu *vcpu);

/* Whether the vCPU, loaded here, loops in a trap entry that cannot be executed. */
bool arch_vcpu_trap_entry_dead(struct vcpu *vcpu);

/* Where the guest was when it last entered the hypervisor. */
u64 arch_vcpu_pc(const struct vcpu *vcpu);

/* Whether a kernel may be handed this exception when its own code raised it. */
bool arch_cause_is_kernels(u32 cause);

/* Registers the guest's trap entry and hands `causes` straight to it where that is allowed; returns
   the causes that are. Loaded here. */
u64 arch_vcpu_trap_register(struct vcpu *vcpu, gva_t entry, u64 causes);

/* Delivers an exception to the guest's kernel as the hardware would have. False: its trap entry is
   not there. Loaded here. */
MUST_CHECK bool arch_vcpu_upcall(struct vcpu *vcpu, u32 cause, u64 value);

/* Returns from the guest's trap to what it interrupted; two registers are given by the caller. */
void arch_vcpu_trap_return(struct vcpu *vcpu, u64 register6, u64 register7);

/* ---- translations ---- */

/* How many address-space identifiers the hardware has, 0 included, which is never used. */
u32 arch_space_ids(void);

/* Installs the translations of a root: the vCPU's accesses go by it from now on. Loaded here, or
 * off. */
void arch_space_install(struct vcpu *vcpu, mfn_t root, u16 space_id);

/* The vCPU, which is off, uses no root any more. */
void arch_space_remove(struct vcpu *vcpu);

/* The root installed for a vCPU, loaded or not. Any hart may ask. */
mfn_t arch_space_root(const struct vcpu *vcpu);

/* Remembers for the fast paths that `name` is the root installed as `root`, or that `table` is the
   last-level table of `address` in it. Hints: correct without. */
void arch_space_remember_root(struct vcpu *vcpu, gpa_t name, mfn_t root, u16 space_id);
void arch_space_remember_table(struct vcpu *vcpu, gpa_t name, gva_t address, mfn_t table);

/* Forgets that `name` is a root, and every last-level table. */
void arch_space_forget(struct vcpu *vcpu, gpa_t name);

/* Drops every translation of a page, or all of them, in all spaces, on this hart. Before it
   returns, every earlier change of a table is seen by later translations here. */
void arch_translation_drop(gva_t page);
void arch_translation_drop_all(void);

/* Code in memory has changed: this hart fetches it anew. */
void arch_code_changed(void);

/* Runs the guest in its fast paths or not; nothing else changes. */
void arch_vcpu_fast_paths(struct vcpu *vcpu, bool on);
