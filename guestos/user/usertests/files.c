/* SPDX-License-Identifier: MIT */
/* Files: open, read, write, lseek, dup, unlink, link, stat, truncate, devices. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usertests.h"

enum {
    LARGE_FILE_BYTES = 3 * 1024 * 1024 + 123, /* needs both levels of a page tree */
    DESCRIPTORS_MAX = 64,
};

static int create(const char *path)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    CHECK(descriptor >= 0);
    return descriptor;
}

static void missing_file_is_enoent(void)
{
    CHECK_ERROR(open("missing", O_RDONLY), ENOENT);
    CHECK_ERROR(open("", O_RDONLY), ENOENT);
    CHECK_ERROR(open("missing/file", O_RDONLY | O_CREAT, 0644), ENOENT);
    CHECK_ERROR(unlink("missing"), ENOENT);
    CHECK_ERROR(open("missing", O_RDONLY | O_WRONLY | O_RDWR), EINVAL);
}

static void file_gives_back_what_was_written(void)
{
    char back[6] = "";
    int descriptor = create("file");

    CHECK(write(descriptor, "hello", 5) == 5);
    CHECK(read(descriptor, back, 5) == 0);
    CHECK(lseek(descriptor, 0, SEEK_SET) == 0);
    CHECK(read(descriptor, back, sizeof(back)) == 5);
    CHECK(strcmp(back, "hello") == 0);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
    CHECK_ERROR(open("file", O_RDONLY), ENOENT);
}

