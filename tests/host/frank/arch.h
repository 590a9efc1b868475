/* SPDX-License-Identifier: MIT */
/* The processor as Frank's file system sees it in host tests: one CPU that is always the same. */
#pragma once

#include "types.h"

struct cpu;

struct trap_frame {
    u64 unused;
};

struct arch_context {
    u64 unused;
};

struct arch_fp {
    u64 unused;
};

extern struct cpu *host_cpu;

static inline struct cpu *arch_this_cpu(void)
{
    return host_cpu;
}
