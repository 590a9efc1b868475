/* SPDX-License-Identifier: MIT */
/*
 * Events: the pending word of the shared page is the one truth; the doorbell says "look there".
 */
#include "core/event.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "core/vm.h"
#include "debug/trace.h"

void event_send(struct vcpu *vcpu, u64 events)
{
    struct shared_page *page = vcpu->shared;

    trace(TRACE_EVENT, vcpu->vm->id, events);
    if (page != NULL)
        __atomic_fetch_or(&page->pending, events, __ATOMIC_RELEASE);
    if (vcpu->hart != arch_hart()) {
        __atomic_store_n(&vcpu->doorbell_wanted, 1, __ATOMIC_RELEASE);
        hart_send(vcpu->hart, HART_MAIL_RESCHEDULE);
    } else {
        arch_vcpu_doorbell(vcpu);
    }
    sched_wake(vcpu);
}

void event_send_vm(struct vm *vm, u64 events)
{
    if (vm->state == VM_RUNNING)
        event_send(&vm->vcpus[0], events);
}

void event_timer_check(struct vcpu *vcpu, u64 now)
{
    if (vcpu->timer > now)
        return;
    vcpu->timer = TIME_NEVER;
    event_send(vcpu, EVENT_TIMER);
}

void event_doorbell_check(struct vcpu *vcpu)
{
    if (__atomic_exchange_n(&vcpu->doorbell_wanted, 0, __ATOMIC_ACQUIRE))
        arch_vcpu_doorbell(vcpu);
}

bool event_waiting(struct vcpu *vcpu, u64 now)
{
    return (vcpu->shared != NULL && READ_ONCE(vcpu->shared->pending) != 0) || vcpu->timer <= now ||
           arch_vcpu_interrupted(vcpu, now);
}
