/* SPDX-License-Identifier: MIT */
#include "arch/arch_shadow.h"
#include "boot.h"
#include "core/hart.h"
#include "core/vcpu.h"
#include "csr.h"

/* Of its users' traps what needs no Candor. Page faults come to Candor first, and so do illegal
 * instructions, of which some are emulated. */
#define USERS_CAUSES                                                                    \
    (BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_LOAD_MISALIGNED) | \
     BIT(CAUSE_STORE_MISALIGNED) | BIT(CAUSE_ECALL_U))

static bool loaded_here(const struct vcpu *vcpu)
{
    return arch_hart()->loaded == vcpu;
}

u64 *arch_vcpu_registers(struct vcpu *vcpu)
{
    return vcpu->arch.x;
}

void arch_vcpu_kernel_in_s(struct vcpu *vcpu, bool sstc)
{
    vcpu->saved.medeleg = USERS_CAUSES;
    vcpu->arch.timer_by_sie = true;
    if (!sstc)
        vcpu->saved.menvcfg &= ~MENVCFG_STCE;
}

void arch_vcpu_kernel_in_u(struct vcpu *vcpu)
{
    vcpu->saved.mstatus = MSTATUS_FS;
    vcpu->saved.scounteren = ~0UL;
}

u64 arch_vcpu_translation_rights(const struct vcpu *vcpu)
{
    (void)vcpu;
    return csr_read(mstatus);
}

static void line_set(struct vcpu *vcpu, u64 line, bool raised)
{
    if (!loaded_here(vcpu))
        vcpu->saved.sip = raised ? vcpu->saved.sip | line : vcpu->saved.sip & ~line;
    else if (raised)
        csr_set(mip, line);
    else
        csr_clear(mip, line);
}

void arch_vcpu_external(struct vcpu *vcpu, bool raised)
{
    line_set(vcpu, BIT(IRQ_S_EXTERNAL), raised);
}

void arch_vcpu_timer_line(struct vcpu *vcpu, bool raised)
{
    line_set(vcpu, BIT(IRQ_S_TIMER), raised);
}

void arch_vcpu_timer_write(struct vcpu *vcpu, u64 deadline)
{
    (void)vcpu;
    csr_write(stimecmp, deadline);
}

bool arch_vcpu_wakes(struct vcpu *vcpu, u64 now)
{
    u64 sip = loaded_here(vcpu) ? csr_read(mip) : vcpu->saved.sip;
    u64 sie = loaded_here(vcpu) ? csr_read(sie) : vcpu->saved.sie;

    return (sip & sie) != 0 || arch_vcpu_deadline(vcpu) <= now;
}

bool arch_vcpu_kernel_open(const struct vcpu *vcpu)
{
    u64 status = csr_read(mstatus);

    (void)vcpu;
    return (status & MSTATUS_MPP) != 0 && (status & MSTATUS_SIE) != 0;
}

u64 arch_vcpu_floating(const struct vcpu *vcpu)
{
    (void)vcpu;
    return csr_read(mstatus) & MSTATUS_FS;
}

void arch_vcpu_floating_set(struct vcpu *vcpu, u64 state)
{
    (void)vcpu;
    csr_write(mstatus, (csr_read(mstatus) & ~(u64)MSTATUS_FS) | (state & MSTATUS_FS));
}

void arch_vcpu_counters_set(struct vcpu *vcpu, u64 counters)
{
    (void)vcpu;
    csr_write(scounteren, counters);
}

void arch_vcpu_firmware_call(struct vcpu *vcpu)
{
    sbi_call(vcpu);
}
