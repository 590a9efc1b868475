/* SPDX-License-Identifier: MIT */
/*
 * Trace records as text, for a panic: what a hart did last (trace.h says how a record is coded).
 */
#include "arch/arch.h"
#include "arch/arch_names.h"
#include "candor_dispatch.h"
#include "core/hart.h"
#include "core/vm.h"
#include "debug/panic_parts.h"
#include "debug/trace.h"
#include "string.h"

enum {
    MICROSECONDS = 1000000,
    ENTRY_LIMIT = 0x100, /* entries are below all kinds */
};

static const struct {
    u64 what;
    const char *text, *a, *b;
} kinds[] = {
#define KIND_ROW(name, number, text, a, b) {(number), text, a, b},
    TRACE_KINDS(KIND_ROW)
#undef KIND_ROW
};

static const char *call_name(u64 number)
{
    return number < HC_CALL_COUNT ? hypercall_names[number] : "(no call)";
}

/* A value that a kind does not have is called 0 (trace_kinds.h). */
static void say_value(const char *name, u64 value)
{
    if (strcmp(name, "0") != 0)
        panic_say(", %s %lx", name, value);
}

static void say_record(const struct trace_record *record)
{
    u64 what = record->what;

    if (what == TRACE_CALL) {
        panic_say("hypercall %s, second argument %lx\n", call_name(record->a), record->b);
        return;
    }
    if (what - TRACE_CALL_FAST < HC_CALL_COUNT) {
        panic_say("hypercall %s, arguments %lx %lx, served in assembly\n",
                  call_name(what - TRACE_CALL_FAST), record->a, record->b);
        return;
    }
    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].what == what) {
            panic_say("%s", kinds[i].text);
            say_value(kinds[i].a, record->a);
            say_value(kinds[i].b, record->b);
            panic_say("\n");
            return;
        }
    }
    if (what + HC_CALL_TABLE_MAKE < HC_CALL_TABLE_MAKE)
        panic_say("hypercall %s at pc %lx\n", call_name(what + HC_CALL_TABLE_MAKE), record->a);
    else if (what < ENTRY_LIMIT || what >> 63 != 0)
        panic_say("entry: %s at pc %lx\n", arch_entry_name(arch_record_cause(what)), record->a);
    else
        panic_say("standard call at pc %lx\n", record->a);
}

void panic_say_records(const struct hart *hart, u32 count, u64 now)
{
    u64 ring = trace_header.rings[hart->index].address;
    u64 next;

    if (trace_header.level == TRACE_OFF)
        return;
    next = *hart->trace_place - ring;
    panic_say("    its last records, and microseconds since:\n");
    for (u32 i = count; i > 0; i--) {
        u64 at = (next - i * sizeof(struct trace_record)) % TRACE_RING_BYTES;
        const struct trace_record *record = (const struct trace_record *)(ring + at);

        if (record->time == 0 || record->time > now)
            continue; /* never written, or since then */
        panic_say("    %8lu  ", (now - record->time) * MICROSECONDS / machine.timebase_hz);
        say_record(record);
    }
}
