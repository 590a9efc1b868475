/* SPDX-License-Identifier: MIT */
/*
 * The empty symbol table of the first link: see symbols.h.
 */
#include "debug/symbols.h"

#define WEAK __attribute__((weak))

const u64 WEAK symbol_count = 0;
const u64 WEAK symbol_text_end = 0;
const struct symbol WEAK symbol_table[1] = {{0, 0}};
const char WEAK symbol_names[1] = "";
