/* SPDX-License-Identifier: MIT */
/*
 * Signals. A process has one set of pending ones; they are taken on the way back to user mode.
 * SIGKILL always ends the process. Others end it, or call its handler if it has set one.
 */
#pragma once

#include "types.h"

struct trap_frame;

/* A trap of user mode that could not be repaired. */
struct signal_fault {
    int signal;
    int code; /* enum frank_siginfo_code */
    u64 address;
    u64 pc;
    const char *what;
};

/* Call the current process's handler for it, or end the process with a line that says why. */
void signal_raise_fault(struct trap_frame *frame, const struct signal_fault *fault);

/* Take what is pending for the current process. Thread context. May not return. */
void signal_deliver(struct trap_frame *frame);
