/* SPDX-License-Identifier: MIT */
/*
 * Trace records as text: trace.h says how a record is coded.
 */
#include "debug/trace_text.h"

#include "printf.h"
#include "string.h"

#include "arch/arch_names.h"
#include "candor_dispatch.h"
#include "debug/trace.h"

enum {
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
static u32 put_value(char *out, u32 room, const char *name, u64 value)
{
    return strcmp(name, "0") != 0 ? (u32)snprintf(out, room, ", %s %lx", name, value) : 0;
}

static bool kind_text(const struct trace_record *record, char out[TRACE_TEXT_BYTES])
{
    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        u32 used;

        if (kinds[i].what != record->what)
            continue;
        used = (u32)snprintf(out, TRACE_TEXT_BYTES, "%s", kinds[i].text);
        used += put_value(out + used, TRACE_TEXT_BYTES - used, kinds[i].a, record->a);
        put_value(out + used, TRACE_TEXT_BYTES - used, kinds[i].b, record->b);
        return true;
    }
    return false;
}

void trace_text(const struct trace_record *record, char out[TRACE_TEXT_BYTES])
{
    u64 what = record->what;

    if (what == TRACE_CALL)
        snprintf(out, TRACE_TEXT_BYTES, "hypercall %s, second argument %lx", call_name(record->a),
                 record->b);
    else if (what - TRACE_CALL_FAST < HC_CALL_COUNT)
        snprintf(out, TRACE_TEXT_BYTES, "hypercall %s, arguments %lx %lx, served in assembly",
                 call_name(what - TRACE_CALL_FAST), record->a, record->b);
    else if (kind_text(record, out))
        return;
    else if (what + HC_CALL_TABLE_MAKE < HC_CALL_TABLE_MAKE)
        snprintf(out, TRACE_TEXT_BYTES, "hypercall %s at pc %lx",
                 call_name(what + HC_CALL_TABLE_MAKE), record->a);
    else if (what < ENTRY_LIMIT || what >> 63 != 0)
        snprintf(out, TRACE_TEXT_BYTES, "entry: %s at pc %lx",
                 arch_entry_name(arch_record_cause(what)), record->a);
    else
        snprintf(out, TRACE_TEXT_BYTES, "standard call at pc %lx", record->a);
}
