/* SPDX-License-Identifier: MIT */
/*
 * Signals as POSIX has them; newlib's <signal.h> takes this file in place of its own, which has
 * neither the flags of sigaction nor a siginfo_t with more than a number. The numbers are newlib's.
 */
#ifndef _SYS_SIGNAL_H
#define _SYS_SIGNAL_H

#include <sys/_sigset.h>
#include <sys/_timespec.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#include "frank/signal.h"

#if !defined(_SIGSET_T_DECLARED)
#define _SIGSET_T_DECLARED
typedef __sigset_t sigset_t;
#endif

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGFPE 8
#define SIGKILL 9
#define SIGBUS 10
#define SIGSEGV 11
#define SIGSYS 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGURG 16
#define SIGSTOP 17
#define SIGTSTP 18
#define SIGCONT 19
#define SIGCHLD 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGIO 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGUSR1 30
#define SIGUSR2 31
#define NSIG 32

#define SA_NOCLDSTOP FRANK_SA_NOCLDSTOP
#define SA_SIGINFO FRANK_SA_SIGINFO
#define SA_ONSTACK FRANK_SA_ONSTACK
#define SA_RESTART FRANK_SA_RESTART
#define SA_NODEFER FRANK_SA_NODEFER
#define SA_RESETHAND FRANK_SA_RESETHAND
#define SA_NOCLDWAIT FRANK_SA_NOCLDWAIT

#define SIG_SETMASK FRANK_SIG_SETMASK
#define SIG_BLOCK FRANK_SIG_BLOCK
#define SIG_UNBLOCK FRANK_SIG_UNBLOCK

#define SI_USER FRANK_SI_USER
#define SI_TIMER FRANK_SI_TIMER
#define SI_KERNEL FRANK_SI_KERNEL
#define SEGV_MAPERR FRANK_SEGV_MAPERR
#define SEGV_ACCERR FRANK_SEGV_ACCERR
#define CLD_EXITED FRANK_CLD_EXITED
#define CLD_KILLED FRANK_CLD_KILLED
#define CLD_STOPPED FRANK_CLD_STOPPED
#define CLD_CONTINUED FRANK_CLD_CONTINUED

#define SS_ONSTACK FRANK_SS_ONSTACK
#define SS_DISABLE FRANK_SS_DISABLE
#define MINSIGSTKSZ 2048
#define SIGSTKSZ 8192

__BEGIN_DECLS

typedef void (*_sig_func_ptr)(int);

/* As struct frank_siginfo. */
typedef struct {
    int si_signo;
    int si_code;
    union {
        void *si_addr;
        struct {
            pid_t si_pid;
            int si_status;
        };
    };
} siginfo_t;

struct sigaction {
    union {
        _sig_func_ptr sa_handler;
        void (*sa_sigaction)(int, siginfo_t *, void *);
    };
    sigset_t sa_mask;
    int sa_flags;
};

typedef struct sigaltstack {
    void *ss_sp;
    int ss_flags;
    size_t ss_size;
} stack_t;

int kill(pid_t pid, int signal);
int killpg(pid_t group, int signal);
int sigaction(int signal, const struct sigaction *new_action, struct sigaction *old_action);
int sigprocmask(int how, const sigset_t *set, sigset_t *old_set);
int pthread_kill(pthread_t thread, int signal);
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old_set);
int sigpending(sigset_t *set);
int sigsuspend(const sigset_t *mask);
int sigaltstack(const stack_t *__restrict new_stack, stack_t *__restrict old_stack);

int sigaddset(sigset_t *set, const int signal);
int sigdelset(sigset_t *set, const int signal);
int sigismember(const sigset_t *set, int signal);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);

#define sigaddset(set, signal) (*(set) |= (sigset_t)1 << (signal), 0)
#define sigdelset(set, signal) (*(set) &= ~((sigset_t)1 << (signal)), 0)
#define sigismember(set, signal) ((int)(*(set) >> (signal)&1))
#define sigemptyset(set) (*(set) = 0, 0)
#define sigfillset(set) (*(set) = ~(sigset_t)0, 0)

__END_DECLS

#ifndef _SIGNAL_H_
#include <signal.h>
#endif

#endif
