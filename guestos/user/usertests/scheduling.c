/* SPDX-License-Identifier: MIT */
/* Sleeping, sharing the processor, and registers that survive it. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "usertests.h"

static void spin_for_ever(void)
{
    for (;;) {
    }
}

static void sleep_takes_its_time(void)
{
    double start = seconds_now();
    double slept;

    sleep_ms(100);
    slept = seconds_now() - start;
    CHECK(slept >= 0.1);
    CHECK(slept < 5.0);
    start = seconds_now();
    sleep_ms(0);
    CHECK(seconds_now() - start < 5.0);
}

static void sleep_refuses_nonsense(void)
{
    struct timespec request = {0, 1000000000};

    CHECK_ERROR(nanosleep(&request, NULL), EINVAL);
    request.tv_nsec = -1;
    CHECK_ERROR(nanosleep(&request, NULL), EINVAL);
    request = (struct timespec){-1, 0};
    CHECK_ERROR(nanosleep(&request, NULL), EINVAL);
}

static void sleepers_wake_in_order(void)
{
    enum { COUNT = 5 };
    double start = seconds_now();
    int ends[2];
    char order[COUNT];
    long apart_ms;
    pid_t pid = fork_checked();

    /* Far enough apart for the machine's speed: each begins to sleep when it has been forked. */
    if (pid == 0)
        _exit(0);
    CHECK(exit_status_of(pid) == 0);
    apart_ms = 40 + (long)((seconds_now() - start) * 1000 * 10);
    CHECK(pipe(ends) == 0);
    for (int i = 0; i < COUNT; i++) {
        if (fork_checked() == 0) {
            char c = (char)i;

            sleep_ms(apart_ms * (COUNT - i));
            _exit(write(ends[1], &c, 1) != 1);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(read(ends[0], &order[i], 1) == 1);
        CHECK(order[i] == COUNT - 1 - i);
    }
    while (wait(NULL) > 0) {
    }
}

static void spinner_is_preempted(void)
{
    double start = seconds_now();
    volatile unsigned long work = 0;
    pid_t pid = fork_checked();

    if (pid == 0)
        spin_for_ever();
    /* With the processor shared, both sleeping and computing come to an end. */
    sleep_ms(50);
    while (work < 1000000)
        work++;
    CHECK(seconds_now() - start < 20.0);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(exit_status_of(pid) == -1);
}

/* The least that a child of ours has run, in nanoseconds. */
static uint64_t least_run(void)
{
    struct frank_procinfo all[64];
    int count = frank_processes(all, 64);
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < count; i++) {
        if (all[i].parent_pid == getpid() && all[i].run_ns < least)
            least = all[i].run_ns;
    }
    return least;
}

/* How soon depends on the host, which may give whole slices to others; that it happens does not. */
static void spinners_share_the_processor(void)
{
    enum { COUNT = 3, ENOUGH_NS = 100000000 };
    pid_t pids[COUNT];

    for (int i = 0; i < COUNT; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0)
            spin_for_ever();
    }
    while (least_run() < ENOUGH_NS)
        sleep_ms(20);
    for (int i = 0; i < COUNT; i++) {
        CHECK(kill(pids[i], SIGKILL) == 0);
        CHECK(exit_status_of(pids[i]) == -1);
    }
}

/* Compute with values that fill the floating-point registers, beside others that do the same. */
static void compute_for_a_while(double seed)
{
    double start = seconds_now();

    do {
        double a = seed, b = seed * 2, c = seed * 3, d = seed * 4, e = seed * 5, f = seed * 6;

        for (int i = 0; i < 20000; i++) {
            a += seed;
            b += seed;
            c += seed;
            d += seed;
            e += seed;
            f += seed;
        }
        CHECK(a == seed * 20001 && b == seed * 20002 && c == seed * 20003);
        CHECK(d == seed * 20004 && e == seed * 20005 && f == seed * 20006);
    } while (seconds_now() - start < 0.3);
}

static void floating_point_survives_preemption(void)
{
    enum { COUNT = 4 };
    pid_t pids[COUNT];

    for (int i = 0; i < COUNT; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            compute_for_a_while((double)(1 << i));
            _exit(0);
        }
    }
    for (int i = 0; i < COUNT; i++)
        CHECK(exit_status_of(pids[i]) == 0);
}

static void floating_point_survives_fork(void)
{
    register double kept __asm__("fs5") = 2.5;
    pid_t pid;

    __asm__ volatile("" : "+f"(kept));
    pid = (pid_t)raw_call(FRANK_SYS_fork, 0, 0, 0);
    __asm__ volatile("" : "+f"(kept));
    if (pid == 0) {
        kept += 1.0;
        _exit(kept == 3.5 ? 0 : 1);
    }
    kept += 2.0;
    CHECK(pid > 0);
    CHECK(exit_status_of(pid) == 0);
    CHECK(kept == 4.5);
}

static void exec_begins_with_clean_floating_point(void)
{
    static const char *words[] = {"true", NULL};
    pid_t pid = fork_checked();

    if (pid == 0) {
        __asm__ volatile("li t0, 0x1f\n\tfscsr t0" : : : "t0");
        execve("/bin/true", ARGV(words), NULL);
        _exit(1);
    }
    CHECK(exit_status_of(pid) == 0);
}

static void ended_processes_leave_no_floating_point(void)
{
    static const char *words[] = {"usertests", "--no-floating-point", NULL};
    pid_t pid = fork_checked();

    if (pid == 0) {
        execv("/bin/usertests", ARGV(words));
        _exit(1);
    }
    CHECK(exit_status_of(pid) == 42);
}

const struct test scheduling_tests[] = {
    TEST(sleep_takes_its_time),
    TEST(sleep_refuses_nonsense),
    TEST(sleepers_wake_in_order),
    TEST(spinner_is_preempted),
    TEST(spinners_share_the_processor),
    TEST(floating_point_survives_preemption),
    TEST(floating_point_survives_fork),
    TEST(exec_begins_with_clean_floating_point),
    TEST(ended_processes_leave_no_floating_point),
    TESTS_END,
};
