/* SPDX-License-Identifier: MIT */
/* Directories: mkdir, rmdir, reading them, the working directory. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>

#include "usertests.h"

enum { MANY_NAMES = 100 };

static void directory_is_made_and_removed(void)
{
    struct stat result;

    CHECK(mkdir("dir", 0755) == 0);
    CHECK_ERROR(mkdir("dir", 0755), EEXIST);
    CHECK_ERROR(mkdir("missing/dir", 0755), ENOENT);
    CHECK_ERROR(mkdir("/", 0755), EEXIST);
    CHECK_ERROR(mkdir(".", 0755), EEXIST);
    CHECK(stat("dir", &result) == 0 && S_ISDIR(result.st_mode) && result.st_nlink == 2);
    CHECK(mkdir("dir/sub", 0755) == 0);
    CHECK(stat("dir", &result) == 0 && result.st_nlink == 3);
    CHECK_ERROR(rmdir("dir"), ENOTEMPTY);
    CHECK(rmdir("dir/sub") == 0);
    CHECK(rmdir("dir/") == 0);
    CHECK_ERROR(rmdir("dir"), ENOENT);
    CHECK_ERROR(rmdir("/"), EBUSY);
}

static void unlink_and_rmdir_know_their_own(void)
{
    make_file("file", 1);
    CHECK(mkdir("dir", 0755) == 0);
    CHECK_ERROR(rmdir("file"), ENOTDIR);
    CHECK_ERROR(unlink("dir"), EISDIR);
    CHECK_ERROR(unlink("dir/"), EISDIR);
    CHECK_ERROR(unlink("/"), EISDIR);
    CHECK_ERROR(open("dir", O_WRONLY), EISDIR);
    CHECK_ERROR(open("dir", O_RDONLY | O_CREAT, 0644), EISDIR);
    CHECK_ERROR(open("dir/", O_WRONLY | O_CREAT, 0644), EISDIR);
    CHECK(rmdir("dir") == 0);
    CHECK(unlink("file") == 0);
}

static void reading_a_directory_as_file_is_eisdir(void)
{
    char c;
    int descriptor = open("/bin", O_RDONLY);

    CHECK(descriptor >= 0);
    CHECK_ERROR(read(descriptor, &c, 1), EISDIR);
    CHECK_ERROR(write(descriptor, &c, 1), EBADF);
    CHECK(close(descriptor) == 0);
}

static int count_names(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    CHECK(directory != NULL);
    while (readdir(directory))
        count++;
    CHECK(closedir(directory) == 0);
    return count;
}

static void reading_finds_every_name(void)
{
    char name[16];
    bool seen[MANY_NAMES] = {false};
    struct dirent *entry;
    DIR *directory;

    CHECK(mkdir("dir", 0755) == 0);
    for (int i = 0; i < MANY_NAMES; i++) {
        snprintf(name, sizeof(name), "dir/n%d", i);
        make_file(name, 0);
    }
    directory = opendir("dir");
    while ((entry = readdir(directory))) {
        int number = -1;

        CHECK(sscanf(entry->d_name, "n%d", &number) == 1 && number >= 0 && number < MANY_NAMES);
        CHECK(!seen[number]);
        seen[number] = true;
        /* Removing what was read disturbs nothing. */
        snprintf(name, sizeof(name), "dir/n%d", number);
        CHECK(unlink(name) == 0);
    }
    CHECK(closedir(directory) == 0);
    for (int i = 0; i < MANY_NAMES; i++)
        CHECK(seen[i]);
    CHECK(count_names("dir") == 0);
    CHECK(rmdir("dir") == 0);
    CHECK(opendir("missing") == NULL && errno == ENOENT);
}

static void working_directory_moves(void)
{
    char path[128];

    CHECK(mkdir("dir", 0755) == 0 && mkdir("dir/sub", 0755) == 0);
    CHECK(chdir("dir/sub") == 0);
    CHECK(getcwd(path, sizeof(path)) == path);
    CHECK(strcmp(path, "/tmp/usertests/dir/sub") == 0);
    make_file("file", 1);
    CHECK(chdir("..") == 0);
    CHECK(unlink("sub/file") == 0);
    CHECK(unlink("sub/../sub/./missing") < 0 && errno == ENOENT);
    CHECK(chdir("//") == 0);
    CHECK(getcwd(path, sizeof(path)) && strcmp(path, "/") == 0);
    CHECK(chdir("..") == 0);
    CHECK(getcwd(path, sizeof(path)) && strcmp(path, "/") == 0);
    CHECK(getcwd(path, 1) == NULL && errno == ERANGE);
    CHECK(getcwd(path, 0) == NULL && errno == EINVAL);
    CHECK(chdir("/tmp/usertests") == 0);
    CHECK_ERROR(chdir("missing"), ENOENT);
    CHECK(rmdir("dir/sub") == 0 && rmdir("dir") == 0);
}

