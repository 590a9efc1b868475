/* SPDX-License-Identifier: MIT */
/*
 * usertests [NAME...]       all tests, or those named
 * usertests -l              their names
 * usertests leak COUNT      make COUNT processes; no page may be missing afterwards
 *
 * After each test exactly as much memory must be in use as before: what the kernel keeps for quick
 * use is given back first, and its small pieces are compared by their bytes, since how many pages
 * hold them depends on the order in which they came and went.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "usertests.h"

enum {
    TEST_LIMIT_SECONDS = 60,
    SETTLE_TRIES = 1000,
    LEAK_WARM_UP = 50,
};

static const struct test *const groups[] = {
    file_tests,    directory_tests, pipe_tests,    process_tests, scheduling_tests, memory_tests,
    mapping_tests, signal_tests,    pointer_tests, library_tests, times_tests,      mask_tests,
    job_tests,     cpu_tests,       thread_tests,  waiting_tests, poll_tests,
};

static const char work_directory[] = "/tmp/usertests";

/* ---- help for tests ----------------------------------------------------------------------------
 */

void check(bool holds, const char *condition, const char *file, int line)
{
    const char *name = strrchr(file, '/');

    if (holds)
        return;
    printf("  %s:%d: not true: %s (errno %d: %s)\n", name ? name + 1 : file, line, condition, errno,
           strerror(errno));
    fflush(stdout);
    _exit(1);
}

pid_t fork_checked(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    CHECK(pid >= 0);
    return pid;
}

