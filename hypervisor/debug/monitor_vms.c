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
    COUNT_LINE_BYTES = 256,
    STEPS_A_VM = 3, /* of `vms -v` */
    PERCENT = 100,
    MILLISECONDS = 1000,
    MIB_SHIFT = 20,
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
    struct monitor_sample s = {.time = now, .running = times.running, .steal = times.steal};

    for (u32 i = 0; i < vm->vcpu_count; i++) {
        const struct counters *counts = &vm->vcpus[i].counts;

        s.calls += total(counts->calls, ARRAY_SIZE(counts->calls)) + counts->standard_calls;
        s.traps += total(counts->entries, ARRAY_SIZE(counts->entries));
    }
    return s;
}

static u64 percent(u64 part, u64 span, u32 vcpus)
{
    return span > 0 ? min(part * PERCENT / span, (u64)PERCENT * vcpus) : 0;
}

static void say_vm(struct monitor_job *job, struct vm *vm)
{
    struct monitor_sample now = sample(vm), *base = &job->samples[vm->id - 1];
    struct vcpu_times times = read_times(vm);
    u64 known = (times.running + times.idle + times.steal) / max(vm->vcpu_count, 1u);
    u64 span = base->time != 0 ? now.time - base->time : known;
    u64 share = percent(now.running - base->running, span, vm->vcpu_count);

    monitor_say(job, "%2u  %-15s %-8s %9s %9s %9s  %4lu%%  %7u  %4u\n", vm->id, vm->name,
                monitor_state(vm), monitor_seconds(times.running).text,
                monitor_seconds(times.idle).text, monitor_seconds(times.steal).text, share,
                vm->reboots, times.hart);
    monitor_row(
        job,
        "\"number\":%u,\"vm\":\"%s\",\"state\":\"%s\",\"running_ms\":%lu,\"idle_ms\":%lu,"
        "\"steal_ms\":%lu,\"share_percent\":%lu,\"reboots\":%u,\"memory_bytes\":%lu,\"hart\":%u",
        vm->id, vm->name, monitor_state(vm), milliseconds(times.running), milliseconds(times.idle),
        milliseconds(times.steal), share, vm->reboots, vm->config.memory_bytes, times.hart);
    *base = now;
}

/* Puts out the counts that are not 0: lines of a terminal's width, or one row. */
struct count_line {
    const struct monitor_job *job;
    const char *title;
    char text[COUNT_LINE_BYTES];
    u32 used;
    u32 items;
    u32 row_items;
};

static void count_line_begin(struct count_line *line, const struct monitor_job *job,
                             const char *title, const struct vm *vm)
{
    *line = (struct count_line){.job = job, .title = title};
    monitor_row_begin(job);
    monitor_row_add("\"vm\":\"%s\",\"%s\":{", vm->name, title);
}

static void count_line_flush(struct count_line *line)
{
    if (line->items > 0)
        monitor_say(line->job, "%s\n", line->text);
    line->used = 0;
    line->items = 0;
}

static void count_line_add(struct count_line *line, const char *name, u64 count)
{
    if (count == 0)
        return;
    monitor_row_add("%s\"%s\":%lu", line->row_items++ > 0 ? "," : "", name, count);
    if (line->used > COUNT_LINE_WIDTH)
        count_line_flush(line);
    if (line->items == 0)
        line->used = (u32)snprintf(line->text, sizeof(line->text), "    %-8s", line->title);
    line->used += (u32)snprintf(line->text + line->used, sizeof(line->text) - line->used, " %s %lu",
                                name, count);
    line->items++;
}

static void count_line_end(struct count_line *line)
{
    count_line_flush(line);
    monitor_row_add("}");
    monitor_row_end();
}

static void say_entries(const struct monitor_job *job, const struct vm *vm)
{
    struct count_line line;
    u64 others = 0;

    count_line_begin(&line, job, "entries", vm);
    for (u32 cause = 0; cause < ENTRY_CAUSES; cause++) {
        const char *name = arch_entry_name(cause);
        u64 count = 0;

        for (u32 i = 0; i < vm->vcpu_count; i++)
            count += vm->vcpus[i].counts.entries[cause];
        if (strcmp(name, "other") == 0)
            others += count;
        else
            count_line_add(&line, name, count);
    }
    count_line_add(&line, "other", others);
    count_line_end(&line);
}

