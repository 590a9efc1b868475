/* SPDX-License-Identifier: MIT */
/*
 * The tests of Frank as its programs see it. Each is a function that runs in a process and a
 * directory of its own, and fails by CHECK. Its name says what holds when it passes.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "frank/syscall.h"

enum { PAGE_BYTES = 4096 };

/* Print where and end the test's process if it does not hold. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

/* An array of constant words as the exec functions want it; they do not write to it. */
#define ARGV(words) ((char *const *)(words))

/* Whether a call fails with just this error. */
#define FAILS_WITH(call, error) (errno = 0, (long)(call) == -1 && errno == (error))

#define CHECK_ERROR(call, error) CHECK(FAILS_WITH(call, error))

void check(bool holds, const char *condition, const char *file, int line);

/* ---- help for tests --------------------------------------------------------------------
 */

/* Run a function in a child: the status that wait() gives. The child exits with 0 if it returns. */
int status_of(void (*function)(void));

/* Whether a child that runs the function is ended by the signal. */
bool is_ended_by(void (*function)(void), int signal);

/* fork(), which must not fail. */
pid_t fork_checked(void);

/* Wait for one child: its exit status, or -1 if it was ended by a signal. */
int exit_status_of(pid_t pid);

/* What a process is doing (enum frank_process_state); one that is not there: a zombie. And wait
   until it sleeps in a call. */
uint32_t state_of(pid_t pid);
void wait_until_asleep(pid_t pid);

/* A system call as it is, without the library: the kernel's result. */
long raw_call(long number, long a, long b, long c);

/* A file of `size` bytes, byte i of it being pattern_byte(i). */
void make_file(const char *path, size_t size);
unsigned char pattern_byte(size_t index);

/* pthread_create and pthread_join, which must not fail; the thread's result. */
pthread_t thread_start(void *(*run)(void *), void *argument);
void *thread_join(pthread_t thread);

double seconds_now(void);
void sleep_ms(long milliseconds);
uint64_t free_pages(void);

/* ---- the tests ---------------------------------------------------------------------------------
 */

struct test {
    const char *name;
    void (*run)(void);
};

/* Each file's tests, with an entry without a name behind the last. */
extern const struct test file_tests[];
extern const struct test directory_tests[];
extern const struct test pipe_tests[];
extern const struct test process_tests[];
extern const struct test scheduling_tests[];
extern const struct test memory_tests[];
extern const struct test mapping_tests[];
extern const struct test signal_tests[];
extern const struct test pointer_tests[];
extern const struct test library_tests[];
extern const struct test times_tests[];
extern const struct test mask_tests[];
extern const struct test job_tests[];
extern const struct test cpu_tests[];
extern const struct test thread_tests[];
extern const struct test waiting_tests[];
extern const struct test poll_tests[];

#define TEST(name)  \
    {               \
#name, name \
    }
#define TESTS_END  \
    {              \
        NULL, NULL \
    }

/* What the program does when a test executes it: words that begin with "--". -1: no such word. */
int run_as_helper(int argc, char **argv);
