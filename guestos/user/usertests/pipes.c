/* SPDX-License-Identifier: MIT */
/* Pipes. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usertests.h"

enum {
    ATOMIC_BYTES = 512,
    WRITERS = 4,
    RECORDS = 100,
    STREAM_BYTES = 200000,
};

static void pipe_passes_bytes_in_order(void)
{
    char back[8] = "";
    int ends[2];

    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], "abc", 3) == 3);
    CHECK(write(ends[1], "def", 3) == 3);
    CHECK(read(ends[0], back, 2) == 2);
    CHECK(read(ends[0], back + 2, 6) == 4);
    CHECK(memcmp(back, "abcdef", 6) == 0);
    CHECK_ERROR(write(ends[0], "x", 1), EBADF);
    CHECK_ERROR(read(ends[1], back, 1), EBADF);
    CHECK(read(ends[0], back, 0) == 0);
}

static void pipe_ends_when_no_writer_is_left(void)
{
    char c;
    int ends[2];
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        sleep_ms(20);
        _exit(write(ends[1], "x", 1) != 1);
    }
    CHECK(close(ends[1]) == 0);
    CHECK(read(ends[0], &c, 1) == 1 && c == 'x');
    CHECK(read(ends[0], &c, 1) == 0);
    CHECK(read(ends[0], &c, 1) == 0);
    CHECK(exit_status_of(pid) == 0);
}

static void write_without_reader(void)
{
    int ends[2];

    CHECK(pipe(ends) == 0);
    CHECK(close(ends[0]) == 0);
    (void)write(ends[1], "x", 1);
}

static void writer_without_reader_gets_sigpipe(void)
{
    int ends[2];

    CHECK(is_ended_by(write_without_reader, SIGPIPE));
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK(pipe(ends) == 0);
    CHECK(close(ends[0]) == 0);
    CHECK_ERROR(write(ends[1], "x", 1), EPIPE);
}

static void blocked_writer_learns_that_the_reader_is_gone(void)
{
    static char block[3 * PAGE_BYTES];
    int ends[2];
    int status;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        close(ends[0]);
        (void)write(ends[1], block, sizeof(block));
        _exit(0);
    }
    sleep_ms(20);
    CHECK(close(ends[0]) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void long_stream_arrives_whole(void)
{
    static unsigned char block[7001];
    int ends[2];
    size_t at = 0;
    ssize_t size;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        while (at < STREAM_BYTES) {
            size_t count = STREAM_BYTES - at < sizeof(block) ? STREAM_BYTES - at : sizeof(block);

            for (size_t i = 0; i < count; i++)
                block[i] = pattern_byte(at + i);
            CHECK(write(ends[1], block, count) == (ssize_t)count);
            at += count;
        }
        _exit(0);
    }
    CHECK(close(ends[1]) == 0);
    while ((size = read(ends[0], block, 999)) > 0) {
        for (ssize_t i = 0; i < size; i++, at++)
            CHECK(block[i] == pattern_byte(at));
    }
    CHECK(size == 0 && at == STREAM_BYTES);
    CHECK(exit_status_of(pid) == 0);
}

/* Read exactly `size` bytes; false at the end. */
static bool read_all(int descriptor, char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = read(descriptor, bytes, size);

        CHECK(done >= 0);
        if (done == 0)
            return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

static void small_writes_are_never_torn(void)
{
    char record[ATOMIC_BYTES];
    int ends[2];
    pid_t pids[WRITERS];
    int count = 0;

    CHECK(pipe(ends) == 0);
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork_checked();
        if (pids[i] != 0)
            continue;
        memset(record, 'a' + i, sizeof(record));
        for (int j = 0; j < RECORDS; j++)
            CHECK(write(ends[1], record, sizeof(record)) == (ssize_t)sizeof(record));
        _exit(0);
    }
    CHECK(close(ends[1]) == 0);
    while (read_all(ends[0], record, sizeof(record))) {
        for (size_t i = 1; i < sizeof(record); i++)
            CHECK(record[i] == record[0]);
        count++;
    }
    CHECK(count == WRITERS * RECORDS);
    for (int i = 0; i < WRITERS; i++)
        CHECK(exit_status_of(pids[i]) == 0);
}

static void blocked_reader_can_be_killed(void)
{
    char c;
    int ends[2];
    int status;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        (void)read(ends[0], &c, 1);
        _exit(0);
    }
    sleep_ms(20);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(write(ends[1], "y", 1) == 1);
    CHECK(read(ends[0], &c, 1) == 1 && c == 'y');
}

static void ping_pong_between_processes(void)
{
    enum { ROUNDS = 500 };
    int there[2];
    int back[2];
    int number = 0;
    pid_t pid;

    CHECK(pipe(there) == 0 && pipe(back) == 0);
    pid = fork_checked();
    if (pid == 0) {
        for (int i = 0; i < ROUNDS; i++) {
            CHECK(read(there[0], &number, sizeof(number)) == sizeof(number));
            number++;
            CHECK(write(back[1], &number, sizeof(number)) == sizeof(number));
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(write(there[1], &number, sizeof(number)) == sizeof(number));
        CHECK(read(back[0], &number, sizeof(number)) == sizeof(number));
        CHECK(number == i + 1);
    }
    CHECK(exit_status_of(pid) == 0);
}

/* Start a process that writes so many bytes to a full pipe, and let it come to wait. */
static pid_t start_writer(const int ends[2], size_t size)
{
    static char block[PAGE_BYTES];
    pid_t pid = fork_checked();

    if (pid == 0) {
        close(ends[0]);
        _exit(write(ends[1], block, size) == (ssize_t)size ? 0 : 1);
    }
    sleep_ms(20);
    return pid;
}

static void room_reaches_the_writer_for_whom_it_is_enough(void)
{
    static char block[PAGE_BYTES];
    int ends[2];
    pid_t whole, byte;

    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], block, sizeof(block)) == sizeof(block));
    whole = start_writer(ends, 512);
    byte = start_writer(ends, 1);
    CHECK(read(ends[0], block, 1) == 1);
    CHECK(exit_status_of(byte) == 0);
    CHECK(read_all(ends[0], block, sizeof(block)));
    CHECK(exit_status_of(whole) == 0);
}

const struct test pipe_tests[] = {
    TEST(pipe_passes_bytes_in_order),         TEST(pipe_ends_when_no_writer_is_left),
    TEST(writer_without_reader_gets_sigpipe), TEST(blocked_writer_learns_that_the_reader_is_gone),
    TEST(long_stream_arrives_whole),          TEST(small_writes_are_never_torn),
    TEST(blocked_reader_can_be_killed),       TEST(room_reaches_the_writer_for_whom_it_is_enough),
    TEST(ping_pong_between_processes),        TESTS_END,
};
