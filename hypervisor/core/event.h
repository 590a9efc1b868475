/* SPDX-License-Identifier: MIT */
/*
 * Events for guests: a bit in the shared page, announced by the doorbell.
 */
#pragma once

#include "candor_abi.h"

struct vcpu;
struct vm;

/* Sets bits of `pending` (enum candor_event), rings the doorbell, wakes the vCPU if it sleeps. Any
 * hart. */
void event_send(struct vcpu *vcpu, u64 events);

/* The same to the first vCPU of a VM; ignored unless it runs. The console calls this for input. */
void event_send_vm(struct vm *vm, u64 events);

/* Sends EVENT_TIMER if the time given to timer_set has come. */
void event_timer_check(struct vcpu *vcpu, u64 now);

/* Rings the doorbell if another hart asked for it. On the vCPU's own hart. */
void event_doorbell_check(struct vcpu *vcpu);

/* Whether anything waits for this vCPU: events, a doorbell, its timer. */
bool event_waiting(struct vcpu *vcpu, u64 now);
