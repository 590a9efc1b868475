/* SPDX-License-Identifier: MIT */
/*
 * The calls that are not about page tables. Those are in virt/pv/paging.c.
 */
#include "core/hypercall.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/machine.h"
#include "core/sched.h"
#include "core/vm.h"
#include "mem/guest_memory.h"
#include "string.h"

/* A call that changes what the VM's vCPUs have in common. The others lock for themselves what they
   need to. */
static struct hc_result handle_alone(struct vcpu *vcpu, u64 number, const u64 arguments[6])
{
    struct hc_result result;

    vm_calls_lock(vcpu->vm);
    result = hypercall_dispatch(vcpu, number, arguments);
    vm_calls_unlock(vcpu);
    return result;
}

struct hc_result hypercall_handle(struct vcpu *vcpu, u64 number, const u64 arguments[6])
{
    if (number < HC_CALL_COUNT)
        vcpu->counts.calls[number]++;
    if (number < HC_CALL_TABLE_MAKE || vcpu->vm->vcpu_count == 1)
        return hypercall_dispatch(vcpu, number, arguments);
    if (number <= HC_CALL_FLUSH || number == HC_CALL_VCPU_START)
        return handle_alone(vcpu, number, arguments);
    return hypercall_dispatch(vcpu, number, arguments);
}

struct hc_result hc_version(struct vcpu *vcpu)
{
    (void)vcpu;
    return hc_value(CANDOR_ABI_VERSION);
}

struct hc_result hc_shared_page(struct vcpu *vcpu, gpa_t page)
{
    void *bytes;
    int error = guest_data_frame(vcpu->vm, page, &bytes);

    if (error != HC_OK)
        return hc_error(error);
    if (vcpu->shared != NULL)
        return hc_error(HC_EXISTS);
    memset(bytes, 0, FRAME_BYTES);
    vcpu->shared = bytes;
    vcpu->shared->time_offset = -(i64)vcpu->vm->started_at;
    vcpu->shared->wall_base_ns = machine_wall_ns(vcpu->vm->started_at);
    sched_account(vcpu, arch_time_now());
    /* What was typed before could not be announced. */
    if (vcpu->index == 0 && console_guest_readable(&vcpu->vm->console))
        event_send(vcpu, EVENT_CONSOLE);
    return hc_value(0);
}

struct hc_result hc_yield_idle(struct vcpu *vcpu, u64 until)
{
    u64 now = arch_time_now();

    if (until > now && !event_waiting(vcpu, now))
        sched_sleep(vcpu, until);
    return hc_value(0);
}

struct hc_result hc_yield(struct vcpu *vcpu)
{
    sched_give_way(vcpu);
    return hc_value(0);
}

struct hc_result hc_timer_set(struct vcpu *vcpu, u64 deadline)
{
    vcpu->timer = deadline;
    event_timer_check(vcpu, arch_time_now());
    sched_timer_changed(vcpu->hart);
    return hc_value(0);
}

struct hc_result hc_counters(struct vcpu *vcpu, gpa_t counters)
{
    int error = HC_INVALID_ADDRESS;

    if (counters.value % sizeof(u64) == 0)
        error = guest_check_out(vcpu->vm, counters, sizeof(vcpu->counts));
    if (error == HC_OK)
        error = guest_copy_out(vcpu->vm, counters, &vcpu->counts, sizeof(vcpu->counts));
    return hc_error(error);
}

/* ---- other vCPUs of the VM ---- */

struct hc_result hc_vcpu_stop(struct vcpu *vcpu)
{
    if (vcpu->index == 0)
        return hc_error(HC_DENIED);
    vcpu->stopping = true;
    sched_requeue(vcpu);
    return hc_value(0);
}

struct hc_result hc_vcpu_notify(struct vcpu *vcpu, u64 number)
{
    struct vcpu *named = vm_vcpu(vcpu->vm, number);

    if (named == NULL)
        return hc_error(HC_INVALID_PARAM);
    if (!sched_is_off(named))
        event_send(named, EVENT_VCPU);
    return hc_value(0);
}

struct hc_result hc_yield_to(struct vcpu *vcpu, u64 number)
{
    struct vcpu *named = vm_vcpu(vcpu->vm, number);

    if (named == NULL)
        return hc_error(HC_INVALID_PARAM);
    sched_give_way_to(vcpu, named);
    return hc_value(0);
}
