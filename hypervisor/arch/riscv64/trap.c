/* SPDX-License-Identifier: MIT */
/*
 * Where entry.S hands over: a trap of the guest that is loaded, or a fault of Candor's own.
 */
#include "arch/arch.h"
#include "boot.h"
#include "core/hart.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/vm.h"
#include "csr.h"
#include "debug/panic.h"
#include "debug/stay.h"
#include "debug/trace.h"
#include "driver/clint.h"
#include "driver/devices.h"
#include "virt/virt.h"

static void trap_exception(struct vcpu *vcpu, u64 cause)
{
    struct virt_trap trap = {
        .cause = (u32)cause,
        .kernel = (csr_read(mstatus) & MSTATUS_MPP) != 0,
        .value = csr_read(mtval),
    };

    if (cause == CAUSE_ECALL_S)
        sbi_call(vcpu);
    else
        vcpu->vm->virt->trap(vcpu, &trap);
}

/* What the stay is counted as. */
static u32 stay_kind_of(const struct vcpu *vcpu, u64 cause)
{
    u32 place = cause & (ENTRY_EXCEPTIONS - 1);

    if (cause & CAUSE_INTERRUPT)
        return STAY_TRAPS + ENTRY_EXCEPTIONS + place;
    if (cause != CAUSE_ECALL_S)
        return STAY_TRAPS + place;
    if (vcpu->arch.x[REGISTER_A7] == CANDOR_EXTENSION && vcpu->arch.x[REGISTER_A6] < HC_CALL_COUNT)
        return STAY_CALLS + (u32)vcpu->arch.x[REGISTER_A6];
    return STAY_STANDARD;
}

struct vcpu *trap_handle(struct vcpu *vcpu)
{
    struct hart *hart = arch_hart();
    u64 cause = csr_read(mcause);

    stay_begin(stay_kind_of(vcpu, cause));
    if (cause & CAUSE_INTERRUPT) {
        vcpu->counts.entries[ENTRY_EXCEPTIONS + (cause & (ENTRY_EXCEPTIONS - 1))]++;
        arch_hart_poll();
        trap_resume(hart);
    }
    vcpu->counts.entries[cause & (ENTRY_EXCEPTIONS - 1)]++;
    trap_exception(vcpu, cause);
    if (hart->reschedule)
        trap_resume(hart);
    stay_end();
    return hart->current;
}

/* The trap entry of the trace's level is the one that leaving installs, so this is also the way to
 * another level. */
void trap_resume(struct hart *hart)
{
    static void (*const leave[TRACE_LEVELS])(struct vcpu *) = {trap_leave, trap_leave_traced,
                                                               trap_leave_detailed};
    struct vcpu *vcpu;

    trace_adopt(hart);
    vcpu = sched_next(hart);
    trace_adopt(hart);
    stay_end();
    leave[hart->trace_level](vcpu);
    __builtin_unreachable();
}

struct hc_result trap_light_call(struct vcpu *vcpu, u64 number, const u64 arguments[6])
{
    struct hc_result result;

    stay_begin(number < HC_CALL_COUNT ? STAY_CALLS + (u32)number : (u32)STAY_STANDARD);
    vcpu->counts.entries[CAUSE_ECALL_S]++;
    result = hypercall_handle(vcpu, number, arguments);
    stay_end();
    return result;
}

void arch_hart_poll(void)
{
    struct hart *hart = arch_hart();
    u64 pending = csr_read(mip) & csr_read(mie);

    if (pending & BIT(IRQ_M_SOFT)) {
        clint_clear_ipi(hart->hardware_id);
        hart_serve_mail(hart);
    }
    if (pending & BIT(IRQ_M_EXTERNAL))
        sched_aside(hart, device_interrupt);
    if (pending & BIT(IRQ_M_TIMER))
        sched_tick(hart);
}

void arch_hart_sleep(void)
{
    stay_end();
    __asm__ volatile("wfi" : : : "memory");
    stay_begin(STAY_WOKEN);
    trace_adopt(arch_hart());
    arch_hart_poll();
}

void arch_hart_doze(void)
{
    __asm__ volatile("wfi" : : : "memory");
    clint_clear_ipi(arch_hart()->hardware_id);
}

void arch_relax(void)
{
    hart_halt_if_wanted();
}

void arch_hart_halt(void)
{
    csr_write(mie, 0);
    for (;;)
        __asm__ volatile("wfi" : : : "memory");
}

void trap_own(const u64 registers[32])
{
    panic_fault(registers, csr_read(mcause), csr_read(mtval));
}
