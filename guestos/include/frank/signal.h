/* SPDX-License-Identifier: MIT */
/* Structures of sigaction and of the frame that a handler runs on. For both sides. */
#pragma once

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

enum frank_action_flag {
    FRANK_SA_NOCLDSTOP = 1, /* no SIGCHLD when a child stops or goes on */
    FRANK_SA_SIGINFO = 2,   /* every handler gets all three arguments, with or without it */
    FRANK_SA_ONSTACK = 4,
    FRANK_SA_RESTART = 8,    /* a call that the signal interrupts begins anew */
    FRANK_SA_NODEFER = 16,   /* the signal itself is not blocked in its handler */
    FRANK_SA_RESETHAND = 32, /* the handler is called once; then the default counts again */
    FRANK_SA_NOCLDWAIT = 64, /* children leave no zombies */
};

/* What sigmask(how, set, old) does: change the thread's mask; wait with another mask; or tell what
   is pending and blocked. Sets are 64-bit words, one bit a signal; an address of 0 is none. */
enum frank_mask_how {
    FRANK_SIG_SETMASK = 0,
    FRANK_SIG_BLOCK = 1,
    FRANK_SIG_UNBLOCK = 2,
    FRANK_SIG_SUSPEND = 3,
    FRANK_SIG_PENDING = 4,
};

enum frank_siginfo_code {
    FRANK_SEGV_MAPERR = 1,
    FRANK_SEGV_ACCERR = 2,
    FRANK_CLD_EXITED = 1,
    FRANK_CLD_KILLED = 2,
    FRANK_CLD_STOPPED = 5,
    FRANK_CLD_CONTINUED = 6,
    FRANK_SI_USER = 1, /* a process sent it: kill */
    FRANK_SI_TIMER = 3,
    FRANK_SI_KERNEL = 128,
};

struct frank_siginfo {
    int32_t signal;
    int32_t code;
    union {
        uint64_t address; /* of a fault */
        struct {
            int32_t pid;    /* who sent it, or the child */
            int32_t status; /* SIGCHLD: the exit code or the signal */
        };
    };
};

/* The one-shot or repeating timer that sends SIGALRM; 0: off, or not repeating. */
struct frank_itimer {
    uint64_t interval_ns;
    uint64_t value_ns; /* until the next SIGALRM */
};

enum frank_stack_flag {
    FRANK_SS_ONSTACK = 1, /* it is in use now */
    FRANK_SS_DISABLE = 2,
};

/* A stack for handlers with FRANK_SA_ONSTACK. */
struct frank_stack {
    uint64_t start;
    uint64_t flags;
    uint64_t bytes;
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
