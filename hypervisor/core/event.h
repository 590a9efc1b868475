/* SPDX-License-Identifier: MIT */
/*
 * Events for guests: a bit in the shared page, announced by the doorbell.
 */
#pragma once

#include "candor_abi.h"

struct vcpu;
struct vm;

/* Has bits of `pending` (enum candor_event) set and the doorbell rung on the vCPU's own hart, at
   once or when its turn comes; wakes it if it sleeps. Any hart; the caller holds no lock of a run
   queue. */
void event_send(struct vcpu *vcpu, u64 events);

/* The same to the first vCPU of a VM; ignored unless it is there. The console calls this. */
void event_send_vm(struct vm *vm, u64 events);

/* Sends EVENT_TIMER if the time given to timer_set has come. */
void event_timer_check(struct vcpu *vcpu, u64 now);

/* Shows the vCPU what was sent to it. In its turn. */
void event_deliver(struct vcpu *vcpu);

/* Whether anything waits for this vCPU: events, a doorbell, its timer. */
bool event_waiting(struct vcpu *vcpu, u64 now);
