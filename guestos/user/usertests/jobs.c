/* SPDX-License-Identifier: MIT */
/* Job control: stopping and going on, groups, sessions, the terminal's background. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "frank_system.h"
#include "usertests.h"

static volatile siginfo_t child_info;
static volatile sig_atomic_t child_signals;

static void note_child(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    child_signals = child_signals + 1;
    child_info.si_code = info->si_code;
    child_info.si_pid = info->si_pid;
    child_info.si_status = info->si_status;
}

static void handle_children(int flags)
{
    struct sigaction action = {.sa_sigaction = note_child, .sa_flags = SA_SIGINFO | flags};

    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
}

static pid_t fork_sleeper(void)
{
    pid_t pid = fork_checked();

    if (pid == 0) {
        for (;;)
            (void)pause();
    }
    return pid;
}

static int wait_for(pid_t pid, int flags)
{
    int status;

    while (waitpid(pid, &status, flags) < 0)
        CHECK(errno == EINTR);
    return status;
}

static void end(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(WTERMSIG(wait_for(pid, 0)) == SIGKILL);
}

static void child_stops_and_goes_on(void)
{
    static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    int status;
    pid_t pid;

    handle_children(0);
    pid = fork_sleeper();
    CHECK(setpgid(pid, pid) == 0); /* its parent is in another: not orphaned */
    for (int i = 0; i < 4; i++) {
        CHECK(kill(pid, stops[i]) == 0);
        status = wait_for(pid, WUNTRACED);
        CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == stops[i]);
        CHECK(!WIFEXITED(status) && !WIFSIGNALED(status) && !WIFCONTINUED(status));
        CHECK(child_info.si_code == CLD_STOPPED && child_info.si_pid == pid &&
              child_info.si_status == stops[i]);
        CHECK(state_of(pid) == FRANK_PROCESS_STOPPED);
        CHECK(waitpid(pid, &status, WNOHANG | WUNTRACED) == 0); /* told once */
        CHECK(kill(pid, SIGCONT) == 0);
        status = wait_for(pid, WCONTINUED);
        CHECK(WIFCONTINUED(status) && !WIFSTOPPED(status));
        CHECK(child_info.si_code == CLD_CONTINUED);
    }
    end(pid);
    CHECK(child_info.si_code == CLD_KILLED && child_info.si_status == SIGKILL);
}

static void stopped_process_does_not_run(void)
{
    int ends[2];
    char byte;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        CHECK(raise(SIGSTOP) == 0);
        (void)!write(ends[1], "x", 1);
        _exit(7);
    }
    CHECK(close(ends[1]) == 0);
    CHECK(WSTOPSIG(wait_for(pid, WUNTRACED)) == SIGSTOP);
    CHECK(kill(pid, SIGTERM) == 0); /* waits for the continuation */
    CHECK(state_of(pid) == FRANK_PROCESS_STOPPED);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(WTERMSIG(wait_for(pid, 0)) == SIGTERM);
    CHECK(read(ends[0], &byte, 1) == 0);
}

static void stop_and_continue_cancel_each_other(void)
{
    sigset_t all, pending;
    pid_t pid = fork_checked();

    if (pid == 0) {
        sigfillset(&all);
        CHECK(signal(SIGCONT, _exit) == SIG_DFL && sigprocmask(SIG_SETMASK, &all, NULL) == 0);
        CHECK(raise(SIGTSTP) == 0);
        CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGTSTP));
        CHECK(raise(SIGCONT) == 0);
        CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGTSTP));
        CHECK(sigismember(&pending, SIGCONT));
        CHECK(raise(SIGTTIN) == 0);
        CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGCONT));
        _exit(0);
    }
    CHECK(exit_status_of(pid) == 0);
}

static void sa_nocldstop_is_silent_of_stops(void)
{
    pid_t pid;

    handle_children(SA_NOCLDSTOP | SA_RESTART);
    pid = fork_sleeper();
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(WIFSTOPPED(wait_for(pid, WUNTRACED)));
    CHECK(child_signals == 0);
    end(pid);
    CHECK(child_signals == 1);
}

static void children_without_zombies(bool by_flag)
{
    int status;

    if (by_flag)
        handle_children(SA_NOCLDWAIT | SA_RESTART);
    else
        CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    for (int i = 0; i < 3; i++) {
        if (fork_checked() == 0)
            _exit(0);
    }
    CHECK_ERROR(waitpid(-1, &status, 0), ECHILD); /* once all have ended */
}

static void sa_nocldwait_leaves_no_zombies(void)
{
    children_without_zombies(true);
    children_without_zombies(false);
}

