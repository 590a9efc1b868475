/* SPDX-License-Identifier: MIT */
/*
 * top [-d SECONDS] [-n COUNT]: what the processor and the processes did, again and again.
 *
 * Each picture is of the interval since the one before: one second, or as -d says. On a terminal it
 * is drawn in place, as many processes as 24 lines hold, until q or ^C is typed; elsewhere, and
 * where -n says how many there shall be, pictures follow one another with all processes in them.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sample.h"
#include "state_name.h"

enum {
    SCREEN_LINES = 24,
    HEAD_LINES = 5,
    KEY_INTERRUPT = 3, /* ^C */
};

struct options {
    double seconds;
    long count; /* of pictures; 0: no end */
    bool drawn; /* in place, on a terminal */
};

static const char *line_end; /* clears the rest of the line where pictures are drawn in place */

static void print_shares(const char *name, const struct shares *shares)
{
    printf("%s: user %.1f %%, system %.1f %%, idle %.1f %%, steal %.1f %%%s\n", name, shares->user,
           shares->system, shares->idle, shares->steal, line_end);
}

static void print_head(const struct sample *before, const struct sample *now)
{
    struct shares shares = sample_shares(&before->times, &now->times);
    unsigned cpu_count = (unsigned)now->times.cpu_count;
    unsigned long seconds = now->times.ticks / cpu_count / now->times.ticks_per_second;
    unsigned long page_kib = (unsigned long)getpagesize() / 1024;
    unsigned long total = now->memory.total_pages * page_kib;
    unsigned long free_kib = now->memory.free_pages * page_kib;
    int active = 0;

    for (int i = 0; i < now->count; i++)
        active += now->processes[i].state <= FRANK_PROCESS_RUNNABLE;
    printf("up %lu:%02lu:%02lu, %d tasks: %d active; load %.2f%s\n", seconds / 3600,
           seconds / 60 % 60, seconds % 60, now->count, active,
           cpu_count * (1.0 - shares.idle / 100.0), line_end);
    printf("memory: %lu KiB, %lu used, %lu free%s\n", total, total - free_kib, free_kib, line_end);
    print_shares("cpu", &shares);
    for (unsigned i = 0; cpu_count > 1 && i < cpu_count; i++) {
        char name[] = {'c', 'p', 'u', (char)('0' + i), 0};

        shares = sample_shares(&before->cpus[i], &now->cpus[i]);
        print_shares(name, &shares);
    }
    printf("%s\n", line_end);
    printf("%5s %5s %-7s %6s %8s %10s  %s%s\n", "PID", "PPID", "STATE", "%CPU", "KIB", "TIME",
           "COMMAND", line_end);
}

static void print_picture(const struct sample *before, const struct sample *now, bool drawn)
{
    static struct line lines[SAMPLE_PROCESSES_MAX];
    int cpu_lines = now->times.cpu_count > 1 ? (int)now->times.cpu_count : 0;
    int room = SCREEN_LINES - HEAD_LINES - 1 - cpu_lines, shown = now->count;

    if (drawn && shown > room)
        shown = room;
    if (drawn)
        printf("\033[H");
    print_head(before, now);
    sample_lines(before, now, lines);
    for (int i = 0; i < shown; i++) {
        const struct frank_procinfo *process = lines[i].process;
        unsigned long kib = process->page_count * (unsigned long)getpagesize() / 1024;

        printf("%5d %5d %-7s %6.1f %8lu %9.2fs  %s%s\n", (int)process->pid,
               (int)process->parent_pid, state_name(process->state), lines[i].percent, kib,
               (double)process->run_ns / 1e9, process->name, line_end);
    }
    printf(drawn ? "\033[J" : "\n");
    fflush(stdout);
}

/* Let the interval pass. True: the user wants to stop. */
static bool wait_for_end(const struct options *options)
{
    long milliseconds = (long)(options->seconds * 1000.0);
    struct timespec request = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    char key = 0;

    if (!options->drawn) {
        (void)nanosleep(&request, NULL);
        return false;
    }
    if (poll(&input, 1, (int)milliseconds) != 1)
        return false;
    return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == KEY_INTERRUPT;
}

static int show(const struct options *options)
{
    static struct sample samples[2];
    struct sample *now = &samples[0], *before = &samples[1];
    bool stops = false;

    if (sample_take(now) < 0)
        return -1;
    for (long shown = 0; !stops && (options->count == 0 || shown < options->count); shown++) {
        struct sample *oldest = before;

        before = now;
        now = oldest;
        stops = wait_for_end(options);
        if (sample_take(now) < 0)
            return -1;
        if (!stops)
            print_picture(before, now, options->drawn);
    }
    return 0;
}

/* False: not understood. */
static bool parse(int argc, char **argv, struct options *options)
{
    int letter;

    while ((letter = getopt(argc, argv, "d:n:")) != -1) {
        char *end = NULL;

        if (letter == 'd')
            options->seconds = strtod(optarg, &end);
        else if (letter == 'n')
            options->count = strtol(optarg, &end, 10);
        if (end == NULL || *end || end == optarg)
            return false;
        if (letter == 'n' && options->count <= 0)
            return false;
    }
    return optind == argc && options->seconds >= 0.01 && options->seconds <= 1e6;
}

int main(int argc, char **argv)
{
    struct options options = {.seconds = 1.0};
    long mode = 0;
    int result;

    if (!parse(argc, argv, &options)) {
        fprintf(stderr, "usage: top [-d SECONDS] [-n COUNT]\n");
        return 2;
    }
    options.drawn = options.count == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    line_end = options.drawn ? "\033[K" : "";
    if (options.drawn) {
        mode = ioctl(STDIN_FILENO, FRANK_TTY_GET_MODE, 0L);
        (void)ioctl(STDIN_FILENO, FRANK_TTY_SET_MODE, 0L);
        printf("\033[H\033[J");
    }
    result = show(&options);
    if (options.drawn)
        (void)ioctl(STDIN_FILENO, FRANK_TTY_SET_MODE, mode);
    if (result < 0)
        fprintf(stderr, "top: %s\n", strerror(errno));
    return result < 0;
}
