/* SPDX-License-Identifier: MIT */
/* Masks, pending signals, the flags of sigaction, alarms: what POSIX says of them. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "usertests.h"

static volatile sig_atomic_t calls;
static volatile siginfo_t last;

static void count(int signal)
{
    (void)signal;
    calls = calls + 1;
}

static void note(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    calls = calls + 1;
    memcpy((void *)&last, info, sizeof(last));
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_flags = flags};

    if (flags & SA_SIGINFO)
        action.sa_sigaction = note;
    else
        action.sa_handler = count;
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static sigset_t set_of(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static void block(int signal)
{
    sigset_t set = set_of(signal);

    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

static void unblock(int signal)
{
    sigset_t set = set_of(signal);

    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static void blocked_signal_waits_until_it_is_let_through(void)
{
    sigset_t pending, old;

    handle(SIGUSR1, 0);
    block(SIGUSR1);
    CHECK(sigpending(&pending) == 0 && pending == 0);
    CHECK(raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
    CHECK(calls == 0);
    CHECK(sigpending(&pending) == 0 && pending == set_of(SIGUSR1));
    CHECK(sigprocmask(SIG_SETMASK, NULL, &old) == 0 && old == set_of(SIGUSR1));
    unblock(SIGUSR1);
    CHECK(calls == 1); /* twice sent, once pending */
    CHECK(sigpending(&pending) == 0 && pending == 0);
}

static void kill_and_stop_cannot_be_blocked(void)
{
    sigset_t all;
    struct sigaction action = {.sa_handler = count};

    sigfillset(&all);
    CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &all) == 0);
    CHECK(!sigismember(&all, SIGKILL) && !sigismember(&all, SIGSTOP) && sigismember(&all, SIGHUP));
    CHECK_ERROR(sigaction(SIGSTOP, &action, NULL), EINVAL);
    CHECK_ERROR(sigprocmask(77, &all, NULL), EINVAL);
    CHECK_ERROR(sigprocmask(SIG_BLOCK + 70, &all, NULL), EINVAL);
    CHECK(raw_call(FRANK_SYS_sigmask, FRANK_SIG_PENDING + 1L, 0, 0) == -EINVAL);
    CHECK(raw_call(FRANK_SYS_sigmask, FRANK_SIG_SUSPEND, 0, 0) == -EFAULT);
}

static void ignoring_drops_what_is_pending(void)
{
    sigset_t pending;

    block(SIGTERM);
    CHECK(raise(SIGTERM) == 0);
    CHECK(signal(SIGTERM, SIG_IGN) == SIG_DFL);
    CHECK(sigpending(&pending) == 0 && pending == 0);
    CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
    unblock(SIGTERM);
}

/* The signal comes while it is blocked: between the check and the sleep. It must end the sleep. */
static void sigsuspend_loses_no_signal(void)
{
    sigset_t none, mask;

    sigemptyset(&none);
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    for (int i = 0; i < 50; i++) {
        pid_t parent = getpid();
        pid_t pid = fork_checked();

        if (pid == 0)
            _exit(kill(parent, SIGUSR1));
        while (calls == i)
            CHECK_ERROR(sigsuspend(&none), EINTR);
        CHECK(calls == i + 1);
        CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && mask == set_of(SIGUSR1));
        CHECK(exit_status_of(pid) == 0);
    }
}

static void handler_runs_under_the_mask_of_sigsuspend(void)
{
    sigset_t usr2 = set_of(SIGUSR2);

    handle(SIGUSR1, SA_SIGINFO);
    block(SIGUSR1);
    CHECK(raise(SIGUSR1) == 0);
    CHECK_ERROR(sigsuspend(&usr2), EINTR);
    CHECK(calls == 1 && last.si_signo == SIGUSR1);
    CHECK(last.si_code == SI_USER && last.si_pid == getpid());
}

static int gate[2];

