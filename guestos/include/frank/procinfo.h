/* SPDX-License-Identifier: MIT */
/* What the calls that report on the system fill in. For both sides. */
#pragma once

#include <stdint.h>

enum frank_process_state {
    FRANK_PROCESS_RUNNING = 0,
    FRANK_PROCESS_RUNNABLE = 1,
    FRANK_PROCESS_SLEEPING = 2,
    FRANK_PROCESS_ZOMBIE = 3,
    FRANK_PROCESS_STOPPED = 4,
};

/*
 * procinfo(buffer, count) fills up to count of these, in order of pid, and returns how many.
 */
struct frank_procinfo {
    int32_t pid;
    int32_t parent_pid;
    int32_t group;
    int32_t session;
    uint32_t state;
    uint32_t thread_count;
    uint32_t cpu; /* where one of its threads is, or was last */
    uint32_t unused;
    uint64_t page_count; /* pages mapped, shared ones included */
    uint64_t run_ns;     /* how long it has run, in user mode and in the kernel */
    uint64_t user_ns;    /* of that, user mode while some process watched the times */
    char name[32];
};

struct frank_meminfo {
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t process_count;
    uint64_t zeroed_pages; /* how many the kernel has zeroed so far */
    uint64_t slab_pages;   /* of those in use, how many hold the kernel's small pieces of memory */
    uint64_t slab_bytes;   /* how much of them is in use */
    uint64_t cached_pages; /* of those in use, how many hold blocks of the disk, and can be had */
};

enum frank_meminfo_flags {
    FRANK_MEMINFO_TRIM = 1, /* first give back what the kernel keeps for quick use */
};

/* What the CPUs' time went to since the start, in ticks, for each of one moment; all are sums over
 * cpu_count CPUs. They were busy for the rest: ticks - idle_ticks - stolen_ticks. */
struct frank_times {
    uint64_t ticks_per_second;
    uint64_t cpu_count;  /* all, or with FRANK_TIMES_CPU(number) 1 */
    uint64_t ticks;      /* since the start */
    uint64_t idle_ticks; /* asleep */
    uint64_t
        stolen_ticks;    /* it had work, and a hypervisor ran another machine; 0 on the bare one */
    uint64_t user_ticks; /* in user mode while some process watched */
};

enum frank_times_flags {
    FRANK_TIMES_WATCH = 1, /* tell user mode and kernel apart from now on, until the caller ends */
    FRANK_TIMES_CPU_SHIFT = 8,
};

/* The times of one CPU, by number from 0 on; EINVAL if there is none. */
#define FRANK_TIMES_CPU(number) (((number) + 1UL) << FRANK_TIMES_CPU_SHIFT)

/* What usage(who) fills in. */
struct frank_usage {
    uint64_t run_ns;  /* user mode and kernel */
    uint64_t user_ns; /* of that, user mode while some process watched the times */
};

enum frank_usage_who {
    FRANK_USAGE_SELF = 0,
    FRANK_USAGE_CHILDREN = 1, /* those that ended and were waited for, with theirs */
};

/* What pgroup(which, pid) gives; pid 0 is the caller. */
enum frank_pgroup {
    FRANK_GET_GROUP = 0,
    FRANK_GET_SESSION = 1,
    FRANK_NEW_SESSION = 2, /* setsid; pid is not used */
};

enum frank_clock {
    FRANK_CLOCK_REALTIME = 0,  /* nanoseconds since 1970 (UTC) */
    FRANK_CLOCK_MONOTONIC = 1, /* nanoseconds since the start */
    FRANK_CLOCK_TICKS = 2,     /* of the machine's clock */
};

enum frank_reboot {
    FRANK_REBOOT_POWEROFF = 0,
    FRANK_REBOOT_RESTART = 1,
};