int status_of(void (*function)(void))
{
    int status = 0;
    pid_t pid = fork_checked();

    if (pid == 0) {
        function();
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

bool is_ended_by(void (*function)(void), int signal)
{
    int status = status_of(function);

    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

int exit_status_of(pid_t pid)
{
    int status = 0;

    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

uint32_t state_of(pid_t pid)
{
    struct frank_procinfo all[64];
    int count = frank_processes(all, 64);

    for (int i = 0; i < count; i++) {
        if (all[i].pid == pid)
            return all[i].state;
    }
    return FRANK_PROCESS_ZOMBIE;
}

void wait_until_asleep(pid_t pid)
{
    while (state_of(pid) != FRANK_PROCESS_SLEEPING)
        sleep_ms(1);
}

long raw_call(long number, long a, long b, long c)
{
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;

    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

unsigned char pattern_byte(size_t index)
{
    return (unsigned char)(index * 31 + index / PAGE_BYTES);
}

void make_file(const char *path, size_t size)
{
    unsigned char block[512];
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    CHECK(descriptor >= 0);
    for (size_t at = 0; at < size;) {
        size_t count = size - at < sizeof(block) ? size - at : sizeof(block);

        for (size_t i = 0; i < count; i++)
            block[i] = pattern_byte(at + i);
        CHECK(write(descriptor, block, count) == (ssize_t)count);
        at += count;
    }
    CHECK(close(descriptor) == 0);
}

double seconds_now(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void sleep_ms(long milliseconds)
{
    struct timespec request = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    CHECK(nanosleep(&request, NULL) == 0);
}

uint64_t free_pages(void)
{
    struct frank_meminfo memory;

    CHECK(frank_memory(&memory, 0) == 0);
    return memory.free_pages;
}

/* What is in use for good. */
struct usage {
    uint64_t pages; /* without those that hold small pieces of the kernel's memory */
    uint64_t bytes; /* in small pieces */
};

static struct usage usage_now(void)
{
    struct frank_meminfo memory;

    CHECK(frank_memory(&memory, FRANK_MEMINFO_TRIM) == 0);
    return (struct usage){memory.total_pages - memory.free_pages - memory.slab_pages,
                          memory.slab_bytes};
}

static bool same_usage(const struct usage *one, const struct usage *other)
{
    return one->pages == other->pages && one->bytes == other->bytes;
}

/* ---- running -----------------------------------------------------------------------------------
 */

/* Remove what a failed test may have left. */
static void clean_directory(void)
{
    pid_t pid = fork_checked();

    if (pid == 0) {
        static const char *words[] = {"/bin/usertests", "--clean", NULL};

        execv(words[0], ARGV(words));
        _exit(1);
    }
    (void)waitpid(pid, NULL, 0);
}

/* Wait for the test's process, but not for ever. */
static int wait_with_limit(pid_t pid)
{
    double end = seconds_now() + TEST_LIMIT_SECONDS;
    int status;

    for (;;) {
        pid_t ended = waitpid(pid, &status, WNOHANG);

        if (ended == pid)
            return status;
        if (ended < 0)
            return -1;
        if (seconds_now() > end) {
            printf("  no end after %d seconds\n", TEST_LIMIT_SECONDS);
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            return -1;
        }
        sleep_ms(2);
    }
}

static bool run_once(const struct test *test)
{
    pid_t pid = fork_checked();
    int status;

    if (pid == 0) {
        test->run();
        _exit(0);
    }
    status = wait_with_limit(pid);
    if (WIFSIGNALED(status))
        printf("  ended by signal %d\n", WTERMSIG(status));
    return status == 0;
}

/* Whether as much is in use as before; says what is not. Processes that were left behind may still
   be ending: they are given a moment. */
static bool nothing_is_lost(const struct usage *before)
{
    struct usage now = usage_now();

    for (int i = 0; i < SETTLE_TRIES && !same_usage(before, &now); i++) {
        sleep_ms(2);
        now = usage_now();
    }
    if (same_usage(before, &now))
        return true;
    printf("  missing: %ld pages, %ld bytes of small pieces\n", (long)(now.pages - before->pages),
           (long)(now.bytes - before->bytes));
    return false;
}

static bool run_test(const struct test *test)
{
    struct usage before = usage_now();
    bool passed = run_once(test);

    if (!passed)
        clean_directory();
    passed = passed && nothing_is_lost(&before);
    printf("%s: %s\n", test->name, passed ? "ok" : "FAILED");
    fflush(stdout);
    return passed;
}

static const struct test *find_test(const char *name)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (const struct test *test = groups[i]; test->name; test++) {
            if (strcmp(test->name, name) == 0)
                return test;
        }
    }
    return NULL;
}

static void list_tests(void)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (const struct test *test = groups[i]; test->name; test++)
            puts(test->name);
    }
}

static int finish(int passed, int failed)
{
    printf("usertests: %d passed, %d failed\n", passed, failed);
    fflush(stdout);
    return failed ? 1 : 0;
}

static int run_all(void)
{
    int passed = 0;
    int failed = 0;

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (const struct test *test = groups[i]; test->name; test++) {
            if (run_test(test))
                passed++;
            else
                failed++;
        }
    }
    return finish(passed, failed);
}

static int run_named(int count, char **names)
{
    int passed = 0;
    int failed = 0;

    for (int i = 0; i < count; i++) {
        const struct test *test = find_test(names[i]);

        if (!test) {
            fprintf(stderr, "usertests: no test %s\n", names[i]);
            return 2;
        }
        if (run_test(test))
            passed++;
        else
            failed++;
    }
    return finish(passed, failed);
}

/* ---- many processes ----------------------------------------------------------------------------
 */

/* One process that does something: some write to a pipe, some execute a program. */
static void make_process(int number)
{
    static const char *words[] = {"/bin/true", NULL};
    pid_t pid = fork_checked();

    if (pid == 0) {
        volatile char *heap = sbrk(PAGE_BYTES);

        heap[0] = 1;
        if (number % 8 == 0)
            execv(words[0], ARGV(words));
        _exit(number % 8 == 0);
    }
    CHECK(exit_status_of(pid) == 0);
}

static int run_leak(int count)
{
    struct usage before;

    for (int i = 0; i < LEAK_WARM_UP; i++)
        make_process(i);
    before = usage_now();
    for (int i = 0; i < count; i++)
        make_process(i);
    if (!nothing_is_lost(&before))
        return 1;
    printf("leak: %d processes, no page missing\n", count);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "--", 2) == 0)
        return run_as_helper(argc, argv);
    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        list_tests();
        return 0;
    }
    (void)mkdir("/tmp", 0777);
    (void)mkdir(work_directory, 0777);
    if (chdir(work_directory) < 0) {
        fprintf(stderr, "usertests: %s: %s\n", work_directory, strerror(errno));
        return 2;
    }
    clean_directory();
    close(open("first", O_CREAT | O_WRONLY, 0666)); /* the directory keeps the block of its names */
    unlink("first");
    if (argc > 1 && strcmp(argv[1], "leak") == 0)
        return run_leak(argc > 2 ? atoi(argv[2]) : 1000);
    return argc > 1 ? run_named(argc - 1, argv + 1) : run_all();
}
