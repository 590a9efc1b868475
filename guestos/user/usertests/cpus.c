/* SPDX-License-Identifier: MIT */
/* Several CPUs: that all of them work, and what goes from one to another. With one CPU less is
   asked, and all of it holds too. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "usertests.h"

enum {
    CPUS_MAX = 8,
    TABLE_MAX = 64,
    FP_REGISTERS = 32,
    SOON_SECONDS = 20, /* what happens at once may take so long on a busy host */
};

static const double stress_seconds = 0.5;

static int cpu_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    CHECK(count >= 1 && count <= CPUS_MAX);
    return (int)count;
}

static void spin_for_ever(void)
{
    for (;;) {
    }
}

static pid_t start_spinner(void)
{
    pid_t pid = fork_checked();

    if (pid == 0)
        spin_for_ever();
    return pid;
}

static void end_all(const pid_t *pids, int count)
{
    for (int i = 0; i < count; i++) {
        if (pids[i] == 0)
            continue;
        CHECK(kill(pids[i], SIGKILL) == 0);
        CHECK(exit_status_of(pids[i]) == -1);
    }
}

/* Where a process is; *runs says whether it runs there now. */
static int cpu_of(pid_t pid, bool *runs)
{
    static struct frank_procinfo all[TABLE_MAX];
    int count = frank_processes(all, TABLE_MAX);

    for (int i = 0; i < count; i++) {
        if (all[i].pid == pid) {
            *runs = all[i].state == FRANK_PROCESS_RUNNING;
            return (int)all[i].cpu;
        }
    }
    CHECK(!"the process is there");
    return -1;
}

/* Wait until of these so many run at the same time, each on a CPU of its own. */
static void wait_until_apart(const pid_t *pids, int count, int wanted)
{
    double end = seconds_now() + SOON_SECONDS;
    unsigned seen;

    do {
        CHECK(seconds_now() < end);
        sleep_ms(1);
        seen = 0;
        for (int i = 0; i < count; i++) {
            bool runs;
            int cpu = cpu_of(pids[i], &runs);

            seen |= runs ? 1U << cpu : 0;
        }
    } while (__builtin_popcount(seen) < wanted);
}

/* All but one, where the test itself looks. */
static void every_cpu_takes_part(void)
{
    int count = cpu_count();
    pid_t pids[CPUS_MAX] = {0};

    for (int i = 0; i < count; i++)
        pids[i] = start_spinner();
    wait_until_apart(pids, count, count - 1);
    end_all(pids, count);
}

/* Two that share a CPU do so no longer when the others are gone. */
static void an_idle_cpu_takes_who_waits_elsewhere(void)
{
    enum { PER_CPU = 2 };
    int count = cpu_count() * PER_CPU;
    pid_t pids[CPUS_MAX * PER_CPU] = {0}, left[2] = {0, 0};
    int first_on[CPUS_MAX];
    bool runs;

    memset(first_on, -1, sizeof(first_on));
    for (int i = 0; i < count; i++)
        pids[i] = start_spinner();
    for (int i = 0; i < count && left[1] == 0; i++) {
        int cpu = cpu_of(pids[i], &runs);

        if (first_on[cpu] < 0) {
            first_on[cpu] = i;
        } else {
            left[0] = pids[first_on[cpu]];
            left[1] = pids[i];
        }
    }
    for (int i = 0; i < count; i++)
        if (pids[i] == left[0] || pids[i] == left[1])
            pids[i] = 0;
    end_all(pids, count);
    if (count > PER_CPU * 2) /* one CPU is for this process */
        wait_until_apart(left, 2, 2);
    end_all(left, 2);
}

static volatile sig_atomic_t was_told;

static void note(int signal)
{
    (void)signal;
    was_told = 1;
}

static void signals_reach_who_never_enters_the_kernel(void)
{
    struct sigaction action = {.sa_handler = note};
    int status;
    pid_t pid;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pid = fork_checked();
    if (pid == 0) {
        while (!was_told) {
        }
        _exit(7);
    }
    sleep_ms(5);
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK(kill(pid, SIGCONT) == 0);
    sleep_ms(5);
    CHECK(kill(pid, SIGUSR1) == 0);
    CHECK(exit_status_of(pid) == 7);
}

/* Sleep, with all floating-point registers loaded from one array before and stored to the other. */
static void sleep_with_registers(const uint64_t *before, uint64_t *after)
{
    register long a0 __asm__("a0") = 200000; /* ns */
    register long a7 __asm__("a7") = FRANK_SYS_nanosleep;
    register const uint64_t *from __asm__("s2") = before;
    register uint64_t *to __asm__("s3") = after;

    __asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,"
                     "26,27,28,29,30,31\n\tfld f\\n, (8 * \\n)(s2)\n\t.endr\n\t"
                     "ecall\n\t"
                     ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,"
                     "26,27,28,29,30,31\n\tfsd f\\n, (8 * \\n)(s3)\n\t.endr"
                     : "+r"(a0)
                     : "r"(a7), "r"(from), "r"(to)
                     : "memory", "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0",
                       "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3",
                       "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9",
                       "ft10", "ft11");
}

