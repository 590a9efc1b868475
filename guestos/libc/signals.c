/* SPDX-License-Identifier: MIT */
/*
 * Signals. The kernel knows the handlers: newlib's own table of them, which is private to a
 * process and never hears of the kernel, is not linked in.
 */
#include <signal.h>
#include <stddef.h>
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
    return _kill_r(reent, getpid(), signal);
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

_sig_func_ptr _signal_r(struct _reent *reent, int number, _sig_func_ptr handler)
{
    struct sigaction new_action = {.sa_handler = handler};
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