/* Signals the parent once it sleeps in a call, and writes once it sleeps again. */
static void signal_then_write(pid_t parent)
{
    wait_until_asleep(parent);
    CHECK(kill(parent, SIGUSR1) == 0);
    wait_until_asleep(parent);
    _exit(write(gate[1], "x", 1) != 1);
}

static void sa_restart_begins_the_call_anew(void)
{
    pid_t parent = getpid(), pid;
    char byte = 0;

    CHECK(pipe(gate) == 0);
    handle(SIGUSR1, SA_RESTART);
    pid = fork_checked();
    if (pid == 0)
        signal_then_write(parent);
    CHECK(read(gate[0], &byte, 1) == 1 && byte == 'x');
    CHECK(calls == 1);
    CHECK(exit_status_of(pid) == 0);
    handle(SIGUSR1, 0);
    pid = fork_checked();
    if (pid == 0)
        signal_then_write(parent);
    CHECK_ERROR(read(gate[0], &byte, 1), EINTR);
    CHECK(exit_status_of(pid) == 0);
}

static void sleep_is_never_restarted_and_tells_the_rest(void)
{
    struct timespec request = {1000, 0}, rest = {0, 0};
    pid_t parent = getpid(), pid;

    handle(SIGUSR1, SA_RESTART);
    pid = fork_checked();
    if (pid == 0) {
        wait_until_asleep(parent);
        _exit(kill(parent, SIGUSR1));
    }
    CHECK_ERROR(nanosleep(&request, &rest), EINTR);
    CHECK(rest.tv_sec >= 500 && rest.tv_sec < 1000);
    CHECK(exit_status_of(pid) == 0);
}

static volatile int depth, deepest;

static void nest(int signal)
{
    depth = depth + 1;
    if (depth > deepest)
        deepest = depth;
    if (depth < 3 && calls++ < 3)
        CHECK(raise(signal) == 0);
    depth = depth - 1;
}

static void sa_nodefer_lets_the_signal_into_its_handler(void)
{
    struct sigaction action = {.sa_handler = nest, .sa_flags = SA_NODEFER};

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && deepest == 3);
    calls = deepest = 0;
    action.sa_flags = 0;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && deepest == 1);
}

static void raise_term_twice(void)
{
    handle(SIGTERM, SA_RESETHAND);
    CHECK(raise(SIGTERM) == 0 && calls == 1);
    (void)raise(SIGTERM);
}

static void sa_resethand_calls_the_handler_once(void)
{
    CHECK(is_ended_by(raise_term_twice, SIGTERM));
}

static char other_stack[SIGSTKSZ];
static volatile bool was_on_other_stack;

static void look_at_stack(int signal)
{
    char here;
    stack_t stack, none = {.ss_flags = SS_DISABLE};

    (void)signal;
    was_on_other_stack = &here >= other_stack && &here < other_stack + sizeof(other_stack);
    CHECK(sigaltstack(NULL, &stack) == 0 && stack.ss_flags == SS_ONSTACK);
    CHECK_ERROR(sigaltstack(&none, NULL), EPERM);
}

static void handlers_can_have_a_stack_of_their_own(void)
{
    struct sigaction action = {.sa_handler = look_at_stack, .sa_flags = SA_ONSTACK};
    stack_t stack = {other_stack, 0, sizeof(other_stack)}, old;

    CHECK(sigaltstack(&stack, &old) == 0 && old.ss_flags == SS_DISABLE);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && was_on_other_stack);
    stack.ss_size = 10;
    CHECK_ERROR(sigaltstack(&stack, NULL), ENOMEM);
    stack.ss_flags = 0x100;
    CHECK_ERROR(sigaltstack(&stack, NULL), EINVAL);
    stack.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&stack, &old) == 0 && old.ss_sp == other_stack && old.ss_flags == 0);
}

