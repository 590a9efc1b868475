/* SPDX-License-Identifier: MIT */
/*
 * What the shadow path asks of the processor (arch/arch_shadow.h), as a processor that does nothing
 * with it but to keep what it was told. What tests set:
 */
#pragma once

#include "types.h"

extern bool shadow_processor_waits; /* of kernels in S-mode: an interrupt ends a WFI */
extern bool shadow_processor_open;  /* and they were interrupted with interrupts on */

/* What it was told last. */
struct shadow_processor {
    bool in_s, in_u; /* a vCPU was made one whose kernel is there */
    bool sstc;
    bool external, timer_line;
    u64 timer;
    u64 floating;
    u64 counters;
};

extern struct shadow_processor shadow_processor;
