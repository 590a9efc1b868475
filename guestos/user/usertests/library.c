/* SPDX-License-Identifier: MIT */
/* The C library on Frank: formatting, allocation, streams, time, locks. */
#include <fcntl.h>
#include <math.h>
#include <reent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lock.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "frank_system.h"
#include "usertests.h"

static void printf_prints_every_kind(void)
{
    char text[128];

    snprintf(text, sizeof(text), "%d %ld %lld %zu %x %c %s %5.2f %g %p", -1, 1L << 40, -(1LL << 60),
             (size_t)7, 0xabcu, 'c', "text", 3.14159, 1e100, (void *)0x1234);
    CHECK(strcmp(text, "-1 1099511627776 -1152921504606846976 7 abc c text  3.14 1e+100 0x1234") ==
          0);
}

static void numbers_are_read_and_computed(void)
{
    double value;
    int number;

    CHECK(strtod("1.5e3", NULL) == 1500.0);
    CHECK(sscanf("12 2.5", "%d %lf", &number, &value) == 2 && number == 12 && value == 2.5);
    CHECK(sqrt(2.0) * sqrt(2.0) > 1.9999999999 && sqrt(2.0) * sqrt(2.0) < 2.0000000001);
    CHECK(fabs(sin(1.0) - 0.8414709848078965) < 1e-15);
    CHECK(pow(2.0, 0.5) == sqrt(2.0));
}

/* Many pieces of many sizes, freed in another order; each keeps its bytes. */
static void malloc_keeps_pieces_apart(void)
{
    enum { PIECES = 300, ROUNDS = 5 };
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    unsigned seed = 1;

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PIECES; i++) {
            seed = seed * 1103515245u + 12345u;
            if (pieces[i] && (seed >> 16) % 3 != 0)
                continue;
            for (size_t j = 0; pieces[i] && j < sizes[i]; j++)
                CHECK(pieces[i][j] == (unsigned char)i);
            free(pieces[i]);
            sizes[i] = (seed >> 8) % 5000 + 1;
            pieces[i] = malloc(sizes[i]);
            CHECK(pieces[i] && (uintptr_t)pieces[i] % 8 == 0);
            memset(pieces[i], i, sizes[i]);
        }
    }
    for (int i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            CHECK(pieces[i][j] == (unsigned char)i);
        free(pieces[i]);
    }
}

static void malloc_says_when_there_is_none(void)
{
    /* The compiler must not find out that nobody uses it. */
    void *volatile memory = malloc((size_t)1 << 40);

    int error = errno;

    free(memory);
    CHECK(memory == NULL && error == ENOMEM);
    memory = malloc(100);
    free(memory);
    CHECK(memory != NULL);
}

static void streams_read_what_they_wrote(void)
{
    char line[64];
    FILE *file = fopen("file", "w+");

    CHECK(file != NULL);
    for (int i = 0; i < 500; i++)
        CHECK(fprintf(file, "line %d of %g\n", i, i * 0.5) > 0);
    CHECK(fseek(file, 0, SEEK_SET) == 0);
    for (int i = 0; i < 500; i++) {
        int number = -1;
        double value = -1;

        CHECK(fgets(line, sizeof(line), file) != NULL);
        CHECK(sscanf(line, "line %d of %lf", &number, &value) == 2);
        CHECK(number == i && value == i * 0.5);
    }
    CHECK(fgets(line, sizeof(line), file) == NULL && feof(file));
    CHECK(fclose(file) == 0);
    CHECK(remove("file") == 0);
    CHECK(fopen("missing/file", "r") == NULL && errno == ENOENT);
}

static void many_streams_open_at_once(void)
{
    enum { COUNT = 40 };
    FILE *files[COUNT];

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < COUNT; i++) {
            files[i] = fopen("/dev/null", "w");
            CHECK(files[i] != NULL);
        }
        for (int i = 0; i < COUNT; i++)
            CHECK(fclose(files[i]) == 0);
    }
}

static void *try_lock(void *lock)
{
    bool took = __lock_try_acquire_recursive((_LOCK_T)lock);

    if (took)
        __lock_release_recursive((_LOCK_T)lock);
    return took ? lock : NULL;
}

