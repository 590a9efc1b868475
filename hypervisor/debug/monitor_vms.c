/* SPDX-License-Identifier: MIT */
/*
 * The monitor's tables of VMs: `vms`, `vms -v`, `top`.
 */
#include "debug/monitor_commands.h"

#include "candor_dispatch.h"
#include "printf.h"
#include "string.h"

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "core/machine.h"
#include "core/sched.h"

enum {
    COUNT_LINE_WIDTH = 90,
    COUNTS_A_STEP = 8, /* looked at */
    PERCENT = 100,
    MILLISECONDS = 1000,
};

const char *monitor_state(const struct vm *vm)
{
    switch ((enum vm_state)vm->state) {
    case VM_BUILDING:
        return "starting";
    case VM_ENDING:
        return "ending";
    case VM_OFF:
        return "off";
    case VM_RUNNING:
        if (vm->paused)
            return "paused";
        for (u32 i = 0; i < vm->vcpu_count; i++) {
            if (vm->vcpus[i].state == VCPU_RUNNABLE)
                return "running";
        }
        return "idle";
    }
    return "?";
}

/* Sums the times of a VM's vCPUs; the hart is the first one's. */
static struct vcpu_times read_times(struct vm *vm)
{
    struct vcpu_times times = {0, 0, 0, 0};

    for (u32 i = vm->vcpu_count; i-- > 0;) {
        struct vcpu_times one = sched_times(&vm->vcpus[i]);

        times.running += one.running;
        times.idle += one.idle;
        times.steal += one.steal;
        times.hart = one.hart;
    }
    return times;
}

static u64 milliseconds(u64 ticks)
{
    u64 hz = max(machine.timebase_hz, (u64)1);

    return ticks / hz * MILLISECONDS + ticks % hz * MILLISECONDS / hz;
}

/* ---- vms ---- */

static u64 total(const u64 *counts, u32 count)
{
    u64 sum = 0;

    for (u32 i = 0; i < count; i++)
        sum += counts[i];
    return sum;
}

static struct monitor_sample sample(struct vm *vm)
{
    u64 now = arch_time_now();
    struct vcpu_times times = read_times(vm);
    struct monitor_sample s = {
        .serial = vm->serial, .time = now, .running = times.running, .steal = times.steal};

    for (u32 i = 0; i < vm->vcpu_count; i++) {
        const struct counters *counts = &vm->vcpus[i].counts;

        s.calls += total(counts->calls, ARRAY_SIZE(counts->calls)) + counts->standard_calls;
        s.traps += total(counts->entries, ARRAY_SIZE(counts->entries));
    }
    return s;
}

/* Rounded to the nearest. */
static u64 percent(u64 part, u64 span, u32 vcpus)
{
    return span > 0 ? min((part * PERCENT + span / 2) / span, (u64)PERCENT * vcpus) : 0;
}

/* What the job saw when it last looked at this VM; nothing if that was another with its number. */
static struct monitor_sample *last_sample(struct monitor_job *job, const struct vm *vm)
{
    struct monitor_sample *last = &job->samples[vm->id - 1];

    if (last->serial != vm->serial)
        *last = (struct monitor_sample){.serial = vm->serial};
    return last;
}

static void say_vm(struct monitor_job *job, struct vm *vm)
{
    struct monitor_sample now = sample(vm), *base = last_sample(job, vm);
    struct vcpu_times times = read_times(vm);
    u64 known = (times.running + times.idle + times.steal) / max(vm->vcpu_count, 1u);
    u64 span = base->time != 0 ? now.time - base->time : known;
    u64 share = percent(now.running - base->running, span, vm->vcpu_count);

    *base = now;
    if (!job->for_program) {
        monitor_say(job, "%2u  %-15s %-8s %9s %9s %9s  %4lu%%  %7u  %4u\n", vm->id, vm->name,
                    monitor_state(vm), monitor_seconds(times.running).text,
                    monitor_seconds(times.idle).text, monitor_seconds(times.steal).text, share,
                    vm->reboots, times.hart);
        return;
    }
    monitor_row(
        job,
        "\"number\":%u,\"vm\":\"%s\",\"state\":\"%s\",\"running_ms\":%lu,\"idle_ms\":%lu,"
        "\"steal_ms\":%lu,\"share_percent\":%lu,\"reboots\":%u,\"memory_bytes\":%lu,\"hart\":%u,"
        "\"weight\":%u",
        vm->id, vm->name, monitor_state(vm), milliseconds(times.running), milliseconds(times.idle),
        milliseconds(times.steal), share, vm->reboots, vm->config.memory_bytes, times.hart,
        vm->vcpus[0].weight);
}

/* ---- vms -v: the counts that are not 0, as lines of a terminal's width, or one row ---- */

