/* SPDX-License-Identifier: MIT */
/*
 * Signals. The kernel knows the handlers: newlib's own table of them, which is private to a
 * process and never hears of the kernel, is not linked in.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "frank/signal.h"
#include "system_call.h"

/*
 * Where a handler returns to: the kernel puts the interrupted registers back. The call finds them
 * at the stack pointer, so nothing may move that on the way.
 */
__attribute__((naked)) static void signal_return(void)
{
    __asm__ volatile("li a7, %0\n\tecall" : : "i"(FRANK_SYS_sigreturn));
}

int _kill_r(struct _reent *reent, int pid, int signal)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_kill, pid, signal, 0));
}

int kill(pid_t pid, int signal)
{
    return _kill_r(_REENT, pid, signal);
}

int _raise_r(struct _reent *reent, int signal)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_thread_kill, 0, signal, 0));
}

int raise(int signal)
{
    return _raise_r(_REENT, signal);
}

int sigaction(int signal, const struct sigaction *new_action, struct sigaction *old_action)
{
    struct frank_sigaction new_kernel = {0, 0, 0, 0};
    struct frank_sigaction old_kernel = {0, 0, 0, 0};
    long result;

    if (new_action) {
        new_kernel.handler = (uint64_t)new_action->sa_handler;
        new_kernel.restorer = (uint64_t)signal_return;
        new_kernel.mask = new_action->sa_mask;
        new_kernel.flags = (uint64_t)new_action->sa_flags;
    }
    result = system_call(FRANK_SYS_sigaction, signal, new_action ? (long)&new_kernel : 0,
                         (long)&old_kernel);
    if (system_call_result(_REENT, result) < 0)
        return -1;
    if (old_action) {
        old_action->sa_handler = (_sig_func_ptr)old_kernel.handler;
        old_action->sa_mask = (sigset_t)old_kernel.mask;
        old_action->sa_flags = (int)old_kernel.flags;
    }
    return 0;
}

/* Mask calls; as the two names of one function that POSIX wants, they report errors in two ways. */
static long mask_call(enum frank_mask_how how, const sigset_t *set, sigset_t *old_set)
{
    return system_call(FRANK_SYS_sigmask, how, (long)set, (long)old_set);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old_set)
{
    bool is_wrong = set && (how < SIG_SETMASK || how > SIG_UNBLOCK);

    return (int)system_call_result(_REENT,
                                   is_wrong ? -EINVAL : mask_call(set ? how : 0, set, old_set));
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old_set)
{
    return sigprocmask(how, set, old_set) == 0 ? 0 : errno;
}

int sigpending(sigset_t *set)
{
    return (int)system_call_result(_REENT, mask_call(FRANK_SIG_PENDING, NULL, set));
}

int sigsuspend(const sigset_t *mask)
{
    return (int)system_call_result(_REENT, mask_call(FRANK_SIG_SUSPEND, mask, NULL));
}

int pause(void)
{
    sigset_t mask;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    return sigsuspend(&mask);
}

int killpg(pid_t group, int signal)
{
    if (group <= 1) {
        errno = EINVAL;
        return -1;
    }
    return kill(-group, signal);
}

int sigaltstack(const stack_t *__restrict new_stack, stack_t *__restrict old_stack)
{
    struct frank_stack new, old;
    long result;

    if (new_stack)
        new = (struct frank_stack){(uint64_t)new_stack->ss_sp, (uint64_t)new_stack->ss_flags,
                                   new_stack->ss_size};
    result = system_call(FRANK_SYS_sigaltstack, new_stack ? (long)&new : 0, (long)&old, 0);
    if (system_call_result(_REENT, result) < 0)
        return -1;
    if (old_stack)
        *old_stack = (stack_t){(void *)old.start, (int)old.flags, old.bytes};
    return 0;
}

/* Neither a blocked SIGABRT, nor an ignored one, nor a handler that returns keeps it from the end.
 */
void abort(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGABRT);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(SIGABRT);
    (void)sigaction(SIGABRT, &action, NULL);
    (void)raise(SIGABRT);
    for (;;)
        _exit(EXIT_FAILURE);
}

_sig_func_ptr _signal_r(struct _reent *reent, int number, _sig_func_ptr handler)
{
    struct sigaction new_action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction old_action;

    (void)reent;
    if (sigaction(number, &new_action, &old_action) < 0)
        return SIG_ERR;
    return old_action.sa_handler;
}

_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
    return _signal_r(_REENT, number, handler);
}