static void exclusive_create_refuses_existing(void)
{
    int descriptor = open("file", O_WRONLY | O_CREAT | O_EXCL, 0644);

    CHECK(descriptor >= 0);
    CHECK_ERROR(open("file", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void open_truncates_when_told(void)
{
    struct stat result;
    int descriptor;

    make_file("file", 5000);
    descriptor = open("file", O_RDONLY);
    CHECK(fstat(descriptor, &result) == 0 && result.st_size == 5000);
    CHECK(close(descriptor) == 0);
    descriptor = open("file", O_WRONLY | O_TRUNC);
    CHECK(fstat(descriptor, &result) == 0 && result.st_size == 0);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void append_always_goes_to_the_end(void)
{
    char back[7] = "";
    int first = open("file", O_RDWR | O_CREAT | O_APPEND, 0644);
    int second = open("file", O_WRONLY | O_APPEND);

    CHECK(write(first, "ab", 2) == 2);
    CHECK(write(second, "cd", 2) == 2);
    CHECK(lseek(first, 0, SEEK_SET) == 0);
    CHECK(write(first, "ef", 2) == 2);
    CHECK(lseek(first, 0, SEEK_CUR) == 6);
    CHECK(lseek(first, 0, SEEK_SET) == 0);
    CHECK(read(first, back, 6) == 6);
    CHECK(strcmp(back, "abcdef") == 0);
    CHECK(close(first) == 0 && close(second) == 0);
    CHECK(unlink("file") == 0);
}

static void lseek_knows_its_bases(void)
{
    char c;
    int descriptor;

    make_file("file", 100);
    descriptor = open("file", O_RDONLY);
    CHECK(lseek(descriptor, 10, SEEK_SET) == 10);
    CHECK(lseek(descriptor, 5, SEEK_CUR) == 15);
    CHECK(lseek(descriptor, -1, SEEK_END) == 99);
    CHECK(read(descriptor, &c, 1) == 1 && (unsigned char)c == pattern_byte(99));
    CHECK_ERROR(lseek(descriptor, -1, SEEK_SET), EINVAL);
    CHECK_ERROR(lseek(descriptor, 0, 7), EINVAL);
    CHECK(lseek(descriptor, 0, SEEK_CUR) == 100);
    CHECK(lseek(descriptor, 1000, SEEK_SET) == 1000);
    CHECK(read(descriptor, &c, 1) == 0);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void lseek_refuses_what_has_no_offset(void)
{
    int ends[2];
    int console = open("/dev/console", O_RDONLY);

    CHECK(pipe(ends) == 0);
    CHECK_ERROR(lseek(ends[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(lseek(console, 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(lseek(99, 0, SEEK_SET), EBADF);
}

static void hole_reads_as_zeros(void)
{
    char back[PAGE_BYTES];
    uint64_t before = free_pages();
    int descriptor = create("file");

    CHECK(lseek(descriptor, 600 * PAGE_BYTES, SEEK_SET) == 600 * PAGE_BYTES);
    CHECK(write(descriptor, "x", 1) == 1);
    CHECK(before - free_pages() < 100);
    CHECK(lseek(descriptor, 300 * PAGE_BYTES + 7, SEEK_SET) > 0);
    CHECK(read(descriptor, back, sizeof(back)) == (ssize_t)sizeof(back));
    for (size_t i = 0; i < sizeof(back); i++)
        CHECK(back[i] == 0);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void truncate_cuts_and_grows_with_zeros(void)
{
    char back[64];
    int descriptor;

    make_file("file", 3 * PAGE_BYTES);
    descriptor = open("file", O_RDWR);
    CHECK(ftruncate(descriptor, 10) == 0);
    CHECK(ftruncate(descriptor, 2 * PAGE_BYTES) == 0);
    CHECK(read(descriptor, back, sizeof(back)) == (ssize_t)sizeof(back));
    for (size_t i = 0; i < sizeof(back); i++)
        CHECK((unsigned char)back[i] == (i < 10 ? pattern_byte(i) : 0));
    CHECK_ERROR(ftruncate(descriptor, -1), EINVAL);
    CHECK(close(descriptor) == 0);
    descriptor = open("file", O_RDONLY);
    CHECK_ERROR(ftruncate(descriptor, 0), EINVAL);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void wrong_access_is_ebadf(void)
{
    char c = 'x';
    int reader;
    int writer = open("file", O_WRONLY | O_CREAT, 0644);

    reader = open("file", O_RDONLY);
    CHECK_ERROR(read(writer, &c, 1), EBADF);
    CHECK_ERROR(write(reader, &c, 1), EBADF);
    CHECK(close(reader) == 0 && close(writer) == 0);
    CHECK_ERROR(close(reader), EBADF);
    CHECK_ERROR(read(reader, &c, 1), EBADF);
    CHECK_ERROR(write(-1, &c, 1), EBADF);
    CHECK_ERROR(dup(1000000), EBADF);
    CHECK(unlink("file") == 0);
}

static void descriptors_run_out_with_emfile(void)
{
    int ends[2];
    int last = -1;
    int descriptor;

    while ((descriptor = dup(STDOUT_FILENO)) >= 0)
        last = descriptor;
    CHECK(errno == EMFILE);
    CHECK(last == DESCRIPTORS_MAX - 1);
    CHECK_ERROR(open("/dev/null", O_RDONLY), EMFILE);
    CHECK_ERROR(pipe(ends), EMFILE);
    CHECK(close(last) == 0);
    CHECK_ERROR(pipe(ends), EMFILE);
    CHECK(open("/dev/null", O_RDONLY) == last);
    CHECK_ERROR(open("made-nevertheless", O_WRONLY | O_CREAT, 0644), EMFILE);
    (void)unlink("made-nevertheless");
}

static void dup_shares_the_offset(void)
{
    char back[2];
    int first;
    int second;

    make_file("file", 100);
    first = open("file", O_RDONLY);
    second = dup(first);
    CHECK(read(first, back, 2) == 2);
    CHECK(lseek(second, 0, SEEK_CUR) == 2);
    CHECK(close(first) == 0);
    CHECK(read(second, back, 2) == 2 && (unsigned char)back[0] == pattern_byte(2));
    CHECK(close(second) == 0);
    CHECK(unlink("file") == 0);
}

static void fcntl_duplicates_from_a_number_on(void)
{
    int first = open("f", O_RDWR | O_CREAT | O_APPEND, 0666);
    int second = fcntl(first, F_DUPFD, 20), third = fcntl(first, F_DUPFD_CLOEXEC, 20);

    CHECK(second == 20 && third == 21);
    CHECK(write(second, "abc", 3) == 3 && lseek(first, 0, SEEK_CUR) == 3);
    CHECK(fcntl(second, F_GETFD) == 0 && fcntl(third, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(second, F_SETFD, FD_CLOEXEC) == 0 && fcntl(second, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(first, F_GETFD) == 0);
    CHECK(fcntl(first, F_GETFL) == (O_RDWR | O_APPEND));
    CHECK(fcntl(first, F_SETFL, 0) == 0 && fcntl(third, F_GETFL) == O_RDWR);
    CHECK_ERROR(fcntl(first, F_DUPFD, 1000000), EINVAL);
    CHECK_ERROR(fcntl(first, F_DUPFD, -1), EINVAL);
    CHECK_ERROR(fcntl(first, 12345, 0), EINVAL);
    CHECK_ERROR(fcntl(19, F_GETFD), EBADF);
    CHECK(close(first) == 0 && close(second) == 0 && close(third) == 0);
    CHECK(unlink("f") == 0);
}

static void pread_and_pwrite_leave_the_offset_alone(void)
{
    int descriptor = open("f", O_RDWR | O_CREAT, 0666), ends[2], reads;
    char bytes[4] = "";

    CHECK(write(descriptor, "abcdef", 6) == 6 && lseek(descriptor, 1, SEEK_SET) == 1);
    CHECK(pread(descriptor, bytes, 3, 2) == 3 && strcmp(bytes, "cde") == 0);
    CHECK(pwrite(descriptor, "XY", 2, 5) == 2 && lseek(descriptor, 0, SEEK_CUR) == 1);
    CHECK(pread(descriptor, bytes, 4, 5) == 2 && bytes[1] == 'Y');
    CHECK(pread(descriptor, bytes, 1, 100) == 0);
    CHECK_ERROR(pread(descriptor, bytes, 1, -1), EINVAL);
    CHECK_ERROR(pread(descriptor, (void *)1, 1, 0), EFAULT);
    reads = open("f", O_RDONLY);
    CHECK_ERROR(pwrite(reads, "x", 1, 0), EBADF);
    CHECK(pipe(ends) == 0);
    CHECK_ERROR(pread(ends[0], bytes, 1, 0), ESPIPE);
    CHECK_ERROR(pread(50, bytes, 1, 0), EBADF);
    CHECK(close(descriptor) == 0 && close(reads) == 0 && close(ends[0]) == 0 &&
          close(ends[1]) == 0);
    CHECK(unlink("f") == 0);
}

static void umask_takes_permissions_away(void)
{
    mode_t before = umask(027);
    struct stat stat;
    pid_t pid;

    CHECK(mkdir("d", 0777) == 0 && lstat("d", &stat) == 0 && (stat.st_mode & 0777) == 0750);
    pid = fork_checked();
    if (pid == 0) {
        int descriptor = open("d/f", O_WRONLY | O_CREAT, 0666);

        CHECK(umask(0) == 027 && close(descriptor) == 0);
        _exit(0);
    }
    CHECK(exit_status_of(pid) == 0);
    CHECK(lstat("d/f", &stat) == 0 && (stat.st_mode & 0777) == 0640);
    CHECK(umask(before) == 027);
    CHECK(unlink("d/f") == 0 && rmdir("d") == 0);
}

static void fork_shares_the_offset(void)
{
    char c;
    int descriptor;
    pid_t pid;

    make_file("file", 100);
    descriptor = open("file", O_RDONLY);
    pid = fork_checked();
    if (pid == 0)
        _exit(read(descriptor, &c, 1) == 1 ? 0 : 1);
    CHECK(exit_status_of(pid) == 0);
    CHECK(lseek(descriptor, 0, SEEK_CUR) == 1);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void dup2_replaces_and_closes(void)
{
    char c = 0;
    int ends[2];
    int null = open("/dev/null", O_RDONLY);

    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(dup2(null, ends[1]) == ends[1]);
    CHECK(read(ends[0], &c, 1) == 1 && c == 'x');
    CHECK(read(ends[0], &c, 1) == 0);
    CHECK(dup2(null, null) == null);
    CHECK_ERROR(dup2(null, 64), EBADF);
    CHECK_ERROR(dup2(63, 63), EBADF);
    CHECK_ERROR(dup2(null, -1), EBADF);
}

static void unlinked_file_lives_while_open(void)
{
    unsigned char c;
    struct stat result;
    int descriptor;

    make_file("file", 2 * PAGE_BYTES);
    descriptor = open("file", O_RDONLY);
    CHECK(unlink("file") == 0);
    CHECK_ERROR(open("file", O_RDONLY), ENOENT);
    CHECK(fstat(descriptor, &result) == 0 && result.st_nlink == 0);
    CHECK(lseek(descriptor, PAGE_BYTES, SEEK_SET) == PAGE_BYTES);
    CHECK(read(descriptor, &c, 1) == 1 && c == pattern_byte(PAGE_BYTES));
    CHECK(close(descriptor) == 0);
}

static void link_gives_a_second_name(void)
{
    struct stat first;
    struct stat second;

    make_file("file", 10);
    CHECK(link("file", "other") == 0);
    CHECK(stat("file", &first) == 0 && stat("other", &second) == 0);
    CHECK(first.st_ino == second.st_ino && first.st_nlink == 2);
    CHECK_ERROR(link("file", "other"), EEXIST);
    CHECK_ERROR(link("missing", "third"), ENOENT);
    CHECK_ERROR(link("/bin", "third"), EPERM);
    CHECK(unlink("file") == 0);
    CHECK(stat("other", &second) == 0 && second.st_nlink == 1 && second.st_size == 10);
    CHECK(unlink("other") == 0);
}

static void rename_moves_and_replaces(void)
{
    struct stat result;

    make_file("file", 10);
    make_file("other", 20);
    CHECK(rename("file", "other") == 0);
    CHECK(stat("other", &result) == 0 && result.st_size == 10);
    CHECK_ERROR(stat("file", &result), ENOENT);
    CHECK(unlink("other") == 0);
}

/* While one process puts one file after the other in its place, the name is there at every look. */
static void rename_is_one_step(void)
{
    double end = seconds_now() + 0.4;
    struct stat result;
    pid_t pid;

    make_file("file", 10);
    pid = fork_checked();
    if (pid == 0) {
        for (;;) {
            int descriptor = open("fresh", O_WRONLY | O_CREAT, 0644);

            CHECK(close(descriptor) == 0);
            CHECK(rename("fresh", "file") == 0);
        }
    }
    while (seconds_now() < end)
        CHECK(stat("file", &result) == 0);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(exit_status_of(pid) == -1);
    (void)unlink("fresh");
    CHECK(unlink("file") == 0);
}

static void rename_refuses_nonsense(void)
{
    make_file("file", 10);
    CHECK(mkdir("directory", 0755) == 0 && mkdir("directory/below", 0755) == 0);
    CHECK_ERROR(rename("missing", "other"), ENOENT);
    CHECK_ERROR(rename("file", "missing/other"), ENOENT);
    CHECK_ERROR(rename("file", "directory"), EISDIR);
    CHECK_ERROR(rename("directory", "file"), ENOTDIR);
    CHECK_ERROR(rename("file", "other/"), ENOTDIR);
    CHECK_ERROR(rename("file/", "other"), ENOTDIR);
    CHECK_ERROR(rename("directory", "directory/below/further"), EINVAL);
    CHECK_ERROR(rename("directory", "directory/below"), EINVAL);
    CHECK_ERROR(rename("directory/below", "directory"), ENOTEMPTY);
    CHECK_ERROR(rename("directory/.", "other"), EINVAL);
    CHECK_ERROR(rename("/", "other"), EBUSY);
    CHECK_ERROR(rename("file", "/"), EBUSY);
    CHECK(rename("file", "file") == 0 && rename("directory", "directory/") == 0);
    CHECK(rmdir("directory/below") == 0 && rmdir("directory") == 0 && unlink("file") == 0);
}

static void rename_moves_directories(void)
{
    char path[64], expected[80];
    struct stat one, other;

    CHECK(getcwd(path, sizeof(path)) != NULL);
    CHECK(mkdir("one", 0755) == 0 && mkdir("other", 0755) == 0 && mkdir("one/child", 0755) == 0);
    make_file("one/child/file", 10);
    CHECK(chdir("one/child") == 0);
    CHECK(rename("../../one/child", "../../other/moved") == 0);
    snprintf(expected, sizeof(expected), "%s/other/moved", path);
    CHECK(getcwd(path, sizeof(path)) != NULL && strcmp(path, expected) == 0);
    CHECK(stat("../../one", &one) == 0 && stat("..", &other) == 0);
    CHECK(one.st_nlink == 2 && other.st_nlink == 3);
    CHECK(chdir("../..") == 0);
    /* An empty directory is replaced. */
    CHECK(rename("other", "one") == 0);
    CHECK(stat("one/moved/file", &one) == 0 && one.st_size == 10);
    CHECK_ERROR(stat("other", &other), ENOENT);
    CHECK(unlink("one/moved/file") == 0 && rmdir("one/moved") == 0 && rmdir("one") == 0);
}

static void rename_keeps_other_names(void)
{
    struct stat result;
    int descriptor;

    make_file("file", 10);
    make_file("old", 20);
    CHECK(link("file", "second") == 0 && link("old", "kept") == 0);
    descriptor = open("old", O_RDONLY);
    CHECK(rename("file", "old") == 0);
    CHECK(stat("old", &result) == 0 && result.st_nlink == 2 && result.st_size == 10);
    CHECK(fstat(descriptor, &result) == 0 && result.st_nlink == 1 && result.st_size == 20);
    /* Two names of one file: both stay. */
    CHECK(rename("old", "second") == 0);
    CHECK(stat("old", &result) == 0 && result.st_nlink == 2);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("old") == 0 && unlink("second") == 0 && unlink("kept") == 0);
}

static void open_without_a_descriptor_truncates_nothing(void)
{
    struct stat result;

    make_file("file", 100);
    while (dup(STDOUT_FILENO) >= 0) {
    }
    CHECK_ERROR(open("file", O_WRONLY | O_TRUNC), EMFILE);
    CHECK(stat("file", &result) == 0 && result.st_size == 100);
    CHECK(unlink("file") == 0);
}

static void stat_tells_types_apart(void)
{
    struct stat result;
    int ends[2];

    CHECK(stat("/", &result) == 0 && S_ISDIR(result.st_mode));
    CHECK(stat("/bin/usertests", &result) == 0 && S_ISREG(result.st_mode));
    CHECK(result.st_size > PAGE_BYTES && (result.st_mode & 0111));
    CHECK(stat("/dev/console", &result) == 0 && S_ISCHR(result.st_mode));
    CHECK(pipe(ends) == 0);
    CHECK(fstat(ends[0], &result) == 0 && S_ISFIFO(result.st_mode));
    CHECK(isatty(ends[0]) == 0);
    CHECK_ERROR(fstat(99, &result), EBADF);
}

static void large_file_keeps_every_byte(void)
{
    static unsigned char block[PAGE_BYTES + 1];
    int descriptor;
    size_t at = 0;
    ssize_t size;

    make_file("file", LARGE_FILE_BYTES);
    descriptor = open("file", O_RDONLY);
    while ((size = read(descriptor, block, sizeof(block))) > 0) {
        for (ssize_t i = 0; i < size; i++, at++)
            CHECK(block[i] == pattern_byte(at));
    }
    CHECK(size == 0 && at == LARGE_FILE_BYTES);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void too_large_file_is_efbig(void)
{
    int descriptor = create("file");

    CHECK(lseek(descriptor, 1L << 40, SEEK_SET) == 1L << 40);
    CHECK_ERROR(write(descriptor, "x", 1), EFBIG);
    CHECK_ERROR(ftruncate(descriptor, 1L << 40), EFBIG);
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void full_memory_is_enospc(void)
{
    static char block[16 * PAGE_BYTES];
    uint64_t before = free_pages();
    int descriptor = create("file");
    ssize_t done;

    do {
        done = write(descriptor, block, sizeof(block));
    } while (done == (ssize_t)sizeof(block));
    CHECK(done > 0 || errno == ENOSPC);
    CHECK_ERROR(write(descriptor, block, sizeof(block)), ENOSPC);
    CHECK(ftruncate(descriptor, 0) == 0);
    CHECK(before - free_pages() < 64);
    CHECK(write(descriptor, block, sizeof(block)) == (ssize_t)sizeof(block));
    CHECK(close(descriptor) == 0);
    CHECK(unlink("file") == 0);
}

static void null_and_zero_devices(void)
{
    char back[5000];
    int null = open("/dev/null", O_RDWR);
    int zero = open("/dev/zero", O_RDWR);

    memset(back, 1, sizeof(back));
    CHECK(write(null, back, sizeof(back)) == (ssize_t)sizeof(back));
    CHECK(read(null, back, sizeof(back)) == 0);
    CHECK(read(zero, back, sizeof(back)) == (ssize_t)sizeof(back));
    for (size_t i = 0; i < sizeof(back); i++)
        CHECK(back[i] == 0);
}

static void console_is_a_terminal(void)
{
    int console = open("/dev/console", O_RDWR);
    int null = open("/dev/null", O_RDWR);

    CHECK(isatty(console) == 1);
    CHECK(isatty(null) == 0 && errno == ENOTTY);
}

static void long_names_are_refused(void)
{
    static char name[300];
    static char path[2000];

    memset(name, 'n', sizeof(name) - 1);
    CHECK_ERROR(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
    name[255] = '\0';
    CHECK(close(create(name)) == 0);
    CHECK(unlink(name) == 0);
    memset(path, '/', sizeof(path) - 1);
    CHECK_ERROR(open(path, O_RDONLY), ENAMETOOLONG);
}

static void file_is_no_directory(void)
{
    make_file("file", 1);
    CHECK_ERROR(open("file/below", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("file/", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERROR(chdir("file"), ENOTDIR);
    CHECK_ERROR(unlink("file/"), ENOTDIR);
    CHECK(unlink("file") == 0);
}

const struct test file_tests[] = {
    TEST(missing_file_is_enoent),
    TEST(file_gives_back_what_was_written),
    TEST(exclusive_create_refuses_existing),
    TEST(open_truncates_when_told),
    TEST(append_always_goes_to_the_end),
    TEST(lseek_knows_its_bases),
    TEST(lseek_refuses_what_has_no_offset),
    TEST(hole_reads_as_zeros),
    TEST(truncate_cuts_and_grows_with_zeros),
    TEST(wrong_access_is_ebadf),
    TEST(descriptors_run_out_with_emfile),
    TEST(dup_shares_the_offset),
    TEST(fcntl_duplicates_from_a_number_on),
    TEST(pread_and_pwrite_leave_the_offset_alone),
    TEST(umask_takes_permissions_away),
    TEST(fork_shares_the_offset),
    TEST(dup2_replaces_and_closes),
    TEST(unlinked_file_lives_while_open),
    TEST(link_gives_a_second_name),
    TEST(rename_moves_and_replaces),
    TEST(rename_is_one_step),
    TEST(rename_refuses_nonsense),
    TEST(rename_moves_directories),
    TEST(rename_keeps_other_names),
    TEST(open_without_a_descriptor_truncates_nothing),
    TEST(stat_tells_types_apart),
    TEST(large_file_keeps_every_byte),
    TEST(too_large_file_is_efbig),
    TEST(full_memory_is_enospc),
    TEST(null_and_zero_devices),
    TEST(console_is_a_terminal),
    TEST(long_names_are_refused),
    TEST(file_is_no_directory),
    TESTS_END,
};
