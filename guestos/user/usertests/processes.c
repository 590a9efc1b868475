/* SPDX-License-Identifier: MIT */
/* Processes: fork, exec, exit, wait, kill, sleep, scheduling. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "usertests.h"

static char own_path[] = "/bin/usertests";

static void fork_gives_pids(void)
{
    pid_t self = getpid();
    pid_t pid = fork_checked();

    if (pid == 0)
        _exit(getppid() == self && getpid() != self ? 0 : 1);
    CHECK(pid != self);
    CHECK(exit_status_of(pid) == 0);
}

/* A tree of depth 3 with four children each: 84 processes. */
static void grow_tree(int depth)
{
    enum { CHILDREN = 4 };
    pid_t pids[CHILDREN];

    if (depth == 0)
        return;
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            grow_tree(depth - 1);
            _exit(0);
        }
    }
    for (int i = 0; i < CHILDREN; i++)
        CHECK(exit_status_of(pids[i]) == 0);
}

static void fork_tree_comes_home(void)
{
    grow_tree(3);
}

static void many_processes_at_once(void)
{
    enum { COUNT = 90 };
    static pid_t pids[COUNT];
    int gate[2];
    char c;

    CHECK(pipe(gate) == 0);
    for (int i = 0; i < COUNT; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            close(gate[1]);
            _exit(read(gate[0], &c, 1) == 0 ? i & 0x7f : 1);
        }
    }
    CHECK(close(gate[1]) == 0);
    for (int i = 0; i < COUNT; i++)
        CHECK(exit_status_of(pids[i]) == (i & 0x7f));
}

static void process_table_full_is_eagain(void)
{
    enum { MORE_THAN_ENOUGH = 1200 };
    int gate[2];
    int count = 0;
    int error = 0;
    char c;

    CHECK(pipe(gate) == 0);
    for (int i = 0; i < MORE_THAN_ENOUGH && error == 0; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            close(gate[1]);
            (void)read(gate[0], &c, 1);
            _exit(0);
        }
        if (pid < 0)
            error = errno;
        else
            count++;
    }
    CHECK(close(gate[1]) == 0);
    while (wait(NULL) > 0)
        count--;
    CHECK(count == 0);
    CHECK(error == EAGAIN || error == ENOMEM);
}

static pid_t exec_child(const char *const words[], const char *const environment[])
{
    pid_t pid = fork_checked();

    if (pid == 0) {
        execve(own_path, ARGV(words), ARGV(environment));
        _exit(99);
    }
    return pid;
}

static void exec_passes_arguments(void)
{
    static const char *words[] = {"usertests", "--arguments", "one", "", "a b", NULL};
    static const char *none[] = {NULL};

    CHECK(exit_status_of(exec_child(words, none)) == 42);
}

static void exec_passes_the_environment(void)
{
    static const char *words[] = {"usertests", "--environment", NULL};
    static const char *environment[] = {"NAME=value", NULL};

    CHECK(exit_status_of(exec_child(words, environment)) == 42);
}

static void exec_takes_long_arguments_or_e2big(void)
{
    enum { COUNT = 1000, TOO_MANY = 20000 };
    static const char *words[TOO_MANY + 4];
    static char number[16];
    pid_t pid;

    snprintf(number, sizeof(number), "%d", COUNT);
    words[0] = own_path;
    words[1] = "--count";
    words[2] = number;
    for (int i = 0; i < COUNT; i++)
        words[3 + i] = "0123456789";
    CHECK(exit_status_of(exec_child(words, words + COUNT + 3)) == 42);

    for (int i = 0; i < TOO_MANY; i++)
        words[3 + i] = "0123456789";
    pid = fork_checked();
    if (pid == 0)
        _exit(FAILS_WITH(execve(own_path, ARGV(words), NULL), E2BIG) ? 0 : 1);
    CHECK(exit_status_of(pid) == 0);
}

