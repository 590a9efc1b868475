/* SPDX-License-Identifier: MIT */
/*
 * What the shadow path asks of the processor besides arch.h. All are for the vCPU that is loaded on
 * this hart, unless something else is said.
 */
#pragma once

#include "arch/arch.h"

/* The vCPU's integer registers, as they were when it entered Candor: 32, of which [REGISTER_PC] is
   the pc. */
u64 *arch_vcpu_registers(struct vcpu *vcpu);

/* Makes a vCPU that was reset, and is not loaded, one whose kernel is in S-mode and takes its
 * users' calls without Candor, with stimecmp or as on a processor without it; or one whose kernel
 * is in U-mode as well, and takes nothing. */
void arch_vcpu_kernel_in_s(struct vcpu *vcpu, bool sstc);
void arch_vcpu_kernel_in_u(struct vcpu *vcpu);

/* Of a kernel in S-mode: its sstatus, of which SUM (it may touch user pages) and MXR (it may load
   from what may only be run) hold. */
u64 arch_vcpu_translation_rights(const struct vcpu *vcpu);

/* Of a kernel in S-mode: the levels of its external interrupt, and of its timer's where no stimecmp
 * drives that; also while it is loaded nowhere. And its timer, as it would set that itself. */
void arch_vcpu_external(struct vcpu *vcpu, bool raised);
void arch_vcpu_timer_line(struct vcpu *vcpu, bool raised);
void arch_vcpu_timer_write(struct vcpu *vcpu, u64 deadline);

/* Of a kernel in S-mode: whether an interrupt that it has enabled (sie) is pending, which ends a
 * WFI; and whether the vCPU was interrupted in its kernel, with interrupts on. */
bool arch_vcpu_wakes(struct vcpu *vcpu, u64 now);
bool arch_vcpu_kernel_open(const struct vcpu *vcpu);

/* Of a kernel in U-mode: the state of the floating-point unit (MSTATUS_FS), and the counters
 * (scounteren) that can be read in U-mode. */
u64 arch_vcpu_floating(const struct vcpu *vcpu);
void arch_vcpu_floating_set(struct vcpu *vcpu, u64 state);
void arch_vcpu_counters_set(struct vcpu *vcpu, u64 counters);

/* Its firmware call, as if its kernel were in S-mode. */
void arch_vcpu_firmware_call(struct vcpu *vcpu);
