/* SPDX-License-Identifier: MIT */
/* What programs may ask of the system's limits. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"

enum { OPEN_FILES_MAX = 64 };

long sysconf(int name)
{
    struct frank_times times;

    switch (name) {
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return frank_times(&times, 0) == 0 ? (long)times.cpu_count : -1;
    case _SC_PAGESIZE:
        return getpagesize();
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    case _SC_OPEN_MAX:
        return OPEN_FILES_MAX;
    default:
        errno = EINVAL;
        return -1;
    }
}
