/* SPDX-License-Identifier: MIT */
/*
 * The table of Candor's functions. In the first link it is the empty one of symbols.c; the build
 * makes the full one from that link's symbols (tools/mksymbols) and links again. The definitions
 * here are weak there.
 */
#ifndef DEBUG_SYMBOLS_H
#define DEBUG_SYMBOLS_H

#include "types.h"

struct symbol {
    u64 address;
    u64 name; /* offset in symbol_names */
};

extern const u64 symbol_count;
extern const u64 symbol_text_end;
extern const struct symbol symbol_table[];
extern const char symbol_names[];

#endif
