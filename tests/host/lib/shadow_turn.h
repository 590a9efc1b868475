/* SPDX-License-Identifier: MIT */
/*
 * The guest of shadow_machine.h with its turn: its kernel has started, without translation, and
 * executes one instruction after the other where a test wants it to trap.
 */
#pragma once

#include "types.h"

/* Where its code is: a frame of its own. */
#define TURN_CODE (0x80000000UL + (u64)(8 + TURN_CODE_FRAME) * 4096)

enum {
    TURN_CODE_FRAME = 30, /* guest_frame() */
    A0 = 10,              /* registers, by their numbers */
    A1 = 11,
    A2 = 12,
};

/* A new machine; its guest's kernel in U-mode, or in S-mode, where guest_is_user tells from whom a
 * trap comes. A kernel in S-mode has a trap vector in arch.trap_entry. */
void turn_make(bool kernel_in_u);

u32 *turn_code(void);
u64 *turn_register(u32 number);

/* This instruction at TURN_CODE traps for that cause, with that stval. True: the guest goes on
 * behind it. */
bool turn_trap(u32 word, u32 cause, u64 value);

/* As an instruction that the processor calls illegal. */
bool turn_illegal(u32 word);

/* A load into A2 from, or a store of A1 to an address in A0 where no memory is. */
bool turn_load(u32 word, u64 address);
bool turn_store(u32 word, u64 address, u64 value);
