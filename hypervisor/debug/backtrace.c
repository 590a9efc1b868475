/* SPDX-License-Identifier: MIT */
/*
 * Symbols and backtraces: see backtrace.h. The tables are sorted by address; the build makes them
 * (symbols.h).
 */
#include "debug/backtrace.h"

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "debug/symbols.h"

const char *symbol_find(u64 address, u64 *offset)
{
    u64 low = 0, high = symbol_count;

    if (high == 0 || address < symbol_table[0].address || address >= symbol_text_end) {
        *offset = address;
        return "?";
    }
    while (high - low > 1) {
        u64 middle = low + (high - low) / 2;

        if (symbol_table[middle].address <= address)
            low = middle;
        else
            high = middle;
    }
    *offset = address - symbol_table[low].address;
    return symbol_names + symbol_table[low].name;
}

/* The row of an instruction; NULL if nothing is known of it. */
static const struct symbol_frame *frame_find(u64 address)
{
    u64 low = 0, high = symbol_frame_count;
    u64 offset = address - symbol_table[0].address;

    if (high == 0 || address < symbol_table[0].address || offset < symbol_frames[0].offset)
        return NULL;
    while (high - low > 1) {
        u64 middle = low + (high - low) / 2;

        if (symbol_frames[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return symbol_frames[low].frame_bytes != SYMBOL_NO_FRAME ? &symbol_frames[low] : NULL;
}

/* Goes from a place to its caller; false if there is none. `at` is the place's instruction. */
static bool step_out(struct backtrace_start *place, u64 at)
{
    const struct symbol_frame *frame = frame_find(at);
    u64 end = (u64)arch_stack_end((const u64 *)place->stack);
    u64 caller;

    if (frame == NULL)
        return false;
    caller = place->stack + frame->frame_bytes;
    if (end == place->stack || caller > end || frame->saved_below > frame->frame_bytes)
        return false;
    if (frame->saved_below != 0)
        place->link = *(const u64 *)(caller - frame->saved_below);
    place->pc = place->link;
    place->stack = caller;
    place->link = 0;
    return arch_is_return_address(place->pc);
}

void backtrace_each(const struct backtrace_start *start,
                    void (*each)(void *context, u64 address, const char *name, u64 offset),
                    void *context)
{
    struct backtrace_start place = *start;
    u64 at = place.pc; /* behind a call that never returns another function may begin */

    for (u32 calls = 0; calls < BACKTRACE_CALLS_MAX; calls++, at = place.pc - 1) {
        u64 offset;
        const char *name = symbol_find(at, &offset);

        each(context, place.pc, name, place.pc - at + offset);
        if (offset == at && arch_is_return_address(place.link))
            place.pc = place.link;
        else if (!step_out(&place, at))
            return;
    }
}