static void locks_are_recursive_and_exclusive(void)
{
    _LOCK_T lock;

    __lock_init_recursive(lock);
    __lock_acquire_recursive(lock);
    __lock_acquire_recursive(lock);
    CHECK(__lock_try_acquire_recursive(lock));
    __lock_release_recursive(lock);
    __lock_release_recursive(lock);
    CHECK(thread_join(thread_start(try_lock, lock)) == NULL);
    __lock_release_recursive(lock);
    CHECK(thread_join(thread_start(try_lock, lock)) == lock);
    __lock_close_recursive(lock);
}

static _Thread_local int thread_number = 77;
static _Thread_local char thread_zeros[100];

static void thread_variables_have_their_values(void)
{
    CHECK(thread_number == 77);
    for (size_t i = 0; i < sizeof(thread_zeros); i++)
        CHECK(thread_zeros[i] == 0);
    thread_number++;
    CHECK(thread_number == 78);
    CHECK(__getreent() == _GLOBAL_REENT);
}

static void clocks_go_forward(void)
{
    struct timeval before;
    struct timeval after;
    uint64_t ticks = frank_clock_ticks();
    double start = seconds_now();

    CHECK(gettimeofday(&before, NULL) == 0);
    sleep_ms(10);
    CHECK(gettimeofday(&after, NULL) == 0);
    CHECK(frank_clock_ticks() > ticks);
    CHECK(seconds_now() - start >= 0.01);
    CHECK(after.tv_sec > before.tv_sec ||
          (after.tv_sec == before.tv_sec && after.tv_usec > before.tv_usec));
}

static void sleeping_counts_as_idle(void)
{
    uint64_t idle = frank_idle_ticks();
    uint64_t ticks = frank_clock_ticks();

    sleep_ms(200);
    idle = frank_idle_ticks() - idle;
    ticks = frank_clock_ticks() - ticks;
    CHECK(idle <= ticks * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    CHECK(idle > 0);
}

static int on_exit_descriptor;

static void write_at_exit(void)
{
    (void)write(on_exit_descriptor, "e", 1);
}

static void exit_flushes_and_calls_back(void)
{
    char back[8];
    int ends[2];
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        on_exit_descriptor = ends[1];
        (void)atexit(write_at_exit);
        (void)dup2(ends[1], STDOUT_FILENO);
        printf("b");
        exit(9);
    }
    CHECK(exit_status_of(pid) == 9);
    CHECK(read(ends[0], back, sizeof(back)) == 2 && memcmp(back, "eb", 2) == 0);
}

static void shell_runs_commands(void)
{
    static const struct {
        const char *command;
        int status;
    } cases[] = {
        {"true", 0},
        {"false", 1},
        {"exit 7", 7},
        {"missing-program", 127},
        {"true && false || exit 3", 3},
        {"echo hello | grep -q hello", 0},
        {"echo one two | wc -w | grep -q 2", 0},
        {"echo x > file; echo y >> file; wc -l < file | grep -q 2", 0},
        {"cat missing 2> file; grep -q 'No such file' file", 0},
        {"(exit 4)", 4},
        {"false; test=$?; exit $test", 1},
        {"echo \"a  b\" 'c $d' | grep -q 'a  b c .d'", 0},
        {"X=5; exit $X # comment", 5},
        {"exit 3 |", 2},
        {"sleep 0.01 & wait; exit 6", 6},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *words[] = {"sh", "-c", cases[i].command, NULL};
        int status;
        pid_t pid = fork_checked();

        if (pid == 0) {
            execv("/bin/sh", ARGV(words));
            _exit(99);
        }
        status = exit_status_of(pid);
        if (status != cases[i].status)
            printf("  %s: status %d\n", cases[i].command, status);
        CHECK(status == cases[i].status);
    }
    (void)unlink("file");
}

const struct test library_tests[] = {
    TEST(printf_prints_every_kind),
    TEST(numbers_are_read_and_computed),
    TEST(malloc_keeps_pieces_apart),
    TEST(malloc_says_when_there_is_none),
    TEST(streams_read_what_they_wrote),
    TEST(many_streams_open_at_once),
    TEST(locks_are_recursive_and_exclusive),
    TEST(thread_variables_have_their_values),
    TEST(clocks_go_forward),
    TEST(sleeping_counts_as_idle),
    TEST(exit_flushes_and_calls_back),
    TEST(shell_runs_commands),
    TESTS_END,
};
