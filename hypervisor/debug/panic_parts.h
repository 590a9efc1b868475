/* SPDX-License-Identifier: MIT */
/*
 * The parts of a panic's report that stand in files of their own. Each prints by panic_say, trusts
 * nothing that it can check, takes no lock, and may fault: the next part follows all the same.
 */
#pragma once

#include "printf.h"

struct hart;
struct vm;

void panic_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* The guest whose registers the hart holds: where it was, and its calls. */
void panic_say_guest(const struct hart *hart);

/* The function of a guest's kernel that holds `address`, as the bundle names it; "?" if it does
 * not. */
const char *panic_guest_symbol(const struct vm *vm, u64 address, u64 *offset);

/* The hart's last `count` trace records before `now`, the oldest first; nothing without a trace. */
void panic_say_records(const struct hart *hart, u32 count, u64 now);
