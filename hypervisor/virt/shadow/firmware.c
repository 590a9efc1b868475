/* SPDX-License-Identifier: MIT */
/*
 * What an unmodified guest expects of its firmware besides console and reset: SBI 2.0's TIME, IPI,
 * RFENCE and HSM. A vCPU is a hart, by its number.
 */
#include "arch/arch_shadow.h"
#include "core/event.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/vm.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum sbi_extension {
    SBI_TIME = 0x54494d45,
    SBI_IPI = 0x735049,
    SBI_RFENCE = 0x52464e43,
    SBI_HSM = 0x48534d,
};

#define SBI_ALREADY_AVAILABLE ((enum hc_error) - 6) /* which no call of Candor's own has */

enum sbi_rfence_function {
    RFENCE_FENCE_I = 0,
    RFENCE_SFENCE_VMA = 1,
    RFENCE_SFENCE_VMA_ASID = 2,
};

enum sbi_hsm_function {
    HSM_START = 0,
    HSM_STOP = 1,
    HSM_STATUS = 2,
    HSM_SUSPEND = 3,
    HSM_STARTED = 0,
    HSM_STOPPED = 1,
    HSM_STOP_PENDING = 3,
    HSM_SUSPENDED = 4,
    HSM_RETENTIVE = 0,
    HSM_TYPE_BITS = 0xfffffff,      /* types that the specification numbers, */
    HSM_TYPE_PLATFORMS = 0x7 << 28, /* and those that a platform does */
};

/* The vCPUs that a hart mask names, a bit each. False: it names one that there is not. */
static bool harts_of(const struct vm *vm, u64 mask, u64 base, u64 *named)
{
    const u64 all = BIT(vm->vcpu_count) - 1;

    *named = base == ~0UL ? all : base < vm->vcpu_count ? mask << base : 0;
    return base == ~0UL || mask == 0 || (base < vm->vcpu_count && mask <= all >> base);
}

static struct hc_result time_call(struct vcpu *vcpu, u64 function, u64 deadline)
{
    if (function != 0)
        return hc_error(HC_NOT_SUPPORTED);
    shadow_timer_set(vcpu, deadline);
    return hc_value(0);
}

static struct hc_result ipi_call(struct vcpu *vcpu, u64 function, const u64 *a)
{
    struct vm *vm = vcpu->vm;
    u64 named;

    if (function != 0)
        return hc_error(HC_NOT_SUPPORTED);
    if (!harts_of(vm, a[0], a[1], &named))
        return hc_error(HC_INVALID_PARAM);
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        if ((named & BIT(i)) == 0 || (i != vcpu->index && sched_is_off(&vm->vcpus[i])))
            continue;
        if (i == vcpu->index) {
            shadow_soft_interrupt(vcpu);
        } else {
            vm->vcpus[i].shadow->soft = true;
            event_send(&vm->vcpus[i], EVENT_VCPU);
        }
    }
    return hc_value(0);
}

/* The kernel executes its call once more, with the same registers. */
static struct hc_result call_again(struct vcpu *vcpu, const u64 *a)
{
    enum { ECALL_BYTES = 4 };

    arch_vcpu_registers(vcpu)[REGISTER_PC] -= ECALL_BYTES;
    return (struct hc_result){(i64)a[0], a[1]};
}

/* Of a fence for some harts, or for a range of addresses, more is done than is asked for: all
 * shadows say what the guest's tables say, and no hart remembers anything else. */
static struct hc_result rfence_call(struct vcpu *vcpu, u64 function, const u64 *a)
{
    struct vm *vm = vcpu->vm;
    u64 named;

    if (function > RFENCE_SFENCE_VMA_ASID)
        return hc_error(HC_NOT_SUPPORTED);
    if (!harts_of(vm, a[0], a[1], &named))
        return hc_error(HC_INVALID_PARAM);
    if (named == 0)
        return hc_value(0);
    if (function != RFENCE_FENCE_I && shadow_fence_all(vcpu))
        return call_again(vcpu, a);
    shadow_fence_others(vcpu);
    arch_code_changed();
    return hc_value(0);
}

/* Types 0x1 to 0xfffffff, and the same with the highest bit set. */
static bool suspend_reserved(u32 type)
{
    return (type & HSM_TYPE_BITS) != 0 && (type & HSM_TYPE_PLATFORMS) == 0;
}