static void exec_of_no_program_fails_and_returns(void)
{
    static const char *words[] = {"x", NULL};
    int descriptor;

    CHECK_ERROR(execve("missing", ARGV(words), NULL), ENOENT);
    CHECK_ERROR(execve("/bin", ARGV(words), NULL), EACCES);
    CHECK_ERROR(execve("/dev/null", ARGV(words), NULL), EACCES);
    make_file("file", 10);
    CHECK_ERROR(execve("file", ARGV(words), NULL), EACCES);
    CHECK(unlink("file") == 0);

    descriptor = open("file", O_WRONLY | O_CREAT, 0755);
    CHECK(write(descriptor, "no program", 10) == 10);
    CHECK_ERROR(execve("file", ARGV(words), NULL), ENOEXEC);
    CHECK(ftruncate(descriptor, 0) == 0);
    CHECK_ERROR(execve("file", ARGV(words), NULL), ENOEXEC);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

/* Copy the start of a real program, spoilt at one place after the other. */
static void exec_of_damaged_program_harms_nobody(void)
{
    enum { HEAD_BYTES = 400, STEP = 3 };
    static unsigned char head[HEAD_BYTES];
    static const char *words[] = {"x", NULL};
    int descriptor = open("/bin/true", O_RDONLY);

    CHECK(read(descriptor, head, sizeof(head)) == (ssize_t)sizeof(head));
    CHECK(close(descriptor) == 0);
    for (size_t at = 0; at < HEAD_BYTES; at += STEP) {
        pid_t pid;
        int status;

        descriptor = open("file", O_WRONLY | O_CREAT | O_TRUNC, 0755);
        head[at] ^= 0x95;
        CHECK(write(descriptor, head, sizeof(head)) == (ssize_t)sizeof(head));
        CHECK(close(descriptor) == 0);
        head[at] ^= 0x95;
        pid = fork_checked();
        if (pid == 0) {
            execve("file", ARGV(words), NULL);
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
    }
    CHECK(unlink("file") == 0);
}

static void exec_closes_what_it_was_told_to(void)
{
    static char open_text[8];
    static char closed_text[8];
    static const char *words[] = {"usertests", "--open", open_text, closed_text, NULL};
    int kept = open("/dev/null", O_RDONLY);
    int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);

    snprintf(open_text, sizeof(open_text), "%d", kept);
    snprintf(closed_text, sizeof(closed_text), "%d", closed);
    CHECK(exit_status_of(exec_child(words, NULL)) == 42);
}

static void exit_17(void)
{
    _exit(17);
}

static void kill_self_with_term(void)
{
    (void)kill(getpid(), SIGTERM);
    for (;;) {
    }
}

static void wait_reports_how_it_ended(void)
{
    int status = status_of(exit_17);

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 17);
    status = status_of(kill_self_with_term);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    CHECK(is_ended_by(abort, SIGABRT));
}

static void waitpid_picks_its_child(void)
{
    int status;
    pid_t first = fork_checked();
    pid_t second;

    if (first == 0)
        _exit(1);
    second = fork_checked();
    if (second == 0)
        _exit(2);
    CHECK(waitpid(second, &status, 0) == second && WEXITSTATUS(status) == 2);
    CHECK(wait(&status) == first && WEXITSTATUS(status) == 1);
    CHECK_ERROR(wait(&status), ECHILD);
    CHECK_ERROR(waitpid(first, &status, 0), ECHILD);
    CHECK_ERROR(waitpid(1, &status, 0), ECHILD);
    CHECK_ERROR(waitpid(-1, &status, 0x1000), EINVAL);
}

static void waitpid_need_not_wait(void)
{
    int gate[2];
    int status;
    char c;
    pid_t pid;

    CHECK(pipe(gate) == 0);
    pid = fork_checked();
    if (pid == 0) {
        (void)read(gate[0], &c, 1);
        _exit(5);
    }
    CHECK(waitpid(-1, &status, WNOHANG) == 0);
    CHECK(write(gate[1], "x", 1) == 1);
    CHECK(exit_status_of(pid) == 5);
    CHECK_ERROR(waitpid(-1, &status, WNOHANG), ECHILD);
}

static void orphan_passes_to_init(void)
{
    int result[2];
    pid_t parent = 0;
    pid_t pid;

    CHECK(pipe(result) == 0);
    pid = fork_checked();
    if (pid == 0) {
        if (fork_checked() == 0) {
            sleep_ms(50);
            parent = getppid();
            _exit(write(result[1], &parent, sizeof(parent)) < 0);
        }
        _exit(0);
    }
    CHECK(exit_status_of(pid) == 0);
    CHECK(read(result[0], &parent, sizeof(parent)) == sizeof(parent));
    CHECK(parent == 1);
}

static void zombie_is_seen_and_goes(void)
{
    struct frank_procinfo all[64];
    bool seen = false;
    int count;
    pid_t pid = fork_checked();

    if (pid == 0)
        _exit(0);
    sleep_ms(20);
    count = frank_processes(all, 64);
    for (int i = 0; i < count; i++)
        seen |= all[i].pid == pid && all[i].state == FRANK_PROCESS_ZOMBIE;
    CHECK(seen);
    CHECK(kill(pid, 0) == 0 || errno == ESRCH);
    CHECK(exit_status_of(pid) == 0);
    CHECK_ERROR(kill(pid, 0), ESRCH);
}

static void spin_for_ever(void)
{
    for (;;) {
    }
}

static void sleep_for_long(void)
{
    struct timespec request = {1000000, 0};

    (void)nanosleep(&request, NULL);
}

