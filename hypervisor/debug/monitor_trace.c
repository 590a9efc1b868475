/* SPDX-License-Identifier: MIT */
/*
 * The monitor's `trace`: what is traced, switching it, and the last records.
 *
 * Rings are read while their harts go on writing. So the last records are first collected, newest
 * first, some in each step, then shown, oldest first. A hart writes a record's time before the rest
 * of it. A record whose time is later than the start of the reading has been overwritten: then the
 * reading ends, with a line that says so, and shows nothing that was not whole.
 */
#include "debug/monitor_commands.h"

#include "printf.h"
#include "string.h"

#include "arch/arch.h"
#include "core/hart.h"
#include "debug/trace.h"
#include "debug/trace_text.h"

enum {
    LAST_USUAL = 16,
    COLLECTED_A_STEP = 4, /* each is looked for on all harts */
    MICROSECONDS = 1000000,
};

enum trace_part {
    PART_START,
    PART_PREPARE, /* rings are made */
    PART_STATE,   /* a line for each hart */
    PART_COLLECT,
    PART_SHOW,
};

static const char *const level_names[TRACE_LEVELS] = {"off", "on", "detail"};

/* ---- reading ---- */

static const struct trace_record *record_at(u32 hart, u64 place)
{
    u64 ring = trace_header.rings[hart].address;

    return (const struct trace_record *)(ring +
                                         place % TRACE_RING_RECORDS * sizeof(struct trace_record));
}

/* Where the hart's next record goes, counted in records; its ring's size: unknown just now. */
static u32 place_of(u32 hart)
{
    u64 offset = READ_ONCE(*READ_ONCE(harts[hart].trace_place)) - trace_header.rings[hart].address;

    return offset < TRACE_RING_BYTES ? (u32)(offset / sizeof(struct trace_record))
                                     : TRACE_RING_RECORDS;
}

/* Reads a record; false: it is not there, or has been overwritten since `before`. */
static bool read_record(u32 hart, u64 place, u64 before, struct trace_record *out)
{
    const struct trace_record *record = record_at(hart, place);
    u64 time = READ_ONCE(record->time);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    *out = (struct trace_record){time, READ_ONCE(record->what), READ_ONCE(record->a),
                                 READ_ONCE(record->b)};
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return time != 0 && time <= before && READ_ONCE(record->time) == time;
}

/* ---- the last records ---- */

static bool begin_collecting(struct monitor_job *job, u32 wanted)
{
    struct monitor_records *records = &job->records;

    records->wanted = wanted;
    records->count = 0;
    for (u32 i = 0; i < hart_count; i++) {
        u32 place;

        records->vm[i] = (u16)READ_ONCE(trace_header.rings[i].vm); /* first: see settle_vm */
        place = place_of(i);
        if (place == TRACE_RING_RECORDS)
            place = place_of(i); /* it was switching */
        if (place == TRACE_RING_RECORDS)
            return false;
        records->next[i] = (u16)place;
        records->left[i] = TRACE_RING_RECORDS;
        records->settled[i] = false;
    }
    records->before = arch_time_now();
    return true;
}

/* A SWITCH record tells who had the hart behind it, and before it. Of records behind the newest one
 * the header said it, unless the hart was switching just then. */
static void settle_vm(struct monitor_records *records, u32 hart, const struct trace_record *record)
{
    if (record->what != TRACE_SWITCH)
        return;
    for (u32 i = 0; !records->settled[hart] && i < records->count; i++) {
        if (records->kept[i].hart == hart)
            records->kept[i].vm = (u16)record->b;
    }
    records->settled[hart] = true;
    records->vm[hart] = (u16)record->a;
}

/* The newest record that was not taken yet, of all harts. 1: found; 0: there is none; negative: it
 * has been overwritten. */
static int collect_one(struct monitor_records *records)
{
    struct trace_record best = {.time = 0}, record;
    u32 from = hart_count;

    for (u32 i = 0; i < hart_count; i++) {
        u64 place = records->next[i] + TRACE_RING_RECORDS - 1;

        if (records->left[i] == 0 || READ_ONCE(record_at(i, place)->time) == 0)
            continue;
        if (!read_record(i, place, records->before, &record))
            return -1;
        if (from == hart_count || record.time > best.time) {
            best = record;
            from = i;
        }
    }
    if (from == hart_count)
        return 0;
    settle_vm(records, from, &best);
    records->kept[records->count++] = (struct monitor_record){best, (u16)from, records->vm[from]};
    records->next[from] = (u16)((records->next[from] + TRACE_RING_RECORDS - 1) %
                                TRACE_RING_RECORDS);
    records->left[from]--;
    return 1;
}

static enum monitor_step collect(struct monitor_job *job)
{
    struct monitor_records *records = &job->records;
    int found = 1;

    for (u32 i = 0; i < COLLECTED_A_STEP && records->count < records->wanted && found > 0; i++)
        found = collect_one(records);
    if (found < 0)
        return monitor_fail(job, "records were overwritten while they were read: ask for fewer, or "
                                 "switch the trace off first (trace off)");
    if (found > 0 && records->count < records->wanted)
        return STEP_MORE;
    if (records->count == 0)
        return monitor_fail(job, "there is no record: switch it on first (trace on)");
    job->part = PART_SHOW;
    return STEP_MORE;
}

