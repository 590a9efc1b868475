/* SPDX-License-Identifier: MIT */
/*
 * From bytes to arguments: mostly ones that can work, so that sequences get deep, with neighbours,
 * edges and nonsense among them. The ABI's grammar says what each argument stands for.
 *
 * By convention, frames 0 to 3 of a pool are made roots, 4 to 7 tables of level 1, the others up to
 * COMPARE_TABLES of level 0; arrays stand in a few data frames.
 */
#pragma once

#include "candor_grammar.h"

/* Two bytes of the input for each argument. */
struct argument_bytes {
    u8 what;
    u8 which;
};

/* The arguments of a call of VM `vm`. */
void arguments_make(u32 vm, u64 number, const struct argument_bytes bytes[GRAMMAR_ARGS_MAX],
                    u64 args[GRAMMAR_ARGS_MAX]);

/* Fills the array that an argument names (as far as it lies in data frames) for those calls that
 * read one. */
void arguments_fill_array(u32 vm, u64 number, const u64 args[GRAMMAR_ARGS_MAX], u32 seed,
                          u32 count);

/* An address of a page, as a call would name it. */
u64 arguments_page(struct argument_bytes bytes);
