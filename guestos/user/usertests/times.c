/* SPDX-License-Identifier: MIT */
/* The clocks, and what the processor's time went to: the machine's times, and those of processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "usertests.h"

enum {
    TABLE_MAX = 64,
    NS_PER_SECOND = 1000000000,
    CPUS_MAX = 8,
    TRIES = 5, /* the host may take its processor away for a while, in user mode or in the kernel */
};

static struct frank_times times_now(int flags)
{
    struct frank_times times;

    CHECK(frank_times(&times, flags) == 0);
    return times;
}

static uint64_t busy_ticks(const struct frank_times *times)
{
    return times->ticks - times->idle_ticks - times->stolen_ticks;
}

static void times_go_on_and_add_up(void)
{
    struct frank_times before = times_now(0), after;

    sleep_ms(50);
    after = times_now(0);
    CHECK(before.ticks_per_second > 0 && after.ticks_per_second == before.ticks_per_second);
    CHECK(after.ticks - before.ticks >= after.ticks_per_second / 20);
    CHECK(after.idle_ticks >= before.idle_ticks && after.stolen_ticks >= before.stolen_ticks);
    CHECK(after.idle_ticks + after.stolen_ticks <= after.ticks);
    CHECK(busy_ticks(&after) > busy_ticks(&before));
}

static void times_refuse_nonsense(void)
{
    struct frank_times times;
    struct frank_meminfo memory;

    CHECK_ERROR(frank_times(&times, 2), EINVAL);
    CHECK_ERROR(frank_times(&times, -1), EINVAL);
    CHECK_ERROR(frank_memory(&memory, 2), EINVAL);
    CHECK_ERROR(frank_times((struct frank_times *)8, FRANK_TIMES_WATCH), EFAULT);
}

static void spin_for_ever(void)
{
    for (;;) {
    }
}

static void call_for_ever(void)
{
    for (;;)
        (void)raw_call(FRANK_SYS_getppid, 0, 0, 0);
}

static pid_t start(void (*function)(void))
{
    pid_t pid = fork_checked();

    if (pid == 0)
        function();
    return pid;
}

static void end(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(exit_status_of(pid) == -1);
}

/* What all processes together have run; the table is read in one go, between two looks at times. */
static uint64_t run_ticks_of_all(struct frank_times *before, struct frank_times *after)
{
    static struct frank_procinfo all[TABLE_MAX];
    uint64_t run_ns = 0;
    int count;

    *before = times_now(0);
    count = frank_processes(all, TABLE_MAX);
    *after = times_now(0);
    CHECK(count > 0 && count < TABLE_MAX);
    for (int i = 0; i < count; i++)
        run_ns += all[i].run_ns;
    return run_ns / (1000000000 / before->ticks_per_second);
}

/* Wait until these, who never sleep and are one more than the CPUs, keep all CPUs busy. */
static void wait_until_spread(const pid_t *pids, long count)
{
    static struct frank_procinfo all[TABLE_MAX];
    unsigned seen;

    do {
        int process_count = frank_processes(all, TABLE_MAX);

        sleep_ms(1);
        seen = 0;
        for (int i = 0; i < process_count; i++)
            for (long j = 0; j < count; j++)
                if (all[i].pid == pids[j] && all[i].run_ns > 0)
                    seen |= 1U << all[i].cpu;
    } while (__builtin_popcount(seen) < (int)count - 1);
}

/* While every processor has work, what the processes were charged is what the processors worked;
   but for what the kernel's own thread did, which writes to a disk some seconds after a change:
   there is a stretch of time without that. */
static void every_busy_tick_is_charged_to_a_process(void)
{
    struct frank_times first[2], second[2];
    long spinner_count = sysconf(_SC_NPROCESSORS_ONLN);
    pid_t pids[CPUS_MAX + 1] = {start(call_for_ever)};
    bool is_complete = false;
    uint64_t run;

    CHECK(spinner_count > 0 && spinner_count <= CPUS_MAX);
    for (long i = 0; i < spinner_count; i++)
        pids[i + 1] = start(spin_for_ever);
    wait_until_spread(pids, spinner_count + 1);
    for (int i = 0; i < TRIES && !is_complete; i++) {
        run = run_ticks_of_all(&first[0], &first[1]);
        sleep_ms(100);
        run = run_ticks_of_all(&second[0], &second[1]) - run;
        /* A process's time is rounded down to its nanoseconds: no tick is lost by that. */
        CHECK(run <= busy_ticks(&second[1]) - busy_ticks(&first[0]));
        is_complete = run >= busy_ticks(&second[0]) - busy_ticks(&first[1]);
    }
    for (long i = 0; i <= spinner_count; i++)
        end(pids[i]);
    CHECK(is_complete);
}

static struct frank_procinfo report_of(pid_t pid)
{
    struct frank_procinfo all[TABLE_MAX];
    struct frank_procinfo found = {0};
    int count = frank_processes(all, TABLE_MAX);

    for (int i = 0; i < count; i++)
        if (all[i].pid == pid)
            found = all[i];
    CHECK(found.pid == pid);
    return found;
}

/* How much of what a process runs, in percent, is user mode. */
static unsigned user_percent(void (*function)(void))
{
    pid_t pid = start(function);
    struct frank_procinfo before, after;

    sleep_ms(30);
    before = report_of(pid);
    do {
        sleep_ms(150);
        after = report_of(pid);
    } while (after.run_ns == before.run_ns);
    end(pid);
    CHECK(after.run_ns > before.run_ns && after.user_ns >= before.user_ns);
    CHECK(after.user_ns - before.user_ns <= after.run_ns - before.run_ns);
    return (unsigned)((after.user_ns - before.user_ns) * 100 / (after.run_ns - before.run_ns));
}