static void alarm_ends_a_wait(void)
{
    struct itimerval timer = {.it_value = {0, 20000}}, rest;
    sigset_t none;
    unsigned left;

    sigemptyset(&none);
    handle(SIGALRM, SA_SIGINFO);
    CHECK(alarm(1000) == 0);
    left = alarm(0);
    CHECK(left > 500 && left <= 1000);
    block(SIGALRM); /* it may come before the wait begins */
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    CHECK_ERROR(sigsuspend(&none), EINTR);
    unblock(SIGALRM);
    CHECK(calls == 1 && last.si_signo == SIGALRM && last.si_code == SI_TIMER);
    CHECK(getitimer(ITIMER_REAL, &rest) == 0);
    CHECK(rest.it_value.tv_sec == 0 && rest.it_value.tv_usec == 0);
    timer.it_interval.tv_usec = 5000;
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    while (calls < 4)
        (void)pause();
    timer.it_value.tv_usec = 0;
    CHECK(setitimer(ITIMER_REAL, &timer, &rest) == 0 && rest.it_interval.tv_usec >= 5000);
    timer.it_value.tv_usec = 1000000;
    CHECK_ERROR(setitimer(ITIMER_REAL, &timer, NULL), EINVAL);
    CHECK_ERROR(setitimer(77, NULL, NULL), EINVAL);
}

static void alarm_and_spin(void)
{
    (void)alarm(1);
    if (fork_checked() == 0) {
        CHECK(alarm(0) == 0); /* a child has none */
        _exit(0);
    }
    for (;;) {
    }
}

static void alarm_ends_who_has_no_handler(void)
{
    CHECK(is_ended_by(alarm_and_spin, SIGALRM));
}

static void abort_although_it_is_blocked(void)
{
    block(SIGABRT);
    CHECK(signal(SIGABRT, SIG_IGN) == SIG_DFL);
    abort();
}

static void abort_cannot_be_kept_off(void)
{
    CHECK(is_ended_by(abort_although_it_is_blocked, SIGABRT));
}

static void spin_for_a_while(void)
{
    struct timespec now;

    do {
        CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    } while (now.tv_sec == 0 && now.tv_nsec < 30000000);
    _exit(0);
}

static void what_children_used_is_told_when_they_were_waited_for(void)
{
    struct rusage before, after;
    struct timespec now;
    struct tms times_now;

    CHECK(getrusage(RUSAGE_CHILDREN, &before) == 0);
    CHECK(status_of(spin_for_a_while) == 0);
    CHECK(getrusage(RUSAGE_CHILDREN, &after) == 0);
    CHECK(after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec +
              after.ru_stime.tv_sec * 1000000 + after.ru_stime.tv_usec >=
          before.ru_utime.tv_usec + before.ru_stime.tv_usec + 30000);
    CHECK(times(&times_now) != (clock_t)-1 && times_now.tms_cutime + times_now.tms_cstime > 0);
    CHECK(getrusage(RUSAGE_SELF, &after) == 0);
    CHECK_ERROR(getrusage(5, &after), EINVAL);
    CHECK_ERROR(getrusage(1, &after), EINVAL);
    CHECK_ERROR(clock_gettime((clockid_t)77, &now), EINVAL);
}

const struct test mask_tests[] = {
    TEST(blocked_signal_waits_until_it_is_let_through),
    TEST(kill_and_stop_cannot_be_blocked),
    TEST(ignoring_drops_what_is_pending),
    TEST(sigsuspend_loses_no_signal),
    TEST(handler_runs_under_the_mask_of_sigsuspend),
    TEST(sa_restart_begins_the_call_anew),
    TEST(sleep_is_never_restarted_and_tells_the_rest),
    TEST(sa_nodefer_lets_the_signal_into_its_handler),
    TEST(sa_resethand_calls_the_handler_once),
    TEST(handlers_can_have_a_stack_of_their_own),
    TEST(alarm_ends_a_wait),
    TEST(alarm_ends_who_has_no_handler),
    TEST(abort_cannot_be_kept_off),
    TEST(what_children_used_is_told_when_they_were_waited_for),
    TESTS_END,
};
