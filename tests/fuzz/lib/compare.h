/* SPDX-License-Identifier: MIT */
/*
 * The core and the reference model side by side: whatever VMs do is done by both, and every
 * difference ends the program with a message, after which libFuzzer keeps the input.
 *
 * After each call: error and value; every word of memory that the model says has changed, with its
 * whole frame; the frame table's word on the caller's tables; what the TLB model remembers against
 * what the tables say. A frame or two besides, in turn, and every FULL_EVERY calls all memory and
 * the audit.
 */
#pragma once

#include "model/model.h"

enum {
    COMPARE_VMS = 3,
    COMPARE_MEMORY = 6 << 20, /* of a VM, at most */
    COMPARE_TABLES = 24, /* the pool's first frames, and its last: what calls may make tables */
    COMPARE_POOL_FRAMES = 512,
};

extern struct model compare_model;

/* Guest-physical addresses: frame `n` of a VM's pool, and of its plain memory. The pool of the last
   VM lies in the middle of its memory, those of the others at the start. */
u64 compare_pool(u32 vm, u32 n);
u64 compare_data(u32 vm, u32 n);

/* Hypercalls made so far, for the caller to show. */
extern u64 compare_calls;

/* Says what differs, and ends the program. */
void compare_differ(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The machine with its VMs. */
void compare_start(void);

/* A hypercall of a VM, when its turn has come. */
void compare_call(u32 vm, u64 number, const u64 args[6]);

/* A VM's turn comes: what follows is done by it. */
void compare_turn(u32 vm);

/* A load at `gva` in the space that the VM uses. In its turn. */
void compare_access(u32 vm, u64 gva);

/* The guest writes a word of its memory outside the pool. In its turn. */
void compare_poke(u32 vm, u64 gpa, u64 word);

/* The VM ends and is made anew: it must find nothing of what was. */
enum compare_end {
    COMPARE_END_REBOOT,    /* it reboots */
    COMPARE_END_ELSEWHERE, /* another hart wants it to */
    COMPARE_END_START,     /* it is ended, and started again */
    COMPARE_END_DESTROY,   /* it is ended, destroyed and created again */
    COMPARE_END_COUNT,
};
void compare_reboot(u32 vm, enum compare_end how);

/* Everything is undone by calls: each table can be freed in the end. Then the VMs are as at first.
 */
void compare_reset(void);

/* The machine address behind a guest's, for a guest to be wrong with. */
u64 compare_machine_address(u32 vm, u64 gpa);
