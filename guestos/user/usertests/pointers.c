/* SPDX-License-Identifier: MIT */
/* Wild pointers to every call that takes one: EFAULT, and never harm. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "usertests.h"

/* Addresses at which a program has nothing. */
static const long wild[] = {
    0x8,
    0x30000000,
    0x3ffffffff8,
    0x4000000000,
    0x80200000,
    (long)0xffffffc080000000,
    (long)0xffffffc080200000,
    (long)0xffffffff80000000,
    (long)0x8000000000000000,
    -8,
    -1,
};

enum {
    WILD_COUNT = sizeof(wild) / sizeof(wild[0]),
    TRANSFER_BYTES = 64,
};

/* A valid byte right before nothing. */
static long last_byte(void)
{
    long end = raw_call(FRANK_SYS_brk, 0, 0, 0);
    long up = (end + 2 * PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

    CHECK(raw_call(FRANK_SYS_brk, up, 0, 0) == up);
    *(volatile char *)(up - 1) = 'x';
    return up - 1;
}

/* The call with the pointer as argument number `position` is EFAULT for each wild pointer. */
static void faults(long number, int position, const long arguments[3])
{
    for (int i = 0; i < WILD_COUNT; i++) {
        long a[3] = {arguments[0], arguments[1], arguments[2]};

        a[position] = wild[i];
        errno = (int)number; /* for the message */
        CHECK(raw_call(number, a[0], a[1], a[2]) == -EFAULT);
    }
}

static void wild_paths_are_efault(void)
{
    static const long with_path[] = {
        FRANK_SYS_open,  FRANK_SYS_stat,   FRANK_SYS_unlink, FRANK_SYS_mkdir,  FRANK_SYS_rmdir,
        FRANK_SYS_chdir, FRANK_SYS_execve, FRANK_SYS_link,   FRANK_SYS_rename,
    };
    char buffer[256];
    const long arguments[3] = {0, (long)buffer, 0};

    for (size_t i = 0; i < sizeof(with_path) / sizeof(with_path[0]); i++) {
        faults(with_path[i], 0, arguments);
        /* A string without an end. */
        errno = (int)with_path[i];
        CHECK(raw_call(with_path[i], last_byte(), (long)buffer, 0) == -EFAULT);
    }
}

static void wild_buffers_are_efault(void)
{
    int zero = open("/dev/zero", O_RDWR);
    int directory = open("/bin", O_RDONLY);
    int file = open("/bin/usertests", O_RDONLY);
    long last = last_byte();

    faults(FRANK_SYS_read, 1, (const long[]){zero, 0, TRANSFER_BYTES});
    faults(FRANK_SYS_read, 1, (const long[]){file, 0, TRANSFER_BYTES});
    faults(FRANK_SYS_fstat, 1, (const long[]){file, 0, 0});
    faults(FRANK_SYS_getdents, 1, (const long[]){directory, 0, 1});
    faults(FRANK_SYS_pipe, 0, (const long[]){0, 0, 0});
    faults(FRANK_SYS_stat, 1, (const long[]){(long)"/", 0, 0});
    faults(FRANK_SYS_statvfs, 0, (const long[]){0, 0, 0});
    faults(FRANK_SYS_procinfo, 0, (const long[]){0, 1, 0});
    faults(FRANK_SYS_meminfo, 0, (const long[]){0, 0, 0});
    faults(FRANK_SYS_times, 0, (const long[]){0, 0, 0});
    faults(FRANK_SYS_klog, 0, (const long[]){0, 16, 0});
    faults(FRANK_SYS_counters, 0, (const long[]){0, 0, 0});
    faults(FRANK_SYS_rename, 1, (const long[]){(long)"/bin/true", 0, 0});
    faults(FRANK_SYS_sigaction, 1, (const long[]){15, 0, 0});
    faults(FRANK_SYS_sigaction, 2, (const long[]){15, 0, 0});
    faults(FRANK_SYS_sigmask, 1, (const long[]){0, 0, 0});
    faults(FRANK_SYS_sigmask, 2, (const long[]){0, 0, 0});
    faults(FRANK_SYS_sigmask, 1, (const long[]){3, 0, 0});
    faults(FRANK_SYS_itimer, 0, (const long[]){0, 0, 0});
    faults(FRANK_SYS_itimer, 1, (const long[]){0, 0, 0});
    faults(FRANK_SYS_usage, 1, (const long[]){0, 0, 0});
    faults(FRANK_SYS_sigaltstack, 0, (const long[]){0, 0, 0});
    faults(FRANK_SYS_sigaltstack, 1, (const long[]){0, 0, 0});
    faults(FRANK_SYS_execve, 1, (const long[]){(long)"/bin/true", 0, 0});
    faults(FRANK_SYS_execve, 2, (const long[]){(long)"/bin/true", 0, 0});
    /* Half inside. */
    CHECK(raw_call(FRANK_SYS_fstat, file, last, 0) == -EFAULT);
    CHECK(raw_call(FRANK_SYS_getdents, directory, last, 1) == -EFAULT);
    /* Memory that may only be read. */
    CHECK(raw_call(FRANK_SYS_read, zero, (long)"constant", 4) == -EFAULT);
    CHECK(raw_call(FRANK_SYS_fstat, file, (long)wild_buffers_are_efault, 0) == -EFAULT);
}

static void wild_source_of_a_write_is_efault(void)
{
    int ends[2];
    int file = open("file", O_RDWR | O_CREAT, 0644);
    char back[8];

    CHECK(pipe(ends) == 0);
    faults(FRANK_SYS_write, 1, (const long[]){file, 0, TRANSFER_BYTES});
    faults(FRANK_SYS_write, 1, (const long[]){ends[1], 0, TRANSFER_BYTES});
    CHECK(lseek(file, 0, SEEK_END) == 0);
    /* What failed left nothing behind. */
    CHECK(write(ends[1], "ok", 2) == 2);
    CHECK(read(ends[0], back, sizeof(back)) == 2 && memcmp(back, "ok", 2) == 0);
    CHECK(close(file) == 0);
    CHECK(unlink("file") == 0);
}

static void failed_read_of_a_pipe_loses_nothing(void)
{
    int ends[2];
    char back[8];

    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], "kept", 4) == 4);
    faults(FRANK_SYS_read, 1, (const long[]){ends[0], 0, 4});
    CHECK(read(ends[0], back, sizeof(back)) == 4 && memcmp(back, "kept", 4) == 0);
}

