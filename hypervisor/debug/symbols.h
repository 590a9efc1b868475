/* SPDX-License-Identifier: MIT */
/*
 * The tables of Candor's functions and of their stack frames. In the first link they are the empty
 * ones of symbols.c; the build makes the full ones from that link (tools/mksymbols) and links
 * again. The definitions here are weak there.
 */
#pragma once

#include "types.h"

struct symbol {
    u64 address;
    u64 name; /* offset in symbol_names */
};

/* From an instruction on, up to the next row's: where its caller's frame is. */
struct symbol_frame {
    u32 offset;      /* of the instruction, from the first function */
    u16 frame_bytes; /* from the stack pointer up to the caller's; SYMBOL_NO_FRAME: not known */
    u16 saved_below; /* the return address lies so far below the caller's stack pointer; 0: it is in
                        its register */
};

enum { SYMBOL_NO_FRAME = 0xffff };

extern const u64 symbol_count;
extern const u64 symbol_text_end;
extern const struct symbol symbol_table[];
extern const char symbol_names[];
extern const u64 symbol_frame_count;
extern const struct symbol_frame symbol_frames[];
