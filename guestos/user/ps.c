/* SPDX-License-Identifier: MIT */
/* ps: the processes; memory is what each has mapped, pages shared with others included. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frank_system.h"
#include "state_name.h"

enum { PROCESS_TABLE_MAX = 1024 };

int main(void)
{
    struct frank_procinfo *all = calloc(PROCESS_TABLE_MAX, sizeof(*all));
    int count = all ? frank_processes(all, PROCESS_TABLE_MAX) : -1;

    if (count < 0) {
        fprintf(stderr, "ps: %s\n", strerror(errno));
        return 1;
    }
    printf("%5s %5s %5s %5s %-8s %3s %10s %7s  %s\n", "PID", "PPID", "PGID", "SID", "STATE", "CPU",
           "TIME", "KIB", "NAME");
    for (int i = 0; i < count; i++) {
        const struct frank_procinfo *process = &all[i];

        printf("%5ld %5ld %5ld %5ld %-8s %3u %9.3fs %7llu  %s\n", (long)process->pid,
               (long)process->parent_pid, (long)process->group, (long)process->session,
               state_name(process->state), (unsigned)process->cpu, (double)process->run_ns / 1e9,
               (unsigned long long)(process->page_count * (uint64_t)getpagesize() / 1024),
               process->name);
    }
    free(all);
    return 0;
}
