/* SPDX-License-Identifier: MIT */
/*
 * The calls that are not about page tables. Those are in virt/pv/paging.c.
 */
#include "core/hypercall.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/sched.h"
#include "core/vm.h"
#include "mem/guest_memory.h"
#include "string.h"

struct hc_result hypercall_handle(struct vcpu *vcpu, u64 number, const u64 arguments[6])
{
    if (number < HC_CALL_COUNT)
        vcpu->counts.calls[number]++;
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
    sched_account(vcpu, arch_time_now());
    /* What was typed before could not be announced. */
    if (console_guest_readable(&vcpu->vm->console))
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
