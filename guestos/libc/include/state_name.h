/* SPDX-License-Identifier: MIT */
/* A process's state in a word, for the programs that show it. */
#ifndef FRANK_LIBC_STATE_NAME_H
#define FRANK_LIBC_STATE_NAME_H

#include <stdint.h>

#include "frank/procinfo.h"

static inline const char *state_name(uint32_t state)
{
    switch (state) {
    case FRANK_PROCESS_RUNNING:
        return "running";
    case FRANK_PROCESS_RUNNABLE:
        return "ready";
    case FRANK_PROCESS_SLEEPING:
        return "asleep";
    case FRANK_PROCESS_ZOMBIE:
        return "zombie";
    case FRANK_PROCESS_STOPPED:
        return "stopped";
    default:
        return "?";
    }
}

#endif