static void keep_registers(int seed)
{
    uint64_t before[FP_REGISTERS], after[FP_REGISTERS], rounds = 0;
    double end = seconds_now() + stress_seconds;

    do {
        for (int i = 0; i < FP_REGISTERS; i++)
            before[i] = (uint64_t)seed << 32 | rounds << 8 | (unsigned)i;
        sleep_with_registers(before, after);
        CHECK(memcmp(before, after, sizeof(before)) == 0);
        for (volatile int i = 0; i < 20000 * (seed % 3); i++) {
        }
        rounds++;
    } while (seconds_now() < end);
}

static void floating_point_moves_with_its_process(void)
{
    int count = cpu_count() * 2 + 1;
    pid_t pids[CPUS_MAX * 2 + 1];

    for (int i = 0; i < count; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            keep_registers(i + 1);
            _exit(0);
        }
    }
    for (int i = 0; i < count; i++)
        CHECK(exit_status_of(pids[i]) == 0);
}

static void each_cpu_has_its_times(void)
{
    struct frank_times all, one;
    uint64_t ticks = 0, idle = 0;
    int count = cpu_count();

    for (int i = 0; i < count; i++) {
        CHECK(frank_times(&one, FRANK_TIMES_CPU(i)) == 0);
        CHECK(one.cpu_count == 1 && one.idle_ticks + one.stolen_ticks <= one.ticks);
        ticks += one.ticks;
        idle += one.idle_ticks;
    }
    CHECK(frank_times(&all, 0) == 0);
    CHECK(all.cpu_count == (uint64_t)count && all.ticks >= ticks && all.idle_ticks >= idle);
    CHECK_ERROR(frank_times(&one, FRANK_TIMES_CPU(count)), EINVAL);
}

/* ---- all at once -------------------------------------------------------------------------------
 */

/* A child that sends back what it gets, or runs a program, or is killed while it computes. */
static void race_processes(int round)
{
    static const char *words[] = {"true", NULL};
    int there[2], back[2], value = round * 3 + 1, got = 0;
    pid_t pid;

    CHECK(pipe(there) == 0 && pipe(back) == 0);
    pid = fork_checked();
    if (pid == 0) {
        if (round % 3 == 0)
            execv("/bin/true", ARGV(words));
        if (round % 3 == 1)
            spin_for_ever();
        _exit(read(there[0], &got, sizeof(got)) == sizeof(got) &&
                      write(back[1], &got, sizeof(got)) == sizeof(got)
                  ? 0
                  : 1);
    }
    if (round % 3 == 1)
        CHECK(kill(pid, SIGKILL) == 0);
    if (round % 3 == 2) {
        CHECK(write(there[1], &value, sizeof(value)) == sizeof(value));
        CHECK(read(back[0], &got, sizeof(got)) == sizeof(got) && got == value);
    }
    CHECK(exit_status_of(pid) == (round % 3 == 1 ? -1 : 0));
    for (int i = 0; i < 2; i++)
        CHECK(close(there[i]) == 0 && close(back[i]) == 0);
}

/* A file of one's own in a directory of all, beside one that all write to. */
static void race_files(int worker, int round)
{
    char name[32], other[32], text[64];
    size_t length = (size_t)snprintf(text, sizeof(text), "worker %d, round %d", worker, round);
    int file, shared;

    snprintf(name, sizeof(name), "w%d", worker);
    snprintf(other, sizeof(other), "r%d", worker);
    file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    shared = open("shared", O_RDWR | O_CREAT | O_APPEND, 0644);
    CHECK(file >= 0 && shared >= 0);
    CHECK(write(file, text, length) == (ssize_t)length && write(shared, "x", 1) == 1);
    CHECK(rename(name, other) == 0);
    CHECK(lseek(file, 0, SEEK_SET) == 0);
    memset(text, 0, sizeof(text));
    CHECK(read(file, text, sizeof(text)) == (ssize_t)length);
    CHECK(text[length - 1] == (char)('0' + round % 10));
    CHECK(unlink(other) == 0 && close(file) == 0 && close(shared) == 0);
}

/* Memory that is shared after a fork, and written on both sides. */
static void race_memory(char *pages, size_t size, int round)
{
    pid_t pid;

    memset(pages, round, size);
    pid = fork_checked();
    memset(pages, pid == 0 ? round + 1 : round + 2, size);
    for (size_t i = 0; i < size; i++)
        CHECK(pages[i] == (char)(pid == 0 ? round + 1 : round + 2));
    if (pid == 0)
        _exit(0);
    CHECK(exit_status_of(pid) == 0);
}

static void work_for_a_while(int worker)
{
    static char pages[8 * PAGE_BYTES];
    double end = seconds_now() + stress_seconds;
    int round = 0;

    do {
        race_processes(round);
        race_files(worker, round);
        race_memory(pages, sizeof(pages), round);
        round++;
    } while (seconds_now() < end);
}

static void processes_and_files_race_on_all_cpus(void)
{
    int count = cpu_count() + 2;
    pid_t pids[CPUS_MAX + 2];

    for (int i = 0; i < count; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            work_for_a_while(i);
            _exit(0);
        }
    }
    for (int i = 0; i < count; i++)
        CHECK(exit_status_of(pids[i]) == 0);
    CHECK(unlink("shared") == 0);
}

const struct test cpu_tests[] = {
    TEST(every_cpu_takes_part),
    TEST(an_idle_cpu_takes_who_waits_elsewhere),
    TEST(signals_reach_who_never_enters_the_kernel),
    TEST(floating_point_moves_with_its_process),
    TEST(each_cpu_has_its_times),
    TEST(processes_and_files_race_on_all_cpus),
    TESTS_END,
};
