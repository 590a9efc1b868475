/* SPDX-License-Identifier: MIT */
/*
 * The empty tables of the first link: see symbols.h.
 */
#include "debug/symbols.h"

#define WEAK __attribute__((weak))

const u64 WEAK symbol_count = 0;
const u64 WEAK symbol_text_end = 0;
const struct symbol WEAK symbol_table[1] = {{0, 0}};
const char WEAK symbol_names[1] = "";
const u64 WEAK symbol_frame_count = 0;
const struct symbol_frame WEAK symbol_frames[1] = {{0, SYMBOL_NO_FRAME, 0}};
