/* SPDX-License-Identifier: MIT */
/*
 * Families of attacks: a guest with a table of them, each of which stands in
 * tests/system/attacks.toml with the promise that it tries.
 */
#pragma once

#include "guest.h"

struct attack {
    const char *name;
    void (*make)(void);
};

/* Makes each in turn, its name printed before it; or only the one that `args` names. */
void attacks_make(const struct attack *attacks, u32 count);

/* A fresh data page that starts with this word. */
u64 marked_page(u64 word);

/* The boot root is in use again, and this root is free. */
void leave_space(u64 root);

/* PASS if the word at this address can be read and is this one; if reading it is a load fault. */
void expect_word(const char *name, u64 gva, u64 word);
void expect_absent(const char *name, u64 gva);

/* The registers that a call of Candor's gives up: a2 to a7, t0 to t6. */
#define GIVEN_UP 0xf003f0e0UL

/* All integer registers, by number; [0] is not used. */
struct registers {
    u64 in[32];
    u64 out[32];
    u64 kept[1]; /* the stack pointer meanwhile */
};

/* An ecall with these registers (sscratch is used); and where it comes back. */
void registers_call(struct registers *registers);
void registers_call_end(void);
/* Spins with these registers until the time in x6; x5 is used for it. */
void registers_spin(struct registers *registers);

/* What the integer registers held when the guest was entered, but for a0 and sscratch. */
extern u64 registers_first[32];