static void say_calls(const struct monitor_job *job, const struct vm *vm)
{
    struct count_line line;
    u64 standard = 0, upcalls = 0;

    count_line_begin(&line, job, "calls", vm);
    for (u32 number = 0; number < HC_CALL_COUNT; number++) {
        u64 count = 0;

        for (u32 i = 0; i < vm->vcpu_count; i++)
            count += vm->vcpus[i].counts.calls[number];
        count_line_add(&line, hypercall_names[number], count);
    }
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        standard += vm->vcpus[i].counts.standard_calls;
        upcalls += vm->vcpus[i].counts.upcalls;
    }
    count_line_add(&line, "(standard)", standard);
    count_line_add(&line, "(upcalls)", upcalls);
    count_line_end(&line);
}

enum monitor_step monitor_vms_step(struct monitor_job *job)
{
    bool counts = strcmp(job->argument, "-v") == 0;
    u32 steps_a_vm = counts ? STEPS_A_VM : 1;
    u32 steps = vm_count * steps_a_vm;

    if (!counts && *job->argument != '\0')
        return monitor_fail(job, "'%s' is not known; -v shows entries and calls too",
                            job->argument);
    if (job->step == 0) {
        monitor_say(job, " #  %-15s %-8s %9s %9s %9s  %5s  %7s  %s\n", "VM", "state", "run s",
                    "idle s", "stolen s", "share", "reboots", "hart");
        return steps > 0 ? STEP_MORE : STEP_DONE;
    }
    struct vm *vm = vms[(job->step - 1) / steps_a_vm];
    switch ((job->step - 1) % steps_a_vm) {
    case 0:
        say_vm(job, vm);
        break;
    case 1:
        say_entries(job, vm);
        break;
    default:
        say_calls(job, vm);
    }
    return job->step < steps ? STEP_MORE : STEP_DONE;
}

/* ---- top ---- */

static u64 a_second(u64 count, u64 span)
{
    return span > 0 ? count * machine.timebase_hz / span : 0;
}

static void say_rates(struct monitor_job *job, struct vm *vm)
{
    struct monitor_sample now = sample(vm), *base = &job->samples[vm->id - 1];
    u64 span = now.time - base->time;

    monitor_say(job, "%2u  %-15s %-8s %4lu%%  %4lu%% %10lu %10lu  %6lu M\n", vm->id, vm->name,
                monitor_state(vm), percent(now.running - base->running, span, vm->vcpu_count),
                percent(now.steal - base->steal, span, vm->vcpu_count),
                a_second(now.calls - min(base->calls, now.calls), span),
                a_second(now.traps - min(base->traps, now.traps), span),
                vm->state == VM_OFF ? 0 : vm->config.memory_bytes >> MIB_SHIFT);
    *base = now;
}

/* The table is written over the last one only if nobody has said anything since: no line of a VM is
 * ever taken off the screen. */
static void say_rate_heads(struct monitor_job *job)
{
    struct console_activity now = console_activity(), *last = &job->activity;

    if (job->undisturbed && !last->guests_pending && now.guest_bytes == last->guest_bytes &&
        now.system_bytes == last->system_bytes)
        monitor_say(job, "\033[%uA\033[J", vm_count + 1);
    monitor_say(job, " #  %-15s %-8s %5s  %5s %10s %10s  %8s\n", "VM", "state", "share", "steal",
                "calls/s", "traps/s", "memory");
    *last = now;
}

static void remember_table(struct monitor_job *job)
{
    struct console_activity now = console_activity(), *last = &job->activity;

    job->undisturbed = now.guest_bytes == last->guest_bytes && !last->guests_pending;
    *last = now;
}

enum monitor_step monitor_top_step(struct monitor_job *job)
{
    u32 line = (job->step + vm_count) %
               (vm_count + 1); /* of the table; the first step comes before */

    if (job->for_program)
        return monitor_fail(job, "it is for a terminal; ask for vms again and again");
    if (job->step == 0) {
        for (u32 i = 0; i < vm_count; i++)
            job->samples[i] = sample(vms[i]);
        job->undisturbed = false;
        monitor_say(job, "each second anew, until a key is typed\n");
        return STEP_WAIT;
    }
    if (line == 0) {
        say_rate_heads(job);
        return vm_count > 0 ? STEP_MORE : STEP_WAIT;
    }
    say_rates(job, vms[line - 1]);
    if (line < vm_count)
        return STEP_MORE;
    remember_table(job);
    return STEP_WAIT;
}
