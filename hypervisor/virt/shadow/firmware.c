/* SPDX-License-Identifier: MIT */
/*
 * What an unmodified guest expects of its firmware besides console and reset: SBI 2.0's TIME, IPI,
 * RFENCE and HSM, for a machine of one hart, number 0.
 */
#include "arch/arch_shadow.h"
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
    HSM_RETENTIVE = 0,
    HSM_TYPE_BITS = 0xfffffff,      /* types that the specification numbers, */
    HSM_TYPE_PLATFORMS = 0x7 << 28, /* and those that a platform does */
};

/* Whether hart 0 is meant; false with *error set if another one is, or set to HC_OK if none. */
static bool this_hart(u64 mask, u64 base, i64 *error)
{
    *error = HC_OK;
    if (base == ~0UL)
        return true;
    if (base != 0 ? mask != 0 : (mask & ~1UL) != 0)
        *error = HC_INVALID_PARAM;
    return base == 0 && mask == 1;
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
    i64 error;

    if (function != 0)
        return hc_error(HC_NOT_SUPPORTED);
    if (this_hart(a[0], a[1], &error))
        shadow_soft_interrupt(vcpu);
    return hc_error((int)error);
}

/* Of a fence for a range of addresses more is done than is asked for. */
static struct hc_result rfence_call(struct vcpu *vcpu, u64 function, const u64 *a)
{
    i64 error;

    if (function > RFENCE_SFENCE_VMA_ASID)
        return hc_error(HC_NOT_SUPPORTED);
    if (!this_hart(a[0], a[1], &error))
        return hc_error((int)error);
    guest_memo_forget(&vcpu->vm->shadow->memo);
    if (function == RFENCE_FENCE_I)
        arch_code_changed();
    else
        shadow_drop_all(vcpu);
    return hc_value(0);
}

/* Types 0x1 to 0xfffffff, and the same with the highest bit set. */
static bool suspend_reserved(u32 type)
{
    return (type & HSM_TYPE_BITS) != 0 && (type & HSM_TYPE_PLATFORMS) == 0;
}

static struct hc_result hsm_call(struct vcpu *vcpu, u64 function, const u64 *a)
{
    enum { HSM_ALREADY_AVAILABLE = -6 };

    switch (function) {
    case HSM_START:
        return hc_error(a[0] == 0 ? HSM_ALREADY_AVAILABLE : HC_INVALID_PARAM);
    case HSM_STATUS:
        return a[0] == 0 ? hc_value(HSM_STARTED) : hc_error(HC_INVALID_PARAM);
    case HSM_STOP:
        return hc_error(HC_FAILED); /* nobody could start it again */
    case HSM_SUSPEND:
        if ((u32)a[0] != HSM_RETENTIVE)
            return hc_error(suspend_reserved((u32)a[0]) ? HC_INVALID_PARAM : HC_NOT_SUPPORTED);
        if (!shadow_interrupt_waits(vcpu))
            sched_sleep(vcpu, TIME_NEVER);
        return hc_value(0);
    default:
        return hc_error(HC_NOT_SUPPORTED);
    }
}

bool shadow_firmware_has(u64 extension)
{
    return extension == SBI_TIME || extension == SBI_IPI || extension == SBI_RFENCE ||
           extension == SBI_HSM;
}

struct hc_result shadow_firmware_call(struct vcpu *vcpu, u64 extension, u64 function, const u64 *a)
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
