/* SPDX-License-Identifier: MIT */
/* uptime: how long the system runs, and what share of that it was idle. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "frank_system.h"

int main(void)
{
    struct timespec now;
    uint64_t ticks = frank_clock_ticks();
    uint64_t idle = frank_idle_ticks();
    long seconds;

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0) {
        fprintf(stderr, "uptime: %s\n", strerror(errno));
        return 1;
    }
    seconds = (long)now.tv_sec;
    printf("up %ld:%02ld:%02ld.%02ld, idle %.1f %%\n", seconds / 3600, seconds / 60 % 60,
           seconds % 60, now.tv_nsec / 10000000,
           ticks ? 100.0 * (double)idle / (double)ticks : 0.0);
    return 0;
}
