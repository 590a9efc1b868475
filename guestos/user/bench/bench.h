/* SPDX-License-Identifier: MIT */
/*
 * The rows of the comparison. Each is a workload that does `units` of one thing, checks that it was
 * really done, and leaves the counting to its caller.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct meter; /* main.c */

/* What is between these two calls is counted; once in a row. */
void meter_start(struct meter *meter);
void meter_stop(struct meter *meter);

struct row {
    const char *name; /* lmbench's where it has one */
    const char *unit; /* what one unit is */
    unsigned quick_units;
    unsigned full_units;
    /* Returns NULL, or what was wrong with the work done. */
    const char *(*run)(struct meter *meter, unsigned units);
};

extern const struct row rows[];
extern const unsigned row_count;
