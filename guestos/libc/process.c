/* SPDX-License-Identifier: MIT */
/* System calls on processes, memory and time. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "system_call.h"
#include "thread_block.h"

extern char **environ;

enum {
    NS_PER_US = 1000,
    NS_PER_SECOND = 1000000000,
    US_PER_SECOND = 1000000,
    PAGE_BYTES = 4096,
};

/* ---- processes ---------------------------------------------------------------------------------
 */

void _exit(int status)
{
    for (;;)
        (void)system_call(FRANK_SYS_exit, status, 0, 0);
}

/* The child has this thread alone: it is to find the heap in order. Where there are no others
   nothing is written: each page that is, parent or child would have to copy. */
int _fork_r(struct _reent *reent)
{
    unsigned others = thread_others;
    long pid;

    if (others)
        __malloc_lock(reent);
    pid = system_call(FRANK_SYS_fork, 0, 0, 0);
    if (pid == 0 && others)
        thread_block()->number = 1;
    if (others)
        __malloc_unlock(reent);
    return (int)system_call_result(reent, pid);
}

pid_t fork(void)
{
    return _fork_r(_REENT);
}

/* Nothing is saved by borrowing the parent's memory: fork copies on write. */
pid_t vfork(void)
{
    return fork();
}

int _execve_r(struct _reent *reent, const char *path, char *const argv[], char *const envp[])
{
    return (int)system_call_result(
        reent, system_call(FRANK_SYS_execve, (long)path, (long)argv, (long)envp));
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return _execve_r(_REENT, path, argv, envp);
}

int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return (pid_t)system_call_result(_REENT,
                                     system_call(FRANK_SYS_waitpid, pid, (long)status, options));
}

/* What the child used is what all children used more than before. */
pid_t wait3(int *status, int options, struct rusage *usage)
{
    struct rusage before, after;
    pid_t pid;

    getrusage(RUSAGE_CHILDREN, &before);
    pid = waitpid(-1, status, options);
    if (pid > 0 && usage) {
        getrusage(RUSAGE_CHILDREN, &after);
        memset(usage, 0, sizeof(*usage));
        timersub(&after.ru_utime, &before.ru_utime, &usage->ru_utime);
        timersub(&after.ru_stime, &before.ru_stime, &usage->ru_stime);
    }
    return pid;
}

int _wait_r(struct _reent *reent, int *status)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_waitpid, -1, (long)status, 0));
}

pid_t wait(int *status)
{
    return waitpid(-1, status, 0);
}

int _getpid_r(struct _reent *reent)
{
    (void)reent;
    return (int)system_call(FRANK_SYS_getpid, 0, 0, 0);
}

pid_t getpid(void)
{
    return (pid_t)system_call(FRANK_SYS_getpid, 0, 0, 0);
}

pid_t getppid(void)
{
    return (pid_t)system_call(FRANK_SYS_getppid, 0, 0, 0);
}

int setpgid(pid_t pid, pid_t group)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_setpgid, pid, group, 0));
}

static pid_t process_group(enum frank_pgroup which, pid_t pid)
{
    return (pid_t)system_call_result(_REENT, system_call(FRANK_SYS_pgroup, which, pid, 0));
}

pid_t getpgid(pid_t pid)
{
    return process_group(FRANK_GET_GROUP, pid);
}

pid_t getpgrp(void)
{
    return process_group(FRANK_GET_GROUP, 0);
}

pid_t getsid(pid_t pid)
{
    return process_group(FRANK_GET_SESSION, pid);
}

pid_t setsid(void)
{
    return process_group(FRANK_NEW_SESSION, 0);
}

int sched_yield(void)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_sched_yield, 0, 0, 0));
}

/* ---- memory ------------------------------------------------------------------------------------
 */

void *_sbrk_r(struct _reent *reent, ptrdiff_t increment)
{
    static long current_break; /* 0 until the kernel has been asked */
    long old_break;
    long result;

    if (!current_break)
        current_break = system_call(FRANK_SYS_brk, 0, 0, 0);
    old_break = current_break;
    if (increment == 0)
        return (void *)old_break;
    result = system_call(FRANK_SYS_brk, old_break + increment, 0, 0);
    if (system_call_result(reent, result) < 0)
        return (void *)-1;
    current_break = result;
    return (void *)old_break;
}

