/* SPDX-License-Identifier: MIT */
/* Setting the time of a file's last change; there is no time of access. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <utime.h>

#include "system_call.h"

enum { NS_PER_SECOND = 1000000000, NS_PER_US = 1000 };

static int set(const char *path, struct timespec time)
{
    long ns = (long)time.tv_sec * NS_PER_SECOND + time.tv_nsec;

    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= NS_PER_SECOND) {
        errno = EINVAL;
        return -1;
    }
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_utimens, (long)path, ns, 0));
}

static struct timespec now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return time;
}

int utimensat(int directory, const char *path, const struct timespec *times, int flags)
{
    struct stat ignored;

    if (flags != 0 || (directory != AT_FDCWD && path[0] != '/')) {
        errno = EINVAL;
        return -1;
    }
    if (times && times[1].tv_nsec == UTIME_OMIT)
        return stat(path, &ignored);
    return set(path, times && times[1].tv_nsec != UTIME_NOW ? times[1] : now());
}

int utimes(const char *path, const struct timeval *times)
{
    if (!times)
        return set(path, now());
    return set(path, (struct timespec){times[1].tv_sec, times[1].tv_usec * NS_PER_US});
}

int utime(const char *path, const struct utimbuf *times)
{
    return set(path, times ? (struct timespec){times->modtime, 0} : now());
}
