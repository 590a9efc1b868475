/* SPDX-License-Identifier: MIT */
/*
 * Symbols and backtraces: see backtrace.h. The table is sorted by address; the build makes it
 * (symbols.h).
 */
#include "debug/backtrace.h"

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "debug/symbols.h"

enum {
    STACK_WORDS_MAX = 2048,
    CALLS_MAX = 32,
};

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

void backtrace_each(const u64 *stack,
                    void (*each)(void *context, u64 address, const char *name, u64 offset),
                    void *context)
{
    const u64 *end = arch_stack_end(stack);
    u32 calls = 0;

    for (u32 i = 0; i < STACK_WORDS_MAX && stack + i < end && calls < CALLS_MAX; i++) {
        u64 offset;

        if (!arch_is_return_address(stack[i]))
            continue;
        const char *name = symbol_find(stack[i], &offset);
        each(context, stack[i], name, offset);
        calls++;
    }
}
