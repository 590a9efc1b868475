/* SPDX-License-Identifier: MIT */
/* poll, select, and files that do not wait. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "usertests.h"

enum {
    PIPE_BYTES = 4096,
    OPEN_MAX_FILES = 64,
    LIMIT_MS = 20000, /* what happens at once may take so long on a busy host */
};

static int events_of(int descriptor, short events, int milliseconds)
{
    struct pollfd fd = {descriptor, events, -1};
    int count = poll(&fd, 1, milliseconds);

    CHECK(count == (fd.revents != 0));
    return fd.revents;
}

static void a_pipe_says_what_can_be_done(void)
{
    static char block[PIPE_BYTES];
    int ends[2];

    CHECK(pipe(ends) == 0);
    CHECK(events_of(ends[0], POLLIN, 0) == 0);
    CHECK(events_of(ends[1], POLLOUT, 0) == POLLOUT);
    CHECK(events_of(ends[1], POLLIN, 0) == 0);
    CHECK(write(ends[1], block, sizeof(block)) == sizeof(block));
    CHECK(events_of(ends[0], POLLIN | POLLOUT, -1) == POLLIN);
    CHECK(events_of(ends[1], POLLOUT, 0) == 0);
    CHECK(read(ends[0], block, 1) == 1);
    CHECK(events_of(ends[1], POLLOUT, 0) == 0); /* not for a write that is to be in one piece */
    CHECK(read(ends[0], block, PIPE_BYTES - 1) == PIPE_BYTES - 1);
    CHECK(close(ends[1]) == 0);
    CHECK(events_of(ends[0], POLLIN, -1) == POLLHUP);
    CHECK(close(ends[0]) == 0);
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    CHECK(events_of(ends[1], 0, -1) == POLLERR);
    CHECK(close(ends[1]) == 0);
}

static void files_and_wrong_descriptors(void)
{
    struct pollfd fds[3] = {
        {-1, POLLIN, 7}, {OPEN_MAX_FILES - 1, POLLIN, 0}, {0, POLLIN | POLLOUT, 0}};
    int file = open("polled", O_RDWR | O_CREAT, 0600);

    fds[2].fd = file;
    CHECK(file >= 0 && poll(fds, 3, -1) == 2);
    CHECK(fds[0].revents == 0 && fds[1].revents == POLLNVAL);
    CHECK(fds[2].revents == (POLLIN | POLLOUT));
    CHECK_ERROR(poll(fds, OPEN_MAX_FILES + 1, 0), EINVAL);
    CHECK_ERROR(poll((struct pollfd *)8, 1, 0), EFAULT);
    CHECK_ERROR(poll((struct pollfd *)-8, 1, 0), EFAULT);
    CHECK(poll(NULL, 0, 0) == 0);
    CHECK(close(file) == 0 && unlink("polled") == 0);
}

