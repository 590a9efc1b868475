/* SPDX-License-Identifier: MIT */
/* Private to the architecture: where new threads start, and bounds of the kernel's text. */
#pragma once

#include "kernel/thread.h"

enum context_limits {
    CONTEXT_STACK_SIZE = THREAD_STACK_SIZE,
    CONTEXT_BACKTRACE_MAX = 24,
};

void arch_context_start(void);

extern const char kernel_text_start[];
extern const char kernel_text_end[];
