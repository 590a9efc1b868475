/* SPDX-License-Identifier: MIT */
/* Looking at the system, and comparing two looks: see sample.h. */
#include "sample.h"

#include <stdlib.h>

int sample_take(struct sample *sample)
{
    if (frank_times(&sample->times, FRANK_TIMES_WATCH) < 0 || frank_memory(&sample->memory, 0) < 0)
        return -1;
    for (int i = 0; i < (int)sample->times.cpu_count && i < SAMPLE_CPUS_MAX; i++)
        if (frank_times(&sample->cpus[i], FRANK_TIMES_CPU(i)) < 0)
            return -1;
    sample->count = frank_processes(sample->processes, SAMPLE_PROCESSES_MAX);
    return sample->count < 0 ? -1 : 0;
}

static uint64_t interval_ticks(const struct frank_times *before, const struct frank_times *now)
{
    uint64_t ticks = now->ticks - before->ticks;

    return ticks > 0 ? ticks : 1;
}

struct shares sample_shares(const struct frank_times *before, const struct frank_times *now)
{
    double ticks = (double)interval_ticks(before, now);
    struct shares shares = {
        .user = 100.0 * (double)(now->user_ticks - before->user_ticks) / ticks,
        .idle = 100.0 * (double)(now->idle_ticks - before->idle_ticks) / ticks,
        .steal = 100.0 * (double)(now->stolen_ticks - before->stolen_ticks) / ticks,
    };

    shares.system = 100.0 - shares.user - shares.idle - shares.steal;
    return shares;
}

/* How long a process had run before; one that is new, not at all. */
static uint64_t run_ns_before(const struct sample *before, const struct frank_procinfo *process)
{
    for (int i = 0; i < before->count; i++) {
        const struct frank_procinfo *old = &before->processes[i];

        if (old->pid == process->pid)
            return old->run_ns <= process->run_ns ? old->run_ns : 0;
    }
    return 0;
}

static int by_share(const void *one, const void *other)
{
    const struct line *a = one, *b = other;

    if (a->percent != b->percent)
        return a->percent < b->percent ? 1 : -1;
    return a->process->pid < b->process->pid ? -1 : 1;
}

void sample_lines(const struct sample *before, const struct sample *now, struct line *lines)
{
    double seconds = (double)interval_ticks(&before->times, &now->times) /
                     (double)now->times.ticks_per_second / (double)now->times.cpu_count;

    for (int i = 0; i < now->count; i++) {
        uint64_t ran = now->processes[i].run_ns - run_ns_before(before, &now->processes[i]);

        lines[i].process = &now->processes[i];
        lines[i].percent = (double)ran / 1e9 / seconds * 100.0;
    }
    qsort(lines, (size_t)now->count, sizeof(*lines), by_share);
}