/* The name of the VM with that identifier when the record was made. */
static void vm_name_at(u16 id, u64 time, char name[MONITOR_NAME_BYTES])
{
    const struct vm *vm = id >= 1 && id <= vm_count ? vms[id - 1] : NULL;

    if (id == 0)
        strlcpy(name, "-", MONITOR_NAME_BYTES);
    else if (vm != NULL && vm->made_at <= time)
        strlcpy(name, vm->name, MONITOR_NAME_BYTES);
    else
        snprintf(name, MONITOR_NAME_BYTES, "(%u, gone)", id);
}

static enum monitor_step show(struct monitor_job *job)
{
    struct monitor_records *records = &job->records;
    const struct monitor_record *one = &records->kept[--records->count];
    u64 ago = (records->before - one->record.time) * MICROSECONDS / machine.timebase_hz;
    char text[TRACE_TEXT_BYTES], name[MONITOR_NAME_BYTES];

    trace_text(&one->record, text);
    vm_name_at(one->vm, one->record.time, name);
    monitor_say(job, "%9lu us ago  hart %u  %-15s  %s\n", ago, one->hart, name, text);
    monitor_row(job, "\"us_ago\":%lu,\"hart\":%u,\"vm\":\"%s\",\"what\":\"%s\"", ago, one->hart,
                name, text);
    return records->count > 0 ? STEP_MORE : STEP_DONE;
}

/* ---- state ---- */

static enum monitor_step say_hart(struct monitor_job *job)
{
    u32 hart = job->cursor++, place = place_of(hart), count = place;
    bool full = READ_ONCE(record_at(hart, TRACE_RING_RECORDS - 1)->time) != 0;
    u64 now = arch_time_now(), oldest = READ_ONCE(record_at(hart, full ? place + 1 : 0)->time);

    if (full || place == TRACE_RING_RECORDS)
        count = TRACE_RING_RECORDS;
    monitor_say(job, "  hart %u: %s, %u records", hart,
                level_names[READ_ONCE(harts[hart].trace_level)], count);
    if (count > 0 && oldest != 0 && oldest <= now)
        monitor_say(job, " of the last %s s%s", monitor_seconds(now - oldest).text,
                    full ? "; older ones are lost" : ", none is lost");
    monitor_say(job, "\n");
    monitor_row(job, "\"hart\":%u,\"level\":\"%s\",\"records\":%u,\"lost\":%s", hart,
                level_names[READ_ONCE(harts[hart].trace_level)], count, full ? "true" : "false");
    return job->cursor < hart_count ? STEP_MORE : STEP_DONE;
}

static enum monitor_step say_state(struct monitor_job *job)
{
    u32 level = trace_header.level;

    monitor_say(job, "the trace is %s\n", level_names[level]);
    monitor_row(job, "\"trace\":\"%s\",\"ring_records\":%u", level_names[level],
                (u32)TRACE_RING_RECORDS);
    job->part = PART_STATE;
    return trace_ready() ? STEP_MORE : STEP_DONE;
}

/* ---- the command ---- */

static enum monitor_step set_level(struct monitor_job *job, u32 level)
{
    int more = level == TRACE_OFF ? 0 : trace_prepare();

    job->part = PART_PREPARE;
    if (more < 0)
        return monitor_fail(job, "no room for its rings, %u KiB for each hart: destroy a VM",
                            TRACE_RING_BYTES / 1024);
    if (more > 0)
        return STEP_MORE;
    trace_set(level);
    monitor_say(job, "the trace is %s\n", level_names[level]);
    return STEP_DONE;
}

/* `last N`; 0 if that is no number of records that can be shown. */
static u32 parse_count(const char *text)
{
    u32 count = 0;

    if (*text == '\0')
        return LAST_USUAL;
    for (; *text >= '0' && *text <= '9' && count <= MONITOR_RECORDS_MAX; text++)
        count = count * BASE_TEN + (u32)(*text - '0');
    return *text == '\0' && count <= MONITOR_RECORDS_MAX ? count : 0;
}

static enum monitor_step last(struct monitor_job *job, const char *count)
{
    u32 wanted = parse_count(count);

    if (wanted == 0)
        return monitor_fail(job, "'%s' is no number from 1 to %d", count, MONITOR_RECORDS_MAX);
    if (!trace_ready())
        return monitor_fail(job, "there is no record: switch it on first (trace on)");
    if (!begin_collecting(job, wanted))
        return monitor_fail(job, "a hart is switching between VMs again and again: ask once more");
    job->part = PART_COLLECT;
    return STEP_MORE;
}

enum monitor_step monitor_trace_step(struct monitor_job *job)
{
    char word[MONITOR_NAME_BYTES];
    const char *rest = job->argument;

    if (job->part == PART_STATE)
        return say_hart(job);
    if (job->part == PART_COLLECT)
        return collect(job);
    if (job->part == PART_SHOW)
        return show(job);
    if (!monitor_word(&rest, word))
        return say_state(job);
    if (strcmp(word, "last") == 0)
        return last(job, rest);
    for (u32 level = 0; level < TRACE_LEVELS && *rest == '\0'; level++) {
        if (strcmp(word, level_names[level]) == 0)
            return set_level(job, level);
    }
    return monitor_fail(job, "'%s' is not known: trace [on | detail | off | last [N]]",
                        job->argument);
}