static struct hc_result hart_start(struct vcpu *caller, u64 hart, u64 entry, u64 argument)
{
    struct vm *vm = caller->vm;
    struct vcpu *vcpu = vm_vcpu(vm, hart);

    if (vcpu == NULL)
        return hc_error(HC_INVALID_PARAM);
    if (vcpu->index == 0)
        return hc_error(SBI_ALREADY_AVAILABLE);
    switch (vm_vcpu_startable(vcpu)) {
    case HC_OK:
        break;
    case HC_EXISTS:
        return hc_error(SBI_ALREADY_AVAILABLE);
    default:
        return hc_error(HC_FAILED);
    }
    if (entry % 2 != 0 || !mfn_valid(p2m_lookup(&vm->p2m, entry >> FRAME_SHIFT)))
        return hc_error(HC_INVALID_ADDRESS);
    shadow_cpu_start(vcpu, entry, hart, argument);
    vm_start_vcpu(vcpu);
    if (vcpu->shadow->external)
        event_send(vcpu, EVENT_VCPU);
    return hc_value(0);
}

/* The first has the machine's own turns, and goes on. What the disk has still to do becomes its. */
static struct hc_result hart_stop(struct vcpu *vcpu)
{
    if (vcpu->index == 0)
        return hc_error(HC_FAILED);
    vcpu->timer = TIME_NEVER;
    vcpu->stopping = true;
    sched_requeue(vcpu);
    if (vcpu->vm->shadow->machine.disk.more)
        event_send_vm(vcpu->vm, EVENT_DISK);
    return hc_value(0);
}

static struct hc_result hart_status(struct vm *vm, u64 hart)
{
    struct vcpu *vcpu = vm_vcpu(vm, hart);

    if (vcpu == NULL)
        return hc_error(HC_INVALID_PARAM);
    if (sched_is_off(vcpu))
        return hc_value(HSM_STOPPED);
    if (READ_ONCE(vcpu->stopping))
        return hc_value(HSM_STOP_PENDING);
    return hc_value(vcpu->shadow->suspended ? HSM_SUSPENDED : HSM_STARTED);
}

static struct hc_result hart_suspend(struct vcpu *vcpu, u32 type)
{
    if (type != HSM_RETENTIVE)
        return hc_error(suspend_reserved(type) ? HC_INVALID_PARAM : HC_NOT_SUPPORTED);
    if (!shadow_interrupt_waits(vcpu))
        sched_sleep(vcpu, TIME_NEVER);
    vcpu->shadow->suspended = !sched_in_turn(vcpu);
    return hc_value(0);
}

static struct hc_result hsm_call(struct vcpu *vcpu, u64 function, const u64 *a)
{
    switch (function) {
    case HSM_START:
        return hart_start(vcpu, a[0], a[1], a[2]);
    case HSM_STATUS:
        return hart_status(vcpu->vm, a[0]);
    case HSM_STOP:
        return hart_stop(vcpu);
    case HSM_SUSPEND:
        return hart_suspend(vcpu, (u32)a[0]);
    default:
        return hc_error(HC_NOT_SUPPORTED);
    }
}

bool shadow_firmware_has(u64 extension)
{
    return extension == SBI_TIME || extension == SBI_IPI || extension == SBI_RFENCE ||
           extension == SBI_HSM;
}

static struct hc_result call(struct vcpu *vcpu, u64 extension, u64 function, const u64 *a)
{
    switch (extension) {
    case SBI_TIME:
        return time_call(vcpu, function, a[0]);
    case SBI_IPI:
        return ipi_call(vcpu, function, a);
    case SBI_RFENCE:
        return rfence_call(vcpu, function, a);
    case SBI_HSM:
        return hsm_call(vcpu, function, a);
    default:
        return hc_error(HC_NOT_SUPPORTED);
    }
}

struct hc_result shadow_firmware_call(struct vcpu *vcpu, u64 extension, u64 function, const u64 *a)
{
    bool taken = shadow_lock(vcpu);
    struct hc_result result = call(vcpu, extension, function, a);

    shadow_unlock(vcpu, taken);
    return result;
}
