/* SPDX-License-Identifier: MIT */
/* Structures of sigaction and of the frame that a handler runs on. For both sides. */
#ifndef FRANK_SIGNAL_H
#define FRANK_SIGNAL_H

#include <stdint.h>

enum frank_handler {
    FRANK_SIG_DFL = 0,
    FRANK_SIG_IGN = 1,
};

struct frank_sigaction {
    /* FRANK_SIG_DFL, FRANK_SIG_IGN or a function of (signal, frank_siginfo *, frank_ucontext *). */
    uint64_t handler;
    uint64_t restorer; /* where the handler returns to: code that makes the sigreturn call */
    uint64_t mask;
    uint64_t flags;
};

enum frank_siginfo_code {
    FRANK_SEGV_MAPERR = 1,
    FRANK_SEGV_ACCERR = 2,
};

struct frank_siginfo {
    int32_t signal;
    int32_t code;
    uint64_t address;
};

/* The registers that sigreturn puts back. A handler may change them. */
struct frank_ucontext {
    uint64_t pc;
    uint64_t x[31];    /* x1 to x31 */
    uint64_t mask;     /* signals that were blocked, one bit each */
    uint64_t fp_valid; /* 0: no floating point used so far, and what follows is not there */
    uint64_t f[32];
    uint64_t fcsr;
};

#endif
