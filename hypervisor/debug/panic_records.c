/* SPDX-License-Identifier: MIT */
/*
 * The last trace records of a hart, for a panic.
 */
#include "core/hart.h"
#include "debug/panic_parts.h"
#include "debug/trace.h"
#include "debug/trace_text.h"

enum { MICROSECONDS = 1000000 };

void panic_say_records(const struct hart *hart, u32 count, u64 now)
{
    u64 ring = trace_header.rings[hart->index].address;
    char text[TRACE_TEXT_BYTES];
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
        trace_text(record, text);
        panic_say("    %8lu  %s\n", (now - record->time) * MICROSECONDS / machine.timebase_hz,
                  text);
    }
}