static void waitpid_takes_groups(void)
{
    int status;
    pid_t own = fork_sleeper();
    pid_t other = fork_sleeper();

    CHECK(setpgid(other, other) == 0);
    CHECK(kill(own, SIGKILL) == 0);
    CHECK(waitpid(0, &status, 0) == own);
    CHECK_ERROR(waitpid(0, &status, 0), ECHILD);
    CHECK(waitpid(-other, &status, WNOHANG) == 0);
    CHECK(kill(-other, SIGKILL) == 0);
    CHECK(waitpid(-other, &status, 0) == other);
    CHECK_ERROR(waitpid(-other, &status, 0), ECHILD);
    CHECK_ERROR(waitpid(-1, &status, WNOHANG | 0x40), EINVAL);
}

/* The child stops, goes on and ends while the parent looks: each wait gives something true. */
static void parent_and_child_race(void)
{
    for (int i = 0; i < 30; i++) {
        int status;
        pid_t pid = fork_checked();

        if (pid == 0) {
            (void)raise(SIGSTOP);
            _exit(3);
        }
        do {
            status = wait_for(pid, WUNTRACED | WCONTINUED);
            CHECK(WIFSTOPPED(status) || WIFCONTINUED(status) || WIFEXITED(status));
            if (WIFSTOPPED(status))
                CHECK(kill(pid, SIGCONT) == 0);
        } while (!WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 3);
    }
}

static void wild_status_keeps_the_stop(void)
{
    pid_t pid = fork_sleeper();

    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(raw_call(FRANK_SYS_waitpid, pid, 8, WUNTRACED) == -EFAULT);
    CHECK(WIFSTOPPED(wait_for(pid, WUNTRACED | WNOHANG)));
    end(pid);
}

static void orphaned_group_is_hung_up(void)
{
    int ends[2];
    char byte;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        pid_t stopped = fork_sleeper(); /* dies of SIGHUP */

        CHECK(setpgid(stopped, stopped) == 0);
        CHECK(kill(stopped, SIGSTOP) == 0);
        CHECK(WIFSTOPPED(wait_for(stopped, WUNTRACED)));
        _exit(0);
    }
    CHECK(close(ends[1]) == 0);
    CHECK(exit_status_of(pid) == 0);
    CHECK(read(ends[0], &byte, 1) == 0); /* both have gone */
}

static void terminal_does_not_stop_an_orphaned_group(void)
{
    pid_t pid = fork_checked();

    if (pid == 0) {
        CHECK(setsid() == getpid());
        CHECK(raise(SIGTSTP) == 0 && raise(SIGTTIN) == 0 && raise(SIGTTOU) == 0);
        _exit(5);
    }
    CHECK(exit_status_of(pid) == 5);
}

/* Whether a child of ours executes a program of that name by now. */
static bool executes(pid_t pid, const char *name)
{
    struct frank_procinfo all[64];
    int count = frank_processes(all, 64);

    for (int i = 0; i < count; i++) {
        if (all[i].pid == pid)
            return strcmp(all[i].name, name) == 0;
    }
    return false;
}

static void groups_and_sessions_have_their_rules(void)
{
    static const char *words[] = {"/bin/sleep", "1000", NULL};
    pid_t self = getpid(), session = getsid(0);
    pid_t leader = fork_sleeper(), runs;

    CHECK(getpgid(0) == getpgrp() && getpgid(self) == getpgrp() && getsid(self) == session);
    CHECK(getpgid(leader) == getpgrp() && getsid(leader) == session);
    CHECK_ERROR(getpgid(30000), ESRCH);
    CHECK_ERROR(getsid(30000), ESRCH);
    CHECK(raw_call(FRANK_SYS_pgroup, 3, 0, 0) == -EINVAL);
    CHECK_ERROR(setpgid(0, -1), EINVAL);
    CHECK_ERROR(setpgid(getppid(), 0), ESRCH);
    CHECK_ERROR(setpgid(leader, 30000), EPERM);
    CHECK(setpgid(leader, 0) == 0 && getpgid(leader) == leader);
    CHECK(setpgid(0, leader) == 0 && getpgrp() == leader && setpgid(0, 0) == 0);
    CHECK_ERROR(setsid(), EPERM); /* leads a group */
    end(leader);

    leader = fork_checked();
    if (leader == 0) {
        CHECK(setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid());
        CHECK_ERROR(setpgid(0, 0), EPERM);
        (void)raise(SIGSTOP);
    }
    CHECK(WIFSTOPPED(wait_for(leader, WUNTRACED)));
    CHECK_ERROR(setpgid(leader, self), EPERM);
    end(leader);

    runs = fork_checked();
    if (runs == 0)
        _exit(execv(words[0], ARGV(words)));
    while (!executes(runs, "sleep"))
        sleep_ms(1);
    CHECK_ERROR(setpgid(runs, runs), EACCES);
    end(runs);
}

