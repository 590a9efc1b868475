/* SPDX-License-Identifier: MIT */
/*
 * Longest stays: see stay.h. Each hart measures for itself; what is read out is the longest of all.
 */
#include "debug/stay.h"

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "candor_dispatch.h"
#include "core/hart.h"
#include "core/vcpu.h"
#include "debug/monitor.h"
#include "printf.h"

static struct {
    u64 begun; /* count of instructions; 0: no stretch */
    u32 kind;
    u64 longest[STAY_KINDS];
} stays[HARTS_MAX];

void stay_end_measured(void)
{
    u32 hart = arch_hart()->index;
    u64 length = arch_instruction_count() - stays[hart].begun + STAY_OUTSIDE;

    if (stays[hart].begun != 0)
        stays[hart].longest[stays[hart].kind] = max(stays[hart].longest[stays[hart].kind], length);
    stays[hart].begun = 0;
}

void stay_begin_measured(u32 kind)
{
    u32 hart = arch_hart()->index;

    stay_end_measured();
    stays[hart].kind = kind;
    stays[hart].begun = arch_instruction_count();
}

void stay_is_measured(u32 kind)
{
    stays[arch_hart()->index].kind = kind;
}

u64 stay_longest(u32 kind)
{
    u64 longest = 0;

    for (u32 i = 0; i < hart_count; i++)
        longest = max(longest, READ_ONCE(stays[i].longest[kind]));
    return longest;
}

const char *stay_name(u32 kind)
{
    static char command[32];

    if (kind < STAY_STANDARD)
        return hypercall_names[kind];
    if (kind >= STAY_TRAPS && kind < STAY_BUILDING)
        return arch_entry_name(kind - STAY_TRAPS);
    if (kind >= STAY_COMMANDS) {
        snprintf(command, sizeof(command), "monitor:%s",
                 monitor_command_name(kind - STAY_COMMANDS));
        return command;
    }
    switch (kind) {
    case STAY_STANDARD:
        return "(standard)";
    case STAY_BUILDING:
        return "(building)";
    case STAY_ENDING:
        return "(ending)";
    case STAY_WOKEN:
        return "(woken)";
    default:
        return "(switching)";
    }
}
