/* SPDX-License-Identifier: MIT */
/* What top knows of one moment, and what happened between two of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frank_system.h"

enum { SAMPLE_PROCESSES_MAX = 1024, SAMPLE_CPUS_MAX = 8 };

struct sample {
    struct frank_times times; /* of all CPUs */
    struct frank_times cpus[SAMPLE_CPUS_MAX];
    struct frank_meminfo memory;
    struct frank_procinfo processes[SAMPLE_PROCESSES_MAX]; /* by pid */
    int count;
};

/* How the time of a CPU, or of all, in an interval was spent, in percent of it; together 100. */
struct shares {
    double user;
    double system;
    double idle;
    double steal;
};

/* A process in an interval. */
struct line {
    const struct frank_procinfo *process;
    double percent; /* of one CPU's time in the interval that it ran */
};

/* Fill in what is there now: 0, or -1 with errno. */
int sample_take(struct sample *sample);

/* From `before` to `now`. */
struct shares sample_shares(const struct frank_times *before, const struct frank_times *now);

/* The processes of `now`, those that ran most in the interval first; `lines` has room for them. */
void sample_lines(const struct sample *before, const struct sample *now, struct line *lines);
