/* SPDX-License-Identifier: MIT */
/*
 * An unmodified guest whose kernel runs in U-mode beside its users: its privileged instructions
 * trap and are emulated on the registers of csr_table.h, and the view of its tables follows the
 * mode that it believes to be in.
 *
 * The processor's own S-mode registers stay as they were reset: nothing of the guest runs there.
 */
#include "arch/arch_shadow.h"
#include "core/event.h"
#include "core/hart.h"
#include "core/sched.h"
#include "core/vm.h"
#include "virt/shadow/records.h"
#include "virt/shadow/shadow.h"

/* ---- modes and views ---- */

static u8 view_of(const struct vcpu_shadow *shadow)
{
    u64 status = shadow->csrs.sstatus;
    u8 mxr = status & MSTATUS_MXR ? SHADOW_VIEW_MXR : 0;

    if (shadow->mode == MODE_U)
        return SHADOW_VIEW_USER | mxr;
    return (status & MSTATUS_SUM ? SHADOW_VIEW_KERNEL_SUM : SHADOW_VIEW_KERNEL) | mxr;
}

/* Without translation the kernel and its users see the same, all of it. */
static void view_enter(struct vcpu *vcpu)
{
    struct vcpu_shadow *shadow = vcpu->shadow;
    bool bare = (shadow->csrs.satp & SATP_MODE) == 0;
    u64 satp = bare ? SHADOW_BARE_USER : shadow->csrs.satp;
    u8 view = bare ? (u8)SHADOW_VIEW_DIRECT : view_of(shadow);

    if (shadow->satp != satp || shadow->view != view)
        shadow_space_enter(vcpu, satp, view);
}

static void counters_open(struct vcpu *vcpu)
{
    const struct vcpu_shadow *shadow = vcpu->shadow;

    arch_vcpu_counters_set(vcpu, shadow->mode == MODE_S ? ~0UL : shadow->csrs.scounteren);
}

void shadow_mode_set(struct vcpu *vcpu, u32 mode)
{
    vcpu->shadow->mode = mode;
    view_enter(vcpu);
    counters_open(vcpu);
}

/* ---- what a change of a register means ---- */

static void timer_check(struct vcpu *vcpu)
{
    struct guest_csrs *csrs = &vcpu->shadow->csrs;
    bool due = csrs->stimecmp <= arch_time_now();

    shadow_line_set(vcpu, BIT(IRQ_S_TIMER), due);
    vcpu->shadow->timer = due ? TIME_NEVER : csrs->stimecmp;
    shadow_timer_program(vcpu);
}

void shadow_csr_changed(struct vcpu *vcpu, u32 effects)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    if (!shadow->kernel_in_u) {
        if (effects & CSR_EFFECT_TRANSLATION)
            shadow_space_enter(
                vcpu, shadow->csrs.satp & SATP_MODE ? shadow->csrs.satp : SHADOW_BARE_KERNEL,
                SHADOW_VIEW_DIRECT);
        return;
    }
    if (effects & (CSR_EFFECT_VIEW | CSR_EFFECT_TRANSLATION))
        view_enter(vcpu);
    if (effects & CSR_EFFECT_TIMER)
        timer_check(vcpu);
    if (effects & CSR_EFFECT_FLOATING)
        arch_vcpu_floating_set(vcpu, shadow->csrs.sstatus & MSTATUS_FS);
}

void shadow_trap_enter(struct vcpu *vcpu, u64 cause, u64 value)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    arch_vcpu_registers(vcpu)[REGISTER_PC] = guest_trap_enter(&shadow->csrs, cause, value,
                                                              arch_vcpu_pc(vcpu), shadow->mode);
    shadow_mode_set(vcpu, MODE_S);
}

static void sret(struct vcpu *vcpu)
{
    struct guest_return to = guest_sret(&vcpu->shadow->csrs);

    arch_vcpu_registers(vcpu)[REGISTER_PC] = to.pc;
    shadow_mode_set(vcpu, to.privilege);
}

/* The processor has kept FS while the guest used it. The counters that can be read do not trap. */
bool shadow_emulate_in_u(struct vcpu *vcpu, const struct instruction *instruction)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    if (instruction->kind == INSTRUCTION_CSR) {
        if (instruction->csr == CSR_CYCLE || instruction->csr == CSR_TIME ||
            instruction->csr == CSR_INSTRET)
            return false;
        shadow->csrs.sstatus = (shadow->csrs.sstatus & ~(u64)MSTATUS_FS) | arch_vcpu_floating(vcpu);
        shadow_csr(vcpu, instruction, shadow->mode);
        return true;
    }
    if (shadow->mode != MODE_S)
        return false;
    if (instruction->kind == INSTRUCTION_SRET)
        sret(vcpu);
    else if (instruction->kind == INSTRUCTION_SFENCE_VMA)
        shadow_fence(vcpu, instruction);
    else if (instruction->kind == INSTRUCTION_WFI)
        shadow_wait(vcpu, instruction);
    else
        return false;
    return true;
}

/* ---- interrupts ---- */

void shadow_line_set(struct vcpu *vcpu, u64 line, bool raised)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    if (shadow->kernel_in_u)
        shadow->csrs.lines = raised ? shadow->csrs.lines | line : shadow->csrs.lines & ~line;
    else if (line == BIT(IRQ_S_EXTERNAL))
        arch_vcpu_external(vcpu, raised);
    else
        arch_vcpu_timer_line(vcpu, raised);
}

void shadow_timer_set(struct vcpu *vcpu, u64 deadline)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    if (!shadow->kernel_in_u && shadow->sstc && machine.has_sstc) {
        arch_vcpu_timer_write(vcpu, deadline);
        return;
    }
    shadow->csrs.stimecmp = deadline;
    timer_check(vcpu);
}

void shadow_soft_interrupt(struct vcpu *vcpu)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    if (shadow->kernel_in_u)
        shadow->csrs.sip |= BIT(IRQ_S_SOFT);
    else
        arch_vcpu_doorbell(vcpu);
}

bool shadow_interrupt_waits(struct vcpu *vcpu)
{
    const struct vcpu_shadow *shadow = vcpu->shadow;

    return shadow->kernel_in_u ? guest_interrupt_wakes(&shadow->csrs)
                               : arch_vcpu_wakes(vcpu, arch_time_now());
}

void shadow_interrupt_deliver(struct vcpu *vcpu)
{
    struct vcpu_shadow *shadow = vcpu->shadow;
    u64 cause;

    if (!shadow->kernel_in_u || !guest_interrupt_due(&shadow->csrs, shadow->mode, &cause))
        return;
    record_reflected(cause, 0);
    shadow_trap_enter(vcpu, cause, 0);
}

/* Another machine may have used the identifier meanwhile that is for all that have none. */
static void enter_alone(struct vcpu *vcpu)
{
    if (vcpu->shadow->id_shared)
        arch_translation_drop_all();
    vcpu->shadow->suspended = false;
    shadow_turn_begins(vcpu);
    shadow_interrupt_deliver(vcpu);
}

void shadow_enter(struct vcpu *vcpu)
{
    bool taken;

    if (!vcpu->shadow->several) {
        enter_alone(vcpu);
        return;
    }
    taken = shadow_lock(vcpu);
    enter_alone(vcpu);
    shadow_unlock(vcpu, taken);
}
