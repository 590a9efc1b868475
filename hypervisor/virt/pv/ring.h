/* SPDX-License-Identifier: MIT */
#pragma once

struct vcpu;

/* Puts responses into the guest's ring for what its disk has done, at most as many as can be on
 * their way. In the VM's turn. */
void ring_answer(struct vcpu *vcpu);
