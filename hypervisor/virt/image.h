/* SPDX-License-Identifier: MIT */
/*
 * A VM's image and initial RAM disk, on their way from the bundle into its memory: alike on every
 * path.
 */
#pragma once

#include "types.h"

struct vm;

/* Checks the image, an ELF file, and that its segments fit into the VM's memory and notes them in
 * vm->image. NULL, or one clause why not. */
const char *image_admit(struct vm *vm);

/* Finds the initrd's place, at the end of memory, with `more_bytes` below it free as well. NULL, or
 * one clause why there is no room. */
const char *image_place_initrd(struct vm *vm, u64 more_bytes);

/* The end of the VM's memory, guest-physical. */
u64 image_memory_end(const struct vm *vm);

bool image_ranges_meet(u64 a, u64 a_end, u64 b, u64 b_end);

/* Copies bytes into the VM's memory, which has them. */
void image_load_bytes(const struct vm *vm, u64 to, const void *from, u64 bytes);

/* How many of the `left` bytes one step copies. */
u64 image_step_bytes(u64 to, const u8 *from, u64 left);

/* One step of copying segments and initrd, from *cursor on: true while there is more. */
bool image_step(const struct vm *vm, u64 *cursor);
