/* SPDX-License-Identifier: MIT */
/* What usertests does when one of its tests executes it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usertests.h"

/* Remove everything below the working directory. */
static void clean(void)
{
    struct dirent *entry;
    DIR *directory = opendir(".");

    if (!directory)
        return;
    while ((entry = readdir(directory))) {
        if (entry->d_type == DT_DIR && chdir(entry->d_name) == 0) {
            clean();
            (void)chdir("..");
            (void)rmdir(entry->d_name);
        } else {
            (void)unlink(entry->d_name);
        }
    }
    closedir(directory);
}

/* --arguments ONE "" "a b": exactly these. */
static int helper_arguments(int argc, char **argv)
{
    bool right = argc == 5 && strcmp(argv[2], "one") == 0 && strcmp(argv[3], "") == 0 &&
                 strcmp(argv[4], "a b") == 0 && argv[5] == NULL;

    return right ? 42 : 1;
}

/* --environment: NAME=value is there, and nothing else. */
static int helper_environment(int argc, char **argv)
{
    const char *value = getenv("NAME");

    (void)argc, (void)argv;
    return value && strcmp(value, "value") == 0 && !getenv("PATH") ? 42 : 1;
}

/* --count N: there are N more arguments of 10 characters. */
static int helper_count(int argc, char **argv)
{
    for (int i = 3; i < argc; i++) {
        if (strlen(argv[i]) != 10)
            return 1;
    }
    return argc - 3 == atoi(argv[2]) ? 42 : 1;
}

/* --open FD CLOSED-FD: the one is open, the other is not. */
static int helper_open(int argc, char **argv)
{
    struct stat ignored;

    if (argc != 4)
        return 1;
    return fstat(atoi(argv[2]), &ignored) == 0 && fstat(atoi(argv[3]), &ignored) < 0 ? 42 : 1;
}

/* --no-floating-point: what a child leaves in the registers does not show here, where none was
 * used. */
static int helper_no_floating_point(int argc, char **argv)
{
    unsigned long left;
    pid_t pid = (pid_t)raw_call(FRANK_SYS_fork, 0, 0, 0);

    (void)argc, (void)argv;
    if (pid == 0) {
        __asm__ volatile("fmv.d.x fs7, %0" : : "r"(0x5ec2e7UL) : "fs7");
        (void)raw_call(FRANK_SYS_exit, 0, 0, 0);
    }
    if (exit_status_of(pid) != 0)
        return 1;
    __asm__ volatile("fmv.x.d %0, fs7" : "=r"(left));
    return left == 0 ? 42 : 1;
}

static int helper_clean(int argc, char **argv)
{
    (void)argc, (void)argv;
    clean();
    return 0;
}

/* Write to two pages of a file by a mapping that may not write any more when msync comes: FILE, and
   a word for each page. */
static int helper_write_mapped(int argc, char **argv)
{
    int file = argc == 5 ? open(argv[2], O_RDWR | O_CREAT, 0644) : -1;
    char *pages = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *second = pages + PAGE_BYTES;
    pid_t pid;

    CHECK(write(file, "x", 1) == 1 && pwrite(file, "x", 1, 2 * PAGE_BYTES - 1) == 1);
    CHECK(pages != MAP_FAILED && pages[0] == 'x' && second[0] == 0);
    CHECK(fsync(file) == 0);
    strlcpy(pages, argv[3], PAGE_BYTES);
    pid = fork_checked();
    if (pid == 0)
        _exit(0);
    CHECK(exit_status_of(pid) == 0 && msync(pages, PAGE_BYTES, MS_SYNC) == 0);
    strlcpy(second, argv[4], PAGE_BYTES);
    CHECK(mprotect(second, PAGE_BYTES, PROT_READ) == 0);
    CHECK(msync(pages, 2 * PAGE_BYTES, MS_SYNC) == 0);
    printf("mapped and synced\n");
    return 0;
}

int run_as_helper(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } helpers[] = {
        {"--arguments", helper_arguments},
        {"--environment", helper_environment},
        {"--count", helper_count},
        {"--open", helper_open},
        {"--clean", helper_clean},
        {"--no-floating-point", helper_no_floating_point},
        {"--write-mapped", helper_write_mapped},
    };

    for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
        if (strcmp(argv[1], helpers[i].name) == 0)
            return helpers[i].run(argc, argv);
    }
    fprintf(stderr, "usertests: %s?\n", argv[1]);
    return 2;
}
