/* SPDX-License-Identifier: MIT */
/*
 * What the shadow path asks of the processor (arch/arch_shadow.h), as a processor that does nothing
 * with it. What tests set:
 */
#pragma once

#include "types.h"

extern bool shadow_processor_waits; /* of kernels in S-mode: an interrupt ends a WFI */
extern bool shadow_processor_open;  /* and they were interrupted with interrupts on */
