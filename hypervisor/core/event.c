/* SPDX-License-Identifier: MIT */
/*
 * Events: what each is to its guest, the VM's path says (virt_ops.events).
 *
 * Only the vCPU's own turn touches the guest, whose memory may be gone a moment later: others leave
 * their bits in `events_wanted` and see to it that the turn comes (sched_notify).
 */
#include "core/event.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "core/vm.h"
#include "debug/trace.h"
#include "virt/virt.h"

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
    if (READ_ONCE(vcpu->events_wanted) != 0 && vcpu->vm->state == VM_RUNNING)
        vcpu->vm->virt->events(vcpu,
                               __atomic_exchange_n(&vcpu->events_wanted, 0, __ATOMIC_ACQUIRE));
}

bool event_waiting(struct vcpu *vcpu, u64 now)
{
    return READ_ONCE(vcpu->events_wanted) != 0 ||
           (vcpu->shared != NULL && READ_ONCE(vcpu->shared->pending) != 0) || vcpu->timer <= now ||
           arch_vcpu_interrupted(vcpu, now);
}
