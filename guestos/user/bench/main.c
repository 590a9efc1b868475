/* SPDX-License-Identifier: MIT */
/*
 * bench [quick] [ROW...]: counts the instructions of the comparison's rows.
 *
 * It is started by init and under `-icount`, where the instruction counter is exact, and goes on
 * while the machine sleeps: time asleep is counted beside it. Nothing is printed while a row runs:
 * a row becomes a line of a file in memory, which is printed in the end. A line is JSON behind
 * "bench: ", for bench/compare.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frank_system.h"

struct meter {
    uint64_t instructions;
    uint64_t idle_ticks;
    struct frank_counters before, after;
};

static const char results_path[] = "/bench-results";

static uint64_t instructions_now(void)
{
    uint64_t value;

    __asm__ volatile("rdinstret %0" : "=r"(value) : : "memory");
    return value;
}

void meter_start(struct meter *meter)
{
    (void)frank_counters(&meter->before);
    meter->idle_ticks = frank_idle_ticks();
    meter->instructions = instructions_now();
}

void meter_stop(struct meter *meter)
{
    meter->instructions = instructions_now() - meter->instructions;
    meter->idle_ticks = frank_idle_ticks() - meter->idle_ticks;
    (void)frank_counters(&meter->after);
}

/* An array of counters as a JSON object: those that grew, by number. */
static void print_growth(FILE *results, const char *name, const uint64_t *before,
                         const uint64_t *after, unsigned count)
{
    const char *separator = "";

    fprintf(results, ", \"%s\": {", name);
    for (unsigned i = 0; i < count; i++) {
        if (after[i] != before[i]) {
            fprintf(results, "%s\"%u\": %llu", separator, i,
                    (unsigned long long)(after[i] - before[i]));
            separator = ", ";
        }
    }
    fprintf(results, "}");
}

static bool run_row(FILE *results, const struct row *row, unsigned units)
{
    static struct meter meter;
    const char *wrong = row->run(&meter, units);

    fprintf(results, "bench: {\"row\": \"%s\", \"unit\": \"%s\", \"units\": %u, ", row->name,
            row->unit, units);
    if (wrong) {
        fprintf(results, "\"error\": \"%s\"}\n", wrong);
        return false;
    }
    fprintf(results, "\"instructions\": %llu, \"idle_ticks\": %llu, \"flushes\": %llu",
            (unsigned long long)meter.instructions, (unsigned long long)meter.idle_ticks,
            (unsigned long long)(meter.after.flushes - meter.before.flushes));
    print_growth(results, "entries", meter.before.entries, meter.after.entries,
                 FRANK_COUNTERS_ENTRIES);
    print_growth(results, "hypercalls", meter.before.calls, meter.after.calls,
                 FRANK_COUNTERS_CALLS);
    fprintf(results, "}\n");
    return true;
}

/* Whether a row is wanted: all are, unless some are named ('_' for a space). */
static bool is_wanted(const struct row *row, int names, char **name)
{
    for (int i = 0; i < names; i++) {
        const char *a = row->name, *b = name[i];

        while (*a && (*a == *b || (*a == ' ' && *b == '_')))
            a++, b++;
        if (*a == *b)
            return true;
    }
    return names == 0;
}

static void print_file(FILE *file)
{
    char line[1024];

    rewind(file);
    while (fgets(line, sizeof(line), file))
        fputs(line, stdout);
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "quick") == 0;
    FILE *results = fopen(results_path, "w+");
    bool good = true;

    if (!results) {
        perror(results_path);
        return EXIT_FAILURE;
    }
    for (unsigned i = 0; i < row_count; i++) {
        if (is_wanted(&rows[i], argc - 1 - quick, argv + 1 + quick))
            good &= run_row(results, &rows[i], quick ? rows[i].quick_units : rows[i].full_units);
    }
    print_file(results);
    printf("bench: done\n");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
