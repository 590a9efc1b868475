/* SPDX-License-Identifier: MIT */
/*
 * Harts, turns and time of the fuzzed machine, beside a model of what a guest is promised of them
 * (hypercall-abi/generated/abi.md): an event that was sent, or a timer whose time has come, stands
 * in its shared page and is announced when its turn comes; yield_idle sleeps if and only if nothing
 * waits; whoever has something to do does not sleep; running, idle and steal time are all the time
 * that has passed; no hart sleeps while a vCPU waits on another; and each one's turn comes, under
 * either policy: with weights when the others have had theirs.
 *
 * Which hart a vCPU is on is the scheduler's matter, and none of the model's.
 */
#pragma once

#include "types.h"

enum { TURNS_HARTS = 2 };

/* Once, when the VMs have been made. */
void turns_start(void);

/* Every VM is as at the start of the machine: ready, on hart 0, with nothing sent and no timer. */
void turns_reset(void);

/* All begins anew, if need be, with weighted shares, the VMs' weights after these bits; or with
   round robin. */
void turns_use(bool weighted, u32 bits);

/* A VM's turn comes, wherever it is; its hart executes from now on. What it finds is checked. */
void turns_become(u32 vm);

/* The VM, in its turn, has made a call: what it means for events and time is checked. */
void turns_called(u32 vm, u64 number, const u64 args[6], i64 error);

/* The end of what a VM has done in its turn. */
void turns_done(u32 vm);

/* The VM has been made anew. */
void turns_ended(u32 vm);

/* The hart gives its turn to another vCPU, or to whatever it can take from other harts; the one
   that had it falls asleep, or waits. */
void turns_leave(u32 hart, bool asleep);

/* Time passes, and all harts see to their timers. */
void turns_pass(u64 ticks);

/* From some hart an event is sent to a VM. */
void turns_send(u32 vm, u32 from_hart);

/* The guest takes note of its events: doorbell first, then the pending word; or of that alone. In
   its turn. */
void turns_scan(u32 vm, bool doorbell_only);

/* The VM is paused; it is resumed before it is to do something. */
void turns_pause(u32 vm);

/* The VM gets another weight, if there are weights. */
void turns_weigh(u32 vm, u32 bits);

/* Another hart than the VM's wants it to reboot. */
void turns_end_elsewhere(u32 vm);

/* The VM is ended, and then started again, or destroyed and created anew. */
void turns_start_again(u32 vm, bool made_anew);
