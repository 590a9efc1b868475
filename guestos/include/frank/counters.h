/* SPDX-License-Identifier: MIT */
/* What a hypervisor beneath the kernel has done for it: for measuring. All zero on the bare
 * machine. */
#pragma once

#include <stdint.h>

enum frank_counters_limits {
    FRANK_COUNTERS_CALLS = 64,
    FRANK_COUNTERS_ENTRIES = 64,
};

struct frank_counters {
    uint64_t flushes;        /* translations dropped */
    uint64_t upcalls;        /* traps handed on to the kernel */
    uint64_t standard_calls; /* of the firmware's interface (SBI) */
    uint64_t reserved[5];
    uint64_t calls[FRANK_COUNTERS_CALLS];     /* hypercalls by number */
    uint64_t entries[FRANK_COUNTERS_ENTRIES]; /* by cause: exceptions, from 32 on interrupts */
};
