/* SPDX-License-Identifier: MIT */
#include "shadow_processor.h"

#include "arch/arch_shadow.h"
#include "core/vm.h"
#include "csr.h"
#include "virt/shadow/shadow.h"

bool shadow_processor_waits;
bool shadow_processor_open;
struct shadow_processor shadow_processor;

u64 *arch_vcpu_registers(struct vcpu *which)
{
    return which->arch.registers;
}

u64 arch_vcpu_floating(const struct vcpu *which)
{
    (void)which;
    return MSTATUS_FS;
}

void arch_vcpu_floating_set(struct vcpu *which, u64 state)
{
    (void)which;
    shadow_processor.floating = state;
}

void arch_vcpu_counters_set(struct vcpu *which, u64 counters)
{
    (void)which;
    shadow_processor.counters = counters;
}

void arch_vcpu_firmware_call(struct vcpu *which)
{
    shadow_soft_interrupt(which);
}

/* Only of kernels in S-mode. */
u64 arch_vcpu_translation_rights(const struct vcpu *which)
{
    (void)which;
    return 0;
}

void arch_vcpu_kernel_in_s(struct vcpu *which, bool sstc)
{
    (void)which;
    shadow_processor.in_s = true;
    shadow_processor.sstc = sstc;
}

void arch_vcpu_kernel_in_u(struct vcpu *which)
{
    (void)which;
    shadow_processor.in_u = true;
}

void arch_vcpu_external(struct vcpu *which, bool raised)
{
    (void)which;
    shadow_processor.external = raised;
}

void arch_vcpu_timer_line(struct vcpu *which, bool raised)
{
    (void)which;
    shadow_processor.timer_line = raised;
}

void arch_vcpu_timer_write(struct vcpu *which, u64 deadline)
{
    (void)which;
    shadow_processor.timer = deadline;
}

bool arch_vcpu_wakes(struct vcpu *which, u64 now)
{
    (void)which, (void)now;
    return shadow_processor_waits;
}

bool arch_vcpu_kernel_open(const struct vcpu *which)
{
    (void)which;
    return shadow_processor_open;
}