static void user_mode_and_kernel_are_told_apart(void)
{
    struct frank_times before = times_now(FRANK_TIMES_WATCH), after;
    unsigned spinner = 0, caller = 100;

    /* Where Candor hands traps on, that counts as the user's. */
    for (int i = 0; i < TRIES && (spinner < 90 || caller > 88); i++) {
        unsigned spins = user_percent(spin_for_ever), calls = user_percent(call_for_ever);

        spinner = spins > spinner ? spins : spinner;
        caller = calls > 0 && calls < caller ? calls : caller;
    }
    after = times_now(0);
    CHECK(spinner >= 90);
    CHECK(caller > 0 && caller <= 88);
    CHECK(after.user_ticks > before.user_ticks);
    CHECK(after.user_ticks - before.user_ticks <= busy_ticks(&after) - busy_ticks(&before));
}

/* A program that is in user mode when the watch begins is charged from then on. */
static void watch_a_spinner(void)
{
    pid_t spinner = start(spin_for_ever);
    struct frank_procinfo before, after;

    sleep_ms(30);
    (void)times_now(FRANK_TIMES_WATCH);
    do { /* another CPU has to hear of it, and the host may not run that one for a while */
        sleep_ms(1);
        before = report_of(spinner);
    } while (before.user_ns == 0);
    sleep_ms(150);
    after = report_of(spinner);
    end(spinner);
    CHECK(after.run_ns > before.run_ns);
    _exit((after.user_ns - before.user_ns) * 100 < (after.run_ns - before.run_ns) * 90);
}

static void a_watch_begins_at_once_for_all(void)
{
    bool good = false;

    for (int i = 0; i < TRIES && !good; i++)
        good = exit_status_of(start(watch_a_spinner)) == 0;
    CHECK(good);
}

static void nothing_is_split_once_nobody_watches(void)
{
    pid_t spinner, watcher = fork_checked();
    struct frank_procinfo before, after;

    if (watcher == 0) {
        (void)times_now(FRANK_TIMES_WATCH);
        (void)times_now(FRANK_TIMES_WATCH);
        _exit(0);
    }
    CHECK(exit_status_of(watcher) == 0);
    spinner = start(spin_for_ever);
    sleep_ms(20);
    before = report_of(spinner);
    sleep_ms(50);
    after = report_of(spinner);
    end(spinner);
    CHECK(after.run_ns > before.run_ns && after.user_ns == before.user_ns);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec time;

    CHECK(clock_gettime(clock, &time) == 0 && time.tv_nsec >= 0 && time.tv_nsec < NS_PER_SECOND);
    return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static int64_t changed_ns(const char *path)
{
    struct stat file;

    CHECK(stat(path, &file) == 0);
    return (int64_t)file.st_mtim.tv_sec * NS_PER_SECOND + file.st_mtim.tv_nsec;
}

static void the_wall_clock_goes_as_the_other_does(void)
{
    int64_t outer = clock_ns(CLOCK_MONOTONIC), wall = clock_ns(CLOCK_REALTIME);
    int64_t inner = clock_ns(CLOCK_MONOTONIC);
    time_t now = time(NULL);

    CHECK(now >= wall / NS_PER_SECOND && gmtime(&now)->tm_year >= 2026 - 1900 && inner < wall);
    sleep_ms(20);
    inner = clock_ns(CLOCK_MONOTONIC) - inner;
    wall = clock_ns(CLOCK_REALTIME) - wall;
    outer = clock_ns(CLOCK_MONOTONIC) - outer;
    CHECK(inner <= wall && wall <= outer);
    CHECK(raw_call(FRANK_SYS_clock, 3, 0, 0) == -EINVAL);
}

static void files_have_the_time_of_their_last_change(void)
{
    int64_t before = clock_ns(CLOCK_REALTIME), made, written;
    int file = open("timed", O_RDWR | O_CREAT, 0644);

    made = changed_ns("timed");
    CHECK(made >= before && made <= clock_ns(CLOCK_REALTIME));
    CHECK(changed_ns(".") >= before);
    sleep_ms(2);
    CHECK(changed_ns("timed") == made);
    CHECK(write(file, "x", 1) == 1);
    written = changed_ns("timed");
    CHECK(written > made && written <= clock_ns(CLOCK_REALTIME));
    CHECK(close(file) == 0 && unlink("timed") == 0);
}

static void the_kernels_messages_can_be_read(void)
{
    static char log[65536], again[sizeof(log)];
    int count = frank_kernel_log(log, sizeof(log) - 1);

    CHECK(count > 0 && log[0] == '[' && log[count - 1] == '\n' && strstr(log, "] Frank on "));
    CHECK(frank_kernel_log(again, 10) == 10 && memcmp(again, log + count - 10, 10) == 0);
    CHECK(frank_kernel_log(again, 0) == 0);
}

const struct test times_tests[] = {
    TEST(the_wall_clock_goes_as_the_other_does),
    TEST(files_have_the_time_of_their_last_change),
    TEST(the_kernels_messages_can_be_read),
    TEST(times_go_on_and_add_up),
    TEST(times_refuse_nonsense),
    TEST(every_busy_tick_is_charged_to_a_process),
    TEST(user_mode_and_kernel_are_told_apart),
    TEST(a_watch_begins_at_once_for_all),
    TEST(nothing_is_split_once_nobody_watches),
    TESTS_END,
};