static void removed_working_directory_is_empty_for_ever(void)
{
    char path[128];

    CHECK(mkdir("dir", 0755) == 0);
    CHECK(chdir("dir") == 0);
    CHECK(rmdir("../dir") == 0);
    CHECK_ERROR(open("file", O_WRONLY | O_CREAT, 0644), ENOENT);
    CHECK_ERROR(mkdir("sub", 0755), ENOENT);
    CHECK(getcwd(path, sizeof(path)) == NULL && errno == ENOENT);
    CHECK_ERROR(chdir(".."), ENOENT);
    CHECK(chdir("/tmp/usertests") == 0);
}

static void child_has_a_working_directory_of_its_own(void)
{
    char path[128];
    pid_t pid = fork_checked();

    if (pid == 0)
        _exit(chdir("/bin"));
    CHECK(exit_status_of(pid) == 0);
    CHECK(getcwd(path, sizeof(path)) && strcmp(path, "/tmp/usertests") == 0);
}

static void racing_creators_make_one_file(void)
{
    enum { CREATORS = 8 };
    pid_t pids[CREATORS];
    int winners = 0;

    for (int i = 0; i < CREATORS; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            (void)raw_call(FRANK_SYS_sched_yield, 0, 0, 0);
            _exit(open("file", O_WRONLY | O_CREAT | O_EXCL, 0644) >= 0 ? 1 : 0);
        }
    }
    for (int i = 0; i < CREATORS; i++)
        winners += exit_status_of(pids[i]);
    CHECK(winners == 1);
    CHECK(unlink("file") == 0);
}

static void the_disk_tells_how_full_it_is(void)
{
    struct statvfs before, after;

    CHECK(mkdir("dir", 0755) == 0);
    make_file("dir/first", 1); /* so that the directory need not grow */
    CHECK(statvfs("/", &before) == 0 && before.f_bfree <= before.f_blocks);
    make_file("dir/second", 10000);
    CHECK(statvfs("dir/second", &after) == 0 && after.f_blocks == before.f_blocks);
    CHECK(after.f_bfree == before.f_bfree - 3 && after.f_ffree == before.f_ffree - 1);
    CHECK(unlink("dir/second") == 0 && statvfs(".", &after) == 0);
    CHECK(after.f_bfree == before.f_bfree && after.f_ffree == before.f_ffree);
    CHECK_ERROR(statvfs("missing", &after), ENOENT);
    CHECK(unlink("dir/first") == 0 && rmdir("dir") == 0);
}

static void a_files_time_can_be_set(void)
{
    struct timeval times[2] = {{0, 0}, {1000, 500000}};
    struct stat stat_now, directory, device;

    make_file("file", 1);
    CHECK(utimes("file", times) == 0 && stat("file", &stat_now) == 0);
    CHECK(stat_now.st_mtim.tv_sec == 1000 && stat_now.st_mtim.tv_nsec == 500000000);
    CHECK(utimes("file", NULL) == 0 && stat("file", &stat_now) == 0);
    CHECK(stat_now.st_mtim.tv_sec != 1000);
    times[1].tv_usec = 1000000;
    CHECK_ERROR(utimes("file", times), EINVAL);
    CHECK_ERROR(utimes("missing", NULL), ENOENT);
    CHECK(raw_call(FRANK_SYS_utimens, 1, 0, 0) == -EFAULT);
    CHECK(stat(".", &directory) == 0 && stat("/dev/null", &device) == 0);
    CHECK(directory.st_dev == stat_now.st_dev && device.st_dev != stat_now.st_dev);
    CHECK(unlink("file") == 0);
}

const struct test directory_tests[] = {
    TEST(directory_is_made_and_removed),
    TEST(unlink_and_rmdir_know_their_own),
    TEST(reading_a_directory_as_file_is_eisdir),
    TEST(reading_finds_every_name),
    TEST(working_directory_moves),
    TEST(removed_working_directory_is_empty_for_ever),
    TEST(child_has_a_working_directory_of_its_own),
    TEST(racing_creators_make_one_file),
    TEST(the_disk_tells_how_full_it_is),
    TEST(a_files_time_can_be_set),
    TESTS_END,
};
