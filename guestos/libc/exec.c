/* SPDX-License-Identifier: MIT */
/* The ways to name a program and its arguments that end in execve(). */
#include <alloca.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { PATH_BYTES = 1024, ARGUMENTS_MAX = 256 };

static const char usual_path[] = "/bin";

/* A file without a program's header is a script. */
static void execute(const char *path, char *const argv[], char *const envp[])
{
    size_t count = 0;
    char **words;

    execve(path, argv, envp);
    if (errno != ENOEXEC)
        return;
    while (argv[count])
        count++;
    words = alloca((count + 3) * sizeof(*words));
    words[0] = (char *)"sh";
    words[1] = (char *)path;
    memcpy(words + 2, argv + (count > 0), (count + (count == 0)) * sizeof(*words));
    execve("/bin/sh", words, envp);
    errno = ENOEXEC;
}

/* Try each folder of PATH. What was found and may not be executed is the error to tell. */
int execvpe(const char *file, char *const argv[], char *const envp[])
{
    const char *folder = getenv("PATH");
    int error = ENOENT;
    char path[PATH_BYTES];

    if (strchr(file, '/')) {
        execute(file, argv, envp);
        return -1;
    }
    if (!folder)
        folder = usual_path;
    for (bool more = *file != '\0'; more; folder++) {
        int length = (int)strcspn(folder, ":");
        int bytes = snprintf(path, sizeof(path), "%.*s%s%s", length, folder, length > 0 ? "/" : "",
                             file);

        if (bytes > 0 && bytes < PATH_BYTES) {
            execute(path, argv, envp);
            if (errno != ENOENT && errno != ENOTDIR)
                error = errno;
        }
        folder += length;
        more = *folder == ':';
    }
    errno = error;
    return -1;
}

int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

/* The arguments from `first` to the NULL into argv[ARGUMENTS_MAX]. False: they are too many. */
static bool collect(char **argv, const char *first, va_list list)
{
    const char *word = first;

    for (size_t i = 0; i < ARGUMENTS_MAX; i++) {
        argv[i] = (char *)word;
        if (!word)
            return true;
        word = va_arg(list, const char *);
    }
    errno = E2BIG;
    return false;
}

int execl(const char *path, const char *first, ...)
{
    char *argv[ARGUMENTS_MAX];
    va_list list;
    bool fits;

    va_start(list, first);
    fits = collect(argv, first, list);
    va_end(list);
    return fits ? execv(path, argv) : -1;
}

int execlp(const char *file, const char *first, ...)
{
    char *argv[ARGUMENTS_MAX];
    va_list list;
    bool fits;

    va_start(list, first);
    fits = collect(argv, first, list);
    va_end(list);
    return fits ? execvp(file, argv) : -1;
}
