/* SPDX-License-Identifier: MIT */
/*
 * What the shadow path asks of the processor besides arch.h: the state that an unmodified guest's
 * kernel in S-mode keeps in the hardware.
 */
#pragma once

#include "arch/arch.h"

/* The vCPU's integer registers, as they were when it entered Candor: 32, of which [REGISTER_PC] is
   the pc. Loaded here. */
u64 *arch_vcpu_registers(struct vcpu *vcpu);

/* The exceptions that an unmodified guest's kernel takes without Candor, for a vCPU that is not
 * loaded. */
void arch_vcpu_delegate_users(struct vcpu *vcpu);

/* Whether its kernel may touch user pages (SUM), and load from what may only be run (MXR). Loaded
 * here. */
void arch_vcpu_translation_rights(const struct vcpu *vcpu, bool *sum, bool *mxr);

/* The level of its external interrupt line, and of its timer's where no stimecmp drives that.
 * Loaded here or off. */
void arch_vcpu_external(struct vcpu *vcpu, bool raised);
void arch_vcpu_timer_line(struct vcpu *vcpu, bool raised);

/* Sets the guest's own timer as it would itself. Only with machine.has_sstc. Loaded here. */
void arch_vcpu_timer_write(struct vcpu *vcpu, u64 deadline);
