/* SPDX-License-Identifier: MIT */
/* cat [FILE...]: print files, or standard input for none or "-". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4096 };

static int write_all(const char *bytes, ssize_t size)
{
    while (size > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, (size_t)size);
        if (done < 0)
            return -1;
        bytes += done;
        size -= done;
    }
    return 0;
}

static int copy(int descriptor, const char *name)
{
    static char buffer[BUFFER_BYTES];
    ssize_t size;

    while ((size = read(descriptor, buffer, sizeof(buffer))) > 0) {
        if (write_all(buffer, size) < 0) {
            fprintf(stderr, "cat: write: %s\n", strerror(errno));
            return -1;
        }
    }
    if (size < 0) {
        fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
        return -1;
    }
    return 0;
}

static int copy_named(const char *name)
{
    int descriptor;
    int result;

    if (strcmp(name, "-") == 0)
        return copy(STDIN_FILENO, name);
    descriptor = open(name, O_RDONLY);
    if (descriptor < 0) {
        fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
        return -1;
    }
    result = copy(descriptor, name);
    close(descriptor);
    return result;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2)
        return copy(STDIN_FILENO, "-") < 0;
    for (int i = 1; i < argc; i++) {
        if (copy_named(argv[i]) < 0)
            status = 1;
    }
    return status;
}