void *sbrk(ptrdiff_t increment)
{
    return _sbrk_r(_REENT, increment);
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    long result = system_call_6(FRANK_SYS_mmap, (long)address, (long)size, protection, flags,
                                descriptor, offset);

    return (void *)system_call_result(_REENT, result);
}

int munmap(void *address, size_t size)
{
    return (int)system_call_result(_REENT,
                                   system_call(FRANK_SYS_munmap, (long)address, (long)size, 0));
}

int msync(void *address, size_t size, int flags)
{
    return (int)system_call_result(_REENT,
                                   system_call(FRANK_SYS_msync, (long)address, (long)size, flags));
}

int mprotect(void *address, size_t size, int protection)
{
    return (int)system_call_result(
        _REENT, system_call(FRANK_SYS_mprotect, (long)address, (long)size, protection));
}

int getpagesize(void)
{
    return PAGE_BYTES;
}

/* ---- time --------------------------------------------------------------------------------------
 */

int clock_gettime(clockid_t clock, struct timespec *time)
{
    long ns;
    struct frank_usage usage;
    long which;

    switch (clock) {
    case CLOCK_REALTIME:
        which = FRANK_CLOCK_REALTIME;
        break;
    case CLOCK_MONOTONIC:
        which = FRANK_CLOCK_MONOTONIC;
        break;
    case CLOCK_PROCESS_CPUTIME_ID:
        (void)system_call(FRANK_SYS_usage, FRANK_USAGE_SELF, (long)&usage, 0);
        time->tv_sec = (time_t)(usage.run_ns / NS_PER_SECOND);
        time->tv_nsec = (long)(usage.run_ns % NS_PER_SECOND);
        return 0;
    default:
        errno = EINVAL;
        return -1;
    }
    ns = system_call(FRANK_SYS_clock, which, 0, 0);
    time->tv_sec = ns / NS_PER_SECOND;
    time->tv_nsec = ns % NS_PER_SECOND;
    return 0;
}

int _gettimeofday_r(struct _reent *reent, struct timeval *time, void *zone)
{
    long ns = system_call(FRANK_SYS_clock, FRANK_CLOCK_REALTIME, 0, 0);

    (void)reent, (void)zone;
    time->tv_sec = ns / NS_PER_SECOND;
    time->tv_usec = ns % NS_PER_SECOND / NS_PER_US;
    return 0;
}

/* User mode and kernel: without a watch on the times all counts as user mode's. */
static int usage_of(int who, uint64_t *user_ns, uint64_t *system_ns)
{
    struct frank_usage usage = {0, 0};
    long which = who == RUSAGE_CHILDREN ? FRANK_USAGE_CHILDREN : who;
    long result = who == FRANK_USAGE_CHILDREN ? -EINVAL : 0;

    if (result == 0)
        result = system_call(FRANK_SYS_usage, which, (long)&usage, 0);
    *user_ns = usage.user_ns != 0 ? usage.user_ns : usage.run_ns;
    *system_ns = usage.run_ns - *user_ns;
    return (int)system_call_result(_REENT, result);
}

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){(time_t)(ns / NS_PER_SECOND),
                            (suseconds_t)(ns % NS_PER_SECOND / NS_PER_US)};
}

int getrusage(int who, struct rusage *usage)
{
    uint64_t user_ns, system_ns;

    if (usage_of(who, &user_ns, &system_ns) < 0)
        return -1;
    *usage = (struct rusage){timeval_of(user_ns), timeval_of(system_ns)};
    return 0;
}

/* Returns the time since the machine started. */
clock_t _times_r(struct _reent *reent, struct tms *times)
{
    const uint64_t ns_per_clock = NS_PER_SECOND / CLOCKS_PER_SEC;
    uint64_t user_ns, system_ns;
    struct timeval now;

    if (_gettimeofday_r(reent, &now, NULL) < 0)
        return (clock_t)-1;
    (void)usage_of(RUSAGE_SELF, &user_ns, &system_ns);
    times->tms_utime = (clock_t)(user_ns / ns_per_clock);
    times->tms_stime = (clock_t)(system_ns / ns_per_clock);
    (void)usage_of(RUSAGE_CHILDREN, &user_ns, &system_ns);
    times->tms_cutime = (clock_t)(user_ns / ns_per_clock);
    times->tms_cstime = (clock_t)(system_ns / ns_per_clock);
    return (clock_t)(now.tv_sec * CLOCKS_PER_SEC + now.tv_usec / (US_PER_SECOND / CLOCKS_PER_SEC));
}