static void wild_status_of_wait_is_efault(void)
{
    for (int i = 0; i < WILD_COUNT; i++) {
        if (fork_checked() == 0)
            _exit(0);
        CHECK(raw_call(FRANK_SYS_waitpid, -1, wild[i], 0) == -EFAULT);
        CHECK(raw_call(FRANK_SYS_waitpid, -1, 0, 0) > 0);
    }
}

static void wild_arguments_of_exec_are_efault(void)
{
    static const char *words[] = {NULL, NULL};

    for (int i = 0; i < WILD_COUNT; i++) {
        words[0] = (char *)wild[i];
        CHECK(raw_call(FRANK_SYS_execve, (long)"/bin/true", (long)words, 0) == -EFAULT);
    }
}

static void failed_pipe_leaves_no_descriptors(void)
{
    int before = dup(STDOUT_FILENO);

    CHECK(close(before) == 0);
    faults(FRANK_SYS_pipe, 0, (const long[]){0, 0, 0});
    CHECK(dup(STDOUT_FILENO) == before);
}

static void wild_lengths_are_survived(void)
{
    int zero = open("/dev/zero", O_RDWR);
    int file = open("/bin/true", O_RDONLY);
    char byte;

    CHECK(raw_call(FRANK_SYS_write, zero, (long)&byte, -1) > 0);
    CHECK(raw_call(FRANK_SYS_read, file, 0x30000000, -1) == -EFAULT);
    CHECK(raw_call(FRANK_SYS_getdents, file, 0x30000000, -1) == -ENOTDIR);
    CHECK(raw_call(FRANK_SYS_procinfo, 0x30000000, -1, 0) == -EFAULT);
}

/* Numbers without meaning in every argument of every call but those that end something. */
static void nonsense_to_every_call_is_survived(void)
{
    static const long values[] = {
        0, 1, -1, 0x30000000, 0x7fffffffffffffff, (long)0x8000000000000000};
    enum { COUNT = sizeof(values) / sizeof(values[0]) };
    pid_t pid = fork_checked();

    if (pid == 0) {
        for (long number = 0; number < FRANK_SYS_COUNT; number++) {
            if (number == FRANK_SYS_exit || number == FRANK_SYS_fork || number == FRANK_SYS_kill ||
                number == FRANK_SYS_reboot || number == FRANK_SYS_sigreturn ||
                number == FRANK_SYS_nanosleep || number == FRANK_SYS_brk ||
                number == FRANK_SYS_read || number == FRANK_SYS_ioctl ||
                number == FRANK_SYS_mprotect || number == FRANK_SYS_munmap ||
                number == FRANK_SYS_setpgid || number == FRANK_SYS_thread_create ||
                number == FRANK_SYS_thread_exit || number == FRANK_SYS_thread_kill ||
                number == FRANK_SYS_futex || number == FRANK_SYS_poll)
                continue;
            for (int i = 0; i < COUNT * COUNT * COUNT; i++)
                (void)raw_call(number, values[i % COUNT], values[i / COUNT % COUNT],
                               values[i / COUNT / COUNT]);
        }
        _exit(0);
    }
    CHECK(exit_status_of(pid) == 0);
}

const struct test pointer_tests[] = {
    TEST(wild_paths_are_efault),
    TEST(wild_buffers_are_efault),
    TEST(wild_source_of_a_write_is_efault),
    TEST(failed_read_of_a_pipe_loses_nothing),
    TEST(wild_status_of_wait_is_efault),
    TEST(wild_arguments_of_exec_are_efault),
    TEST(failed_pipe_leaves_no_descriptors),
    TEST(wild_lengths_are_survived),
    TEST(nonsense_to_every_call_is_survived),
    TESTS_END,
};