static void nothing_comes_until_the_time_is_over(void)
{
    double start = seconds_now();
    int ends[2];

    CHECK(pipe(ends) == 0);
    CHECK(events_of(ends[0], POLLIN, 30) == 0);
    CHECK(seconds_now() - start >= 0.03);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* One of several pipes, from another process, in turn. */
static void whoever_writes_wakes_who_polls(void)
{
    enum { PIPES = 8, ROUNDS = 50 };
    struct pollfd fds[PIPES];
    int writers[PIPES];
    char byte = 0;
    pid_t pid;

    for (int i = 0; i < PIPES; i++) {
        int ends[2];

        CHECK(pipe(ends) == 0);
        fds[i] = (struct pollfd){ends[0], POLLIN, 0};
        writers[i] = ends[1];
    }
    pid = fork_checked();
    for (int round = 0; pid == 0 && round < ROUNDS; round++) {
        CHECK(write(writers[round % PIPES], &byte, 1) == 1);
        if (round % 5 == 0)
            sleep_ms(1);
    }
    if (pid == 0)
        _exit(0);
    for (int left = ROUNDS; left > 0;) {
        CHECK(poll(fds, PIPES, LIMIT_MS) > 0);
        for (int i = 0; i < PIPES; i++) {
            if (fds[i].revents & POLLIN) {
                CHECK(read(fds[i].fd, &byte, 1) == 1);
                left--;
            }
        }
    }
    CHECK(exit_status_of(pid) == 0);
    for (int i = 0; i < PIPES; i++)
        CHECK(close(fds[i].fd) == 0 && close(writers[i]) == 0);
}

static void ignore(int signal)
{
    (void)signal;
}

static void a_signal_ends_a_poll(void)
{
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    pid_t parent = getpid(), pid;
    int ends[2];

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && pipe(ends) == 0);
    pid = fork_checked();
    if (pid == 0) {
        wait_until_asleep(parent);
        _exit(kill(parent, SIGUSR1));
    }
    CHECK_ERROR(poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, LIMIT_MS), EINTR);
    CHECK(exit_status_of(pid) == 0);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void select_does_as_poll(void)
{
    struct timeval at_once = {0, 0};
    fd_set reads, writes;
    int ends[2];

    CHECK(pipe(ends) == 0);
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(ends[0], &reads);
    FD_SET(ends[1], &writes);
    CHECK(select(ends[1] + 1, &reads, &writes, NULL, NULL) == 1);
    CHECK(!FD_ISSET(ends[0], &reads) && FD_ISSET(ends[1], &writes));
    CHECK(write(ends[1], "x", 1) == 1);
    FD_SET(ends[0], &reads);
    CHECK(select(ends[1] + 1, &reads, NULL, NULL, &at_once) == 1 && FD_ISSET(ends[0], &reads));
    CHECK(close(ends[1]) == 0);
    FD_ZERO(&writes);
    FD_SET(ends[1], &writes);
    CHECK_ERROR(select(ends[1] + 1, NULL, &writes, NULL, &at_once), EBADF);
    CHECK_ERROR(select(-1, NULL, NULL, NULL, &at_once), EINVAL);
    CHECK(select(0, NULL, NULL, NULL, &at_once) == 0);
    CHECK(close(ends[0]) == 0);
}

static void a_pipe_that_does_not_wait_says_so(void)
{
    static char block[PIPE_BYTES];
    int ends[2];

    CHECK(pipe(ends) == 0);
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    CHECK(fcntl(ends[0], F_GETFL) == (O_RDONLY | O_NONBLOCK));
    CHECK_ERROR(read(ends[0], block, 1), EAGAIN);
    CHECK(write(ends[1], block, sizeof(block)) == sizeof(block));
    CHECK_ERROR(write(ends[1], block, 1), EAGAIN);
    CHECK(read(ends[0], block, 100) == 100);
    CHECK_ERROR(write(ends[1], block, 101), EAGAIN); /* all of it or nothing */
    CHECK(write(ends[1], block, sizeof(block)) == 100);
    CHECK(close(ends[1]) == 0);
    CHECK(read(ends[0], block, sizeof(block)) == sizeof(block));
    CHECK(read(ends[0], block, 1) == 0);
    CHECK(close(ends[0]) == 0);
}

static void the_terminal_can_be_polled(void)
{
    double start = seconds_now();
    int console = open("/dev/console", O_RDWR | O_NONBLOCK);
    char byte;

    CHECK(console >= 0 && events_of(console, POLLOUT, -1) == POLLOUT);
    CHECK(events_of(console, POLLIN, 30) == 0 && seconds_now() - start >= 0.03);
    CHECK_ERROR(read(console, &byte, 1), EAGAIN);
    CHECK(close(console) == 0);
}

const struct test poll_tests[] = {
    TEST(a_pipe_says_what_can_be_done),
    TEST(files_and_wrong_descriptors),
    TEST(nothing_comes_until_the_time_is_over),
    TEST(whoever_writes_wakes_who_polls),
    TEST(a_signal_ends_a_poll),
    TEST(select_does_as_poll),
    TEST(a_pipe_that_does_not_wait_says_so),
    TEST(the_terminal_can_be_polled),
    TESTS_END,
};
