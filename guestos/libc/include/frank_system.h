/* SPDX-License-Identifier: MIT */
/* Frank's own calls, which no standard names. */
#ifndef FRANK_LIBC_FRANK_SYSTEM_H
#define FRANK_LIBC_FRANK_SYSTEM_H

#include <stdint.h>

#include "frank/counters.h"
#include "frank/procinfo.h"
#include "frank/signal.h"

/* Fill up to `count` descriptions of processes, by pid: how many, or -1. */
int frank_processes(struct frank_procinfo *processes, int count);

/* How much memory there is; flags are of enum frank_meminfo_flags: 0 or -1. */
int frank_memory(struct frank_meminfo *memory, int flags);

/* What the processor's time went to; flags are of enum frank_times_flags: 0 or -1. */
int frank_times(struct frank_times *times, int flags);

/* How long the processor has slept, in ticks of frank_clock_ticks(). */
uint64_t frank_idle_ticks(void);
uint64_t frank_clock_ticks(void);

/* What a hypervisor beneath the kernel has done so far: 0 or -1. */
int frank_counters(struct frank_counters *counters);

/* The last bytes of the kernel's messages, `size` at most: how many, or -1. */
int frank_kernel_log(char *buffer, unsigned long size);

/* Power off or restart, by enum frank_reboot. Returns only on failure, with -1. */
int frank_reboot(int how);

#endif
