/* SPDX-License-Identifier: MIT */
/*
 * Events: the pending word of the shared page is the one truth; the doorbell says "look there".
 *
 * Only the vCPU's own turn touches that page, which may be gone a moment later: others leave their
 * bits in `events_wanted` and see to it that the turn comes (sched_notify).
 */
#include "core/event.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "core/vm.h"
#include "debug/trace.h"

void event_send(struct vcpu *vcpu, u64 events)
{
    trace(TRACE_EVENT, vcpu->vm->id, events);
    __atomic_fetch_or(&vcpu->events_wanted, events, __ATOMIC_RELEASE);
    sched_notify(vcpu);
}

void event_send_vm(struct vm *vm, u64 events)
{
    if (vm->state == VM_RUNNING || vm->state == VM_BUILDING)
        event_send(&vm->vcpus[0], events);
}

void event_timer_check(struct vcpu *vcpu, u64 now)
{
    if (vcpu->timer > now)
        return;
    vcpu->timer = TIME_NEVER;
    event_send(vcpu, EVENT_TIMER);
}

void event_deliver(struct vcpu *vcpu)
{
    struct shared_page *page = vcpu->shared;
    u64 events;

    if (READ_ONCE(vcpu->events_wanted) == 0)
        return;
    events = __atomic_exchange_n(&vcpu->events_wanted, 0, __ATOMIC_ACQUIRE);
    if (page != NULL)
        __atomic_fetch_or(&page->pending, events, __ATOMIC_RELEASE);
    arch_vcpu_doorbell(vcpu);
}

bool event_waiting(struct vcpu *vcpu, u64 now)
{
    return READ_ONCE(vcpu->events_wanted) != 0 ||
           (vcpu->shared != NULL && READ_ONCE(vcpu->shared->pending) != 0) || vcpu->timer <= now ||
           arch_vcpu_interrupted(vcpu, now);
}
