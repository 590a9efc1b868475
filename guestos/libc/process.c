/* SPDX-License-Identifier: MIT */
/* System calls on processes, memory and time. */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "system_call.h"

extern char **environ;

enum {
    NS_PER_US = 1000,
    NS_PER_SECOND = 1000000000,
    US_PER_SECOND = 1000000,
    PAGE_BYTES = 4096,
    PROCESS_TABLE_MAX = 1024,
};

/* ---- processes ---------------------------------------------------------------------------------
 */

void _exit(int status)
{
    for (;;)
        (void)system_call(FRANK_SYS_exit, status, 0, 0);
}

int _fork_r(struct _reent *reent)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_fork, 0, 0, 0));
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

int sched_yield(void);

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
    struct frank_timespec result;
    long which = clock == CLOCK_REALTIME ? FRANK_CLOCK_REALTIME : FRANK_CLOCK_MONOTONIC;

    if (system_call_result(_REENT, system_call(FRANK_SYS_clock, which, (long)&result, 0)) < 0)
        return -1;
    time->tv_sec = result.seconds;
    time->tv_nsec = result.nanoseconds;
    return 0;
}

int _gettimeofday_r(struct _reent *reent, struct timeval *time, void *zone)
{
    struct frank_timespec result;

    (void)zone;
    if (system_call_result(
            reent, system_call(FRANK_SYS_clock, FRANK_CLOCK_REALTIME, (long)&result, 0)) < 0)
        return -1;
    time->tv_sec = result.seconds;
    time->tv_usec = result.nanoseconds / NS_PER_US;
    return 0;
}

/* The time that the process itself has run. */
static uint64_t own_run_ns(void)
{
    struct frank_procinfo *all = malloc(PROCESS_TABLE_MAX * sizeof(*all));
    int count = all ? frank_processes(all, PROCESS_TABLE_MAX) : 0;
    uint64_t run_ns = 0;
    pid_t self = getpid();

    for (int i = 0; i < count; i++) {
        if (all[i].pid == self)
            run_ns = all[i].run_ns;
    }
    free(all);
    return run_ns;
}

/* Returns the time since the machine started. What children used is not kept. */
clock_t _times_r(struct _reent *reent, struct tms *times)
{
    struct timeval now;

    if (_gettimeofday_r(reent, &now, NULL) < 0)
        return (clock_t)-1;
    memset(times, 0, sizeof(*times));
    times->tms_utime = (clock_t)(own_run_ns() / (NS_PER_SECOND / CLOCKS_PER_SEC));
    return (clock_t)(now.tv_sec * CLOCKS_PER_SEC + now.tv_usec / (US_PER_SECOND / CLOCKS_PER_SEC));
}

int nanosleep(const struct timespec *request, struct timespec *remaining)
{
    struct frank_timespec wanted = {request->tv_sec, request->tv_nsec};
    struct frank_timespec left = {0, 0};
    long result = system_call(FRANK_SYS_nanosleep, (long)&wanted, (long)&left, 0);

    if (remaining && result == -EINTR) {
        remaining->tv_sec = left.seconds;
        remaining->tv_nsec = left.nanoseconds;
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
    struct frank_timespec ticks = {0, 0};

    (void)system_call(FRANK_SYS_clock, FRANK_CLOCK_TICKS, (long)&ticks, 0);
    return (uint64_t)ticks.nanoseconds;
}

int frank_reboot(int how)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_reboot, how, 0, 0));
}
