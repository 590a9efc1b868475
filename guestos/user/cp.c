/* SPDX-License-Identifier: MIT */
/* cp [-r] FILE... TO: copy a file, or files into the directory TO; -r directories with all in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "program_path.h"

enum {
    BUFFER_BYTES = 4096,
    DIRECTORY_PERMISSIONS = 0777,
    PERMISSIONS = 0777,
};

static bool recursive;

static int copy_path(const char *from, const char *to);

static int copy_bytes(int from, int to)
{
    static char buffer[BUFFER_BYTES];
    ssize_t size;

    while ((size = read(from, buffer, sizeof(buffer))) > 0) {
        for (ssize_t done = 0; done < size;) {
            ssize_t written = write(to, buffer + done, (size_t)(size - done));

            if (written < 0)
                return -1;
            done += written;
        }
    }
    return (int)size;
}

static bool is_same_file(const struct stat *one, const char *other)
{
    struct stat found;

    return stat(other, &found) == 0 && found.st_ino == one->st_ino && found.st_dev == one->st_dev &&
           found.st_rdev == one->st_rdev;
}

static int copy_file(const char *from, const char *to, const struct stat *source)
{
    int in;
    int out;
    int status = 0;

    if (is_same_file(source, to)) {
        errno = EINVAL; /* opening it to be written would empty it */
        return program_complain("cp", to);
    }
    in = open(from, O_RDONLY);
    if (in < 0)
        return program_complain("cp", from);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, (int)(source->st_mode & PERMISSIONS));
    if (out < 0) {
        status = program_complain("cp", to);
        close(in);
        return status;
    }
    if (copy_bytes(in, out) < 0)
        status = program_complain("cp", to);
    close(in);
    if (close(out) < 0)
        status = program_complain("cp", to);
    return status;
}

static int copy_into(const char *from, void *directory)
{
    char target[PROGRAM_PATH_BYTES];

    if (program_target(from, directory, target) < 0)
        return program_complain("cp", from);
    return copy_path(from, target);
}

/* Whether `to` is `from` or lies in it: a copy there would never end. */
static bool is_inside(const char *from, const char *to)
{
    size_t length = strlen(from);

    return strncmp(from, to, length) == 0 &&
           (to[length] == '\0' || to[length] == '/' || from[length - 1] == '/');
}

static int copy_directory(const char *from, const char *to)
{
    char target[PROGRAM_PATH_BYTES];
    int status;

    if (!recursive || is_inside(from, to)) {
        errno = recursive ? EINVAL : EISDIR;
        return program_complain("cp", from);
    }
    if (strlcpy(target, to, sizeof(target)) >= sizeof(target)) {
        errno = ENAMETOOLONG;
        return program_complain("cp", to);
    }
    if (mkdir(target, DIRECTORY_PERMISSIONS) < 0 && !program_is_directory(target))
        return program_complain("cp", target);
    status = program_walk(from, copy_into, target);
    return status < 0 ? program_complain("cp", from) : status;
}

static int copy_path(const char *from, const char *to)
{
    struct stat source;

    if (stat(from, &source) < 0)
        return program_complain("cp", from);
    if (S_ISDIR(source.st_mode))
        return copy_directory(from, to);
    return copy_file(from, to, &source);
}

int main(int argc, char **argv)
{
    char target[PROGRAM_PATH_BYTES];
    const char *to = argv[argc - 1];
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "rR")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        recursive = true;
    }
    if (argc - optind < 2)
        return program_usage("cp [-r] FILE... TO");
    if (argc - optind > 2 && !program_is_directory(to)) {
        errno = ENOTDIR;
        return program_complain("cp", to);
    }
    for (int i = optind; i < argc - 1; i++) {
        if (program_target(argv[i], to, target) < 0)
            status = program_complain("cp", argv[i]);
        else
            status |= copy_path(argv[i], target);
    }
    return status;
}
