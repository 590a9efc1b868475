/* SPDX-License-Identifier: MIT */
/*
 * uptime: how long the system runs; what share of that it was idle, and what share a hypervisor
 * gave to other machines while there was work here. Behind it the same of the time since uptime was
 * last called: what it found then is kept in a file. The load is how many CPUs had work, on
 * average.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "frank_system.h"

static const char last_path[] = "/tmp/uptime.last";

/* What was found last time, or nothing: false. */
static bool read_last(struct frank_times *last)
{
    int descriptor = open(last_path, O_RDONLY);
    bool good;

    if (descriptor < 0)
        return false;
    good = read(descriptor, last, sizeof(*last)) == (ssize_t)sizeof(*last);
    close(descriptor);
    return good;
}

/* A file that cannot be written costs the next call its interval, and nothing else. */
static void write_last(const struct frank_times *now)
{
    int descriptor = open(last_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (descriptor < 0)
        return;
    (void)write(descriptor, now, sizeof(*now));
    close(descriptor);
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

int main(void)
{
    struct frank_times now, last;
    unsigned long hundredths, seconds;

    if (frank_times(&now, 0) < 0) {
        fprintf(stderr, "uptime: %s\n", strerror(errno));
        return 1;
    }
    hundredths = now.ticks / now.cpu_count / (now.ticks_per_second / 100);
    seconds = hundredths / 100;
    printf("up %lu:%02lu:%02lu.%02lu, ", seconds / 3600, seconds / 60 % 60, seconds % 60,
           hundredths % 100);
    if (now.cpu_count > 1)
        printf("%u CPUs, ", (unsigned)now.cpu_count);
    printf("idle %.1f %%, steal %.1f %%", percent(now.idle_ticks, now.ticks),
           percent(now.stolen_ticks, now.ticks));
    if (read_last(&last) && last.ticks < now.ticks) {
        uint64_t passed = now.ticks - last.ticks;
        uint64_t idle = now.idle_ticks - last.idle_ticks;

        printf("; last %.2f s: load %.2f, steal %.1f %%",
               (double)passed / (double)now.ticks_per_second / (double)now.cpu_count,
               (double)now.cpu_count * (1.0 - percent(idle, passed) / 100.0),
               percent(now.stolen_ticks - last.stolen_ticks, passed));
    }
    printf("\n");
    write_last(&now);
    return 0;
}
