/* SPDX-License-Identifier: MIT */
/* free: memory, in KiB. What is cached is part of what is used. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "frank_system.h"

int main(void)
{
    struct frank_meminfo memory;
    uint64_t page_kib = (uint64_t)getpagesize() / 1024;

    if (frank_memory(&memory, 0) < 0) {
        fprintf(stderr, "free: %s\n", strerror(errno));
        return 1;
    }
    printf("%10s %10s %10s %10s  KiB\n", "total", "used", "free", "cached");
    printf("%10llu %10llu %10llu %10llu\n", (unsigned long long)(memory.total_pages * page_kib),
           (unsigned long long)((memory.total_pages - memory.free_pages) * page_kib),
           (unsigned long long)(memory.free_pages * page_kib),
           (unsigned long long)(memory.cached_pages * page_kib));
    return 0;
}