static uint64_t ns_of(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * NS_PER_SECOND + (uint64_t)time->tv_usec * NS_PER_US;
}

static bool is_time(const struct timeval *time)
{
    return time->tv_sec >= 0 && time->tv_usec >= 0 && time->tv_usec < US_PER_SECOND;
}

int setitimer(int which, const struct itimerval *__restrict value,
              struct itimerval *__restrict old_value)
{
    struct frank_itimer new = {0, 0}, old = {0, 0};

    if (which != ITIMER_REAL ||
        (value && (!is_time(&value->it_value) || !is_time(&value->it_interval)))) {
        errno = EINVAL;
        return -1;
    }
    if (value)
        new = (struct frank_itimer){ns_of(&value->it_interval), ns_of(&value->it_value)};
    (void)system_call(FRANK_SYS_itimer, value ? (long)&new : 0, (long)&old, 0);
    if (old_value)
        *old_value = (struct itimerval){timeval_of(old.interval_ns), timeval_of(old.value_ns)};
    return 0;
}

int getitimer(int which, struct itimerval *value)
{
    return setitimer(which, NULL, value);
}

/* What was left of an earlier alarm is rounded up: 0 would say that there was none. */
unsigned alarm(unsigned seconds)
{
    struct itimerval new = {.it_value = {(time_t)seconds, 0}};
    struct itimerval old;

    (void)setitimer(ITIMER_REAL, &new, &old);
    return (unsigned)old.it_value.tv_sec + (old.it_value.tv_usec != 0);
}

int nanosleep(const struct timespec *request, struct timespec *remaining)
{
    long start = system_call(FRANK_SYS_clock, FRANK_CLOCK_MONOTONIC, 0, 0), ns, left, result;

    if (request->tv_sec < 0 || request->tv_nsec < 0 || request->tv_nsec >= NS_PER_SECOND) {
        errno = EINVAL;
        return -1;
    }
    ns = request->tv_sec < LONG_MAX / NS_PER_SECOND
             ? request->tv_sec * NS_PER_SECOND + request->tv_nsec
             : LONG_MAX;
    result = system_call(FRANK_SYS_nanosleep, ns, 0, 0);
    if (remaining && result == -EINTR) {
        left = ns - (system_call(FRANK_SYS_clock, FRANK_CLOCK_MONOTONIC, 0, 0) - start);
        left = left > 0 ? left : 0;
        *remaining = (struct timespec){left / NS_PER_SECOND, left % NS_PER_SECOND};
    }
    return (int)system_call_result(_REENT, result);
}

unsigned sleep(unsigned seconds)
{
    struct timespec request = {(time_t)seconds, 0};
    struct timespec remaining = {0, 0};

    if (nanosleep(&request, &remaining) == 0)
        return 0;
    return (unsigned)remaining.tv_sec;
}

int usleep(useconds_t microseconds)
{
    struct timespec request = {
        (time_t)(microseconds / US_PER_SECOND),
        (long)(microseconds % US_PER_SECOND) * NS_PER_US,
    };

    return nanosleep(&request, NULL);
}

/* ---- what no standard names --------------------------------------------------------------------
 */

int frank_processes(struct frank_procinfo *processes, int count)
{
    return (int)system_call_result(_REENT,
                                   system_call(FRANK_SYS_procinfo, (long)processes, count, 0));
}

int frank_memory(struct frank_meminfo *memory, int flags)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_meminfo, (long)memory, flags, 0));
}

int frank_kernel_log(char *buffer, unsigned long size)
{
    return (int)system_call_result(_REENT,
                                   system_call(FRANK_SYS_klog, (long)buffer, (long)size, 0));
}

int frank_times(struct frank_times *times, int flags)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_times, (long)times, flags, 0));
}

uint64_t frank_idle_ticks(void)
{
    struct frank_times times = {0};

    (void)system_call(FRANK_SYS_times, (long)&times, 0, 0);
    return times.idle_ticks;
}

int frank_counters(struct frank_counters *counters)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_counters, (long)counters, 0, 0));
}

uint64_t frank_clock_ticks(void)
{
    return (uint64_t)system_call(FRANK_SYS_clock, FRANK_CLOCK_TICKS, 0, 0);
}

int frank_reboot(int how)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_reboot, how, 0, 0));
}