static void counts_begin(struct monitor_job *job, const char *title, const struct vm *vm)
{
    job->counts = (struct monitor_counts){.title = title, .next = job->counts.next};
    monitor_row_begin(job);
    monitor_row_add(job, "\"vm\":\"%s\",\"%s\":{", vm->name, title);
}

static void counts_flush(struct monitor_job *job)
{
    struct monitor_counts *line = &job->counts;

    if (line->items > 0)
        monitor_say(job, "%s\n", line->text);
    line->used = 0;
    line->items = 0;
}

static void counts_add(struct monitor_job *job, const char *name, u64 count)
{
    struct monitor_counts *line = &job->counts;

    if (count == 0)
        return;
    monitor_row_add(job, "%s\"%s\":%lu", line->row_items++ > 0 ? "," : "", name, count);
    if (job->for_program)
        return;
    if (line->used > COUNT_LINE_WIDTH)
        counts_flush(job);
    if (line->items == 0)
        line->used = (u32)snprintf(line->text, sizeof(line->text), "    %-8s", line->title);
    line->used += (u32)snprintf(line->text + line->used, sizeof(line->text) - line->used, " %s %lu",
                                name, count);
    line->items++;
}

static void counts_end(struct monitor_job *job)
{
    counts_flush(job);
    monitor_row_add(job, "}");
    monitor_row_end(job);
}

static u64 entries_of(const struct vm *vm, u32 cause)
{
    u64 count = 0;

    for (u32 i = 0; i < vm->vcpu_count; i++)
        count += vm->vcpus[i].counts.entries[cause];
    return count;
}

/* Some of the entries by cause; true when all are out. */
static bool say_entries(struct monitor_job *job, const struct vm *vm)
{
    struct monitor_counts *line = &job->counts;

    if (line->next == 0)
        counts_begin(job, "entries", vm);
    for (u32 end = line->next + COUNTS_A_STEP; line->next < end; line->next++) {
        u64 count = entries_of(vm, line->next);
        const char *name = arch_entry_name(line->next);

        if (count != 0 && strcmp(name, "other") == 0)
            line->others += count;
        else
            counts_add(job, name, count);
    }
    if (line->next < ENTRY_CAUSES)
        return false;
    counts_add(job, "other", line->others);
    counts_end(job);
    return true;
}
_Static_assert(ENTRY_CAUSES % COUNTS_A_STEP == 0, "whole steps");

static u64 calls_of(const struct vm *vm, u32 number)
{
    u64 count = 0;

    for (u32 i = 0; i < vm->vcpu_count; i++)
        count += vm->vcpus[i].counts.calls[number];
    return count;
}

/* The same of the calls by name. */
static bool say_calls(struct monitor_job *job, const struct vm *vm)
{
    struct monitor_counts *line = &job->counts;
    u64 standard = 0, upcalls = 0;

    if (line->next == 0)
        counts_begin(job, "calls", vm);
    for (u32 end = line->next + COUNTS_A_STEP; line->next < min(end, (u32)HC_CALL_COUNT);
         line->next++)
        counts_add(job, hypercall_names[line->next], calls_of(vm, line->next));
    if (line->next < HC_CALL_COUNT)
        return false;
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        standard += vm->vcpus[i].counts.standard_calls;
        upcalls += vm->vcpus[i].counts.upcalls;
    }
    counts_add(job, "(standard)", standard);
    counts_add(job, "(upcalls)", upcalls);
    counts_end(job);
    return true;
}

/* The same of what its path counts, by groups. */
static bool say_path(struct monitor_job *job, const struct vm *vm)
{
    struct monitor_counts *line = &job->counts;
    struct virt_count count = {NULL, NULL, 0};
    for (u32 end = line->next + COUNTS_A_STEP; line->next < end; line->next++) {
        bool more = vm->virt->count(vm, line->next, &count);

        if (line->next > 0 && (!more || strcmp(count.group, line->title) != 0))
            counts_end(job);
        if (!more)
            return true;
        if (line->next == 0 || strcmp(count.group, line->title) != 0)
            counts_begin(job, count.group, vm);
        if (count.name != NULL)
            counts_add(job, count.name, count.value);
    }
    return false;
}

/* The VM at the job's cursor that it is in the middle of; NULL: it went meanwhile, or none is. */
static struct vm *vm_in_hand(const struct monitor_job *job)
{
    struct vm *vm = job->cursor < vm_count ? vms[job->cursor] : NULL;

    return vm != NULL && vm->serial == job->target.serial ? vm : NULL;
}

enum counts_part { PART_NONE, PART_ENTRIES, PART_CALLS, PART_PATH };

/* A piece of one part of a VM's counts; true when all of it is out. */
static bool say_part(struct monitor_job *job, const struct vm *vm)
{
    switch ((enum counts_part)job->part) {
    case PART_ENTRIES:
        return say_entries(job, vm);
    case PART_CALLS:
        return say_calls(job, vm);
    default:
        return vm->virt->count == NULL || say_path(job, vm);
    }
}