static void ends_when_killed(void (*function)(void))
{
    int status;
    pid_t pid = fork_checked();

    if (pid == 0) {
        function();
        _exit(0);
    }
    sleep_ms(20);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void kill_ends_a_sleeper(void)
{
    ends_when_killed(sleep_for_long);
}

static void kill_ends_a_spinner(void)
{
    ends_when_killed(spin_for_ever);
}

static void kill_refuses_nonsense(void)
{
    CHECK_ERROR(kill(30000, SIGTERM), ESRCH);
    CHECK_ERROR(kill(getpid(), 1000), EINVAL);
    CHECK_ERROR(kill(getpid(), -1), EINVAL);
    CHECK(kill(getpid(), 0) == 0);
}

static void kill_reaches_a_group(void)
{
    enum { COUNT = 3 };
    pid_t pids[COUNT];
    int status;

    for (int i = 0; i < COUNT; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            sleep_for_long();
            _exit(0);
        }
        CHECK(setpgid(pids[i], pids[0]) == 0);
    }
    sleep_ms(20);
    CHECK(kill(-pids[0], SIGINT) == 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK(waitpid(pids[i], &status, 0) == pids[i]);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    }
    CHECK_ERROR(kill(-pids[0], SIGINT), ESRCH);
    CHECK_ERROR(setpgid(30000, 0), ESRCH);
}

static void waitpid_with_a_wild_status_leaves_the_child(void)
{
    int status = 0;
    pid_t pid = fork_checked();

    if (pid == 0)
        _exit(9);
    CHECK(raw_call(FRANK_SYS_waitpid, pid, 8, 0) == -EFAULT);
    CHECK(raw_call(FRANK_SYS_waitpid, -1, 8, WNOHANG) == -EFAULT);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 9);
    CHECK_ERROR(waitpid(pid, &status, 0), ECHILD);
}

/* Touch far more of the heap than there may be page tables for. */
static void touch_a_wide_heap(void)
{
    enum { SPAN = 2 << 20, COUNT = 480 };
    char *heap = sbrk((ptrdiff_t)SPAN * COUNT);

    CHECK(heap != (char *)-1);
    for (int i = 0; i < COUNT; i++)
        *(volatile char *)(heap + (size_t)i * SPAN) = 1;
}

static void greedy_child(void)
{
    touch_a_wide_heap();
    sleep_ms(50);
}

/* Where page tables are few, whoever asks for too many ends, or fork fails; the others go on. */
static void tables_run_out_for_the_greedy_alone(void)
{
    pid_t pids[3];
    int status, ready[2];
    char none;

    CHECK(pipe(ready) == 0);
    for (int i = 0; i < 3; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            close(ready[1]);
            CHECK(read(ready[0], &none, 1) == 0); /* until all have been forked */
            greedy_child();
            _exit(0);
        }
    }
    close(ready[1]);
    for (int i = 0; i < 3; i++) {
        CHECK(waitpid(pids[i], &status, 0) == pids[i]);
        CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    }
    fork_tree_comes_home();
}

static void processes_are_reported(void)
{
    struct frank_procinfo all[64];
    struct frank_procinfo one;
    bool seen = false;
    int count = frank_processes(all, 64);

    CHECK(count >= 3 && all[0].pid == 1);
    for (int i = 0; i < count; i++) {
        CHECK(i == 0 || all[i].pid > all[i - 1].pid);
        if (all[i].pid == getpid()) {
            seen = true;
            CHECK(all[i].parent_pid == getppid());
            CHECK(all[i].state == FRANK_PROCESS_RUNNING && all[i].page_count > 0);
            CHECK(strcmp(all[i].name, "usertests") == 0);
        }
    }
    CHECK(seen);
    CHECK(frank_processes(&one, 1) == 1 && one.pid == 1);
    CHECK(frank_processes(&one, 0) == 0);
}

static void unknown_call_is_enosys(void)
{
    CHECK(raw_call(9999, 1, 2, 3) == -ENOSYS);
    CHECK(raw_call(-1, 1, 2, 3) == -ENOSYS);
    CHECK(raw_call(FRANK_SYS_COUNT, 1, 2, 3) == -ENOSYS);
    CHECK(raw_call(FRANK_SYS_getpid | 1L << 32, 0, 0, 0) == -ENOSYS);
}

const struct test process_tests[] = {
    TEST(fork_gives_pids),
    TEST(fork_tree_comes_home),
    TEST(many_processes_at_once),
    TEST(process_table_full_is_eagain),
    TEST(exec_passes_arguments),
    TEST(exec_passes_the_environment),
    TEST(exec_takes_long_arguments_or_e2big),
    TEST(exec_of_no_program_fails_and_returns),
    TEST(exec_of_damaged_program_harms_nobody),
    TEST(exec_closes_what_it_was_told_to),
    TEST(wait_reports_how_it_ended),
    TEST(waitpid_picks_its_child),
    TEST(waitpid_need_not_wait),
    TEST(orphan_passes_to_init),
    TEST(zombie_is_seen_and_goes),
    TEST(kill_ends_a_sleeper),
    TEST(kill_ends_a_spinner),
    TEST(kill_refuses_nonsense),
    TEST(kill_reaches_a_group),
    TEST(waitpid_with_a_wild_status_leaves_the_child),
    TEST(tables_run_out_for_the_greedy_alone),
    TEST(processes_are_reported),
    TEST(unknown_call_is_enosys),
    TESTS_END,
};