static void background_meets_the_terminal(void)
{
    int console = open("/dev/console", O_RDWR);
    struct termios mode;
    char byte;
    pid_t pid;

    CHECK(tcgetpgrp(console) == getpgrp());
    CHECK(tcgetattr(console, &mode) == 0 && mode.c_lflag & ICANON && mode.c_cc[VMIN] == 1);
    pid = fork_checked();
    if (pid == 0) {
        CHECK(setpgid(0, 0) == 0);
        CHECK(signal(SIGTTIN, SIG_IGN) == SIG_DFL);
        CHECK_ERROR(read(console, &byte, 1), EIO);
        CHECK(signal(SIGTTIN, SIG_DFL) == SIG_IGN);
        CHECK(write(console, "", 0) == 0);
        (void)read(console, &byte, 1); /* stops, for the rest of its life */
        _exit(1);
    }
    CHECK(WSTOPSIG(wait_for(pid, WUNTRACED)) == SIGTTIN);
    CHECK(kill(pid, SIGCONT) == 0); /* still in the background: it stops again */
    CHECK(WSTOPSIG(wait_for(pid, WUNTRACED)) == SIGTTIN);
    end(pid);
    pid = fork_checked();
    if (pid == 0) {
        CHECK(setpgid(0, 0) == 0);
        (void)tcsetattr(console, TCSANOW, &mode);
        (void)signal(SIGTTOU, SIG_IGN);
        CHECK(tcsetattr(console, TCSANOW, &mode) == 0);
        _exit(4);
    }
    CHECK(WSTOPSIG(wait_for(pid, WUNTRACED)) == SIGTTOU);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(WSTOPSIG(wait_for(pid, WUNTRACED)) == SIGTTOU);
    end(pid);
    CHECK(close(console) == 0);
}

static void terminal_refuses_nonsense(void)
{
    int console = open("/dev/console", O_RDWR), null = open("/dev/null", O_RDWR);
    struct termios mode, raw;
    struct winsize size;
    char byte;
    pid_t pid;

    CHECK_ERROR(tcgetattr(null, &mode), ENOTTY);
    CHECK_ERROR(tcgetpgrp(null), ENOTTY);
    CHECK_ERROR(ioctl(null, TIOCGWINSZ, &size), ENOTTY);
    CHECK(ioctl(console, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0);
    CHECK_ERROR(tcsetpgrp(console, -1), EINVAL);
    CHECK_ERROR(tcsetpgrp(console, 30000), EPERM);
    CHECK_ERROR(ioctl(console, TIOCSCTTY, 0L), EPERM);
    CHECK_ERROR(ioctl(console, 77, 0L), EINVAL);
    CHECK_ERROR(ioctl(console, FRANK_TTY_SET_MODE, 0x1000000L), EINVAL);
    pid = fork_checked();
    if (pid == 0) {
        CHECK(setsid() > 0);
        CHECK_ERROR(tcgetpgrp(console), ENOTTY);
        CHECK_ERROR(tcsetpgrp(console, getpid()), ENOTTY);
        CHECK_ERROR(ioctl(console, TIOCSCTTY, 0L), EPERM);
        _exit(0);
    }
    CHECK(exit_status_of(pid) == 0);
    CHECK(tcgetattr(console, &mode) == 0);
    raw = mode;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 1;
    CHECK(tcsetattr(console, TCSAFLUSH, &raw) == 0);
    CHECK(read(console, &byte, 1) == 0); /* after a tenth of a second */
    CHECK(tcgetattr(console, &raw) == 0 && raw.c_cc[VMIN] == 0 && raw.c_cc[VTIME] == 1);
    CHECK(!(raw.c_lflag & (ICANON | ECHO | ISIG)));
    CHECK(tcsetattr(console, TCSANOW, &mode) == 0);
    CHECK_ERROR(tcsetattr(console, 77, &mode), EINVAL);
    CHECK(close(console) == 0 && close(null) == 0);
}

const struct test job_tests[] = {
    TEST(child_stops_and_goes_on),
    TEST(stopped_process_does_not_run),
    TEST(stop_and_continue_cancel_each_other),
    TEST(sa_nocldstop_is_silent_of_stops),
    TEST(sa_nocldwait_leaves_no_zombies),
    TEST(waitpid_takes_groups),
    TEST(parent_and_child_race),
    TEST(wild_status_keeps_the_stop),
    TEST(orphaned_group_is_hung_up),
    TEST(terminal_does_not_stop_an_orphaned_group),
    TEST(groups_and_sessions_have_their_rules),
    TEST(background_meets_the_terminal),
    TEST(terminal_refuses_nonsense),
    TESTS_END,
};