/* One more piece of a VM's entries, of its calls, then of what its path counts; those of a VM that
 * is gone end. */
static void say_counts(struct monitor_job *job)
{
    const struct vm *vm = vm_in_hand(job);

    if (vm == NULL) {
        counts_end(job);
        job->part = PART_NONE;
    } else {
        if (!say_part(job, vm))
            return;
        job->part = job->part < PART_PATH ? job->part + 1 : PART_NONE;
    }
    job->counts.next = 0;
    if (job->part == PART_NONE)
        job->cursor++;
}

enum monitor_step monitor_vms_step(struct monitor_job *job)
{
    bool counts = strcmp(job->argument, "-v") == 0;
    struct vm *vm;

    if (!counts && *job->argument != '\0')
        return monitor_fail(job, "'%s' is not known; -v shows counts too", job->argument);
    if (job->step == 0) {
        job->counts.next = 0;
        monitor_say(job, " #  %-15s %-8s %9s %9s %9s  %5s  %7s  %s\n", "VM", "state", "run s",
                    "idle s", "stolen s", "share", "reboots", "hart");
    } else if (job->part != 0) {
        say_counts(job);
    } else if ((vm = monitor_next_vm(&job->cursor)) != NULL) {
        say_vm(job, vm);
        job->target.serial = vm->serial;
        job->part = counts ? PART_ENTRIES : PART_NONE;
        job->cursor += !counts;
    }
    return job->part != 0 || monitor_next_vm(&job->cursor) != NULL ? STEP_MORE : STEP_DONE;
}

/* ---- top ---- */

static u64 a_second(u64 count, u64 span)
{
    return span > 0 ? count * machine.timebase_hz / span : 0;
}

static void say_rates(struct monitor_job *job, struct vm *vm)
{
    struct monitor_sample now = sample(vm), *base = last_sample(job, vm);
    u64 span = now.time - base->time;

    monitor_say(job, "%2u  %-15s %-8s %4lu%%  %4lu%% %10lu %10lu  %6lu M  %6u\n", vm->id, vm->name,
                monitor_state(vm), percent(now.running - base->running, span, vm->vcpu_count),
                percent(now.steal - base->steal, span, vm->vcpu_count),
                a_second(now.calls - min(base->calls, now.calls), span),
                a_second(now.traps - min(base->traps, now.traps), span),
                vm->state == VM_OFF ? 0 : vm->config.memory_bytes >> MIB_SHIFT,
                vm->vcpus[0].weight);
    *base = now;
}

/* The table is written over the last one only if nobody has said anything since: no line of a VM is
 * ever taken off the screen. */
static void say_rate_heads(struct monitor_job *job)
{
    struct console_activity now = console_activity(), *last = &job->activity;

    if (job->rows > 0 && job->undisturbed && !last->guests_pending &&
        now.guest_bytes == last->guest_bytes && now.system_bytes == last->system_bytes)
        monitor_say(job, "\033[%uA\033[J", job->rows);
    monitor_say(job, " #  %-15s %-8s %5s  %5s %10s %10s  %8s  %6s\n", "VM", "state", "share",
                "steal", "calls/s", "traps/s", "memory", "weight");
    job->rows = 1;
    *last = now;
}

static void remember_table(struct monitor_job *job)
{
    struct console_activity now = console_activity(), *last = &job->activity;

    job->undisturbed = now.guest_bytes == last->guest_bytes && !last->guests_pending;
    *last = now;
}

/* What the first table's rates count from, a VM in each step. */
static enum monitor_step sample_next(struct monitor_job *job)
{
    struct vm *vm = monitor_next_vm(&job->cursor);

    if (job->step == 0)
        monitor_say(job, "each second anew, until a key is typed\n");
    if (vm != NULL) {
        job->samples[job->cursor++] = sample(vm);
        return STEP_MORE;
    }
    job->sampled = true;
    job->undisturbed = false;
    return monitor_wait(job, machine.timebase_hz);
}

enum monitor_step monitor_top_step(struct monitor_job *job)
{
    struct vm *vm;

    if (job->for_program)
        return monitor_fail(job, "it is for a terminal; ask for vms again and again");
    if (!job->sampled)
        return sample_next(job);
    if (job->part == 0) {
        say_rate_heads(job);
        job->part = 1;
        job->cursor = 0;
    } else if ((vm = monitor_next_vm(&job->cursor)) != NULL) {
        say_rates(job, vm);
        job->rows++;
        job->cursor++;
    }
    if (monitor_next_vm(&job->cursor) != NULL)
        return STEP_MORE;
    remember_table(job);
    job->part = 0;
    return monitor_wait(job, machine.timebase_hz);
}
