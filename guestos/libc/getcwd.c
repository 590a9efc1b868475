/* SPDX-License-Identifier: MIT */
/*
 * The working directory's path. The kernel knows no directory's name, only its parent: so each is
 * looked for in the one above it, up to the root, which is its own parent.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frank/dirent.h"

/* Put "/" and the name of inode `number` in the directory `path` before what stands at *at in the
   buffer. */
static int prepend_name(const char *path, ino_t number, char *buffer, size_t *at)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    size_t length = 0;
    int error = ENOENT;

    if (!directory)
        return errno;
    do {
        entry = readdir(directory);
    } while (entry && entry->d_ino != number);
    if (entry) {
        length = strlen(entry->d_name);
        error = *at < length + 1 ? ERANGE : 0;
    }
    if (!error) {
        *at -= length + 1;
        buffer[*at] = '/';
        memcpy(buffer + *at + 1, entry->d_name, length);
    }
    closedir(directory);
    return error;
}

char *getcwd(char *buffer, size_t size)
{
    char up[FRANK_PATH_SIZE] = ".";
    struct stat here, above;
    size_t at = size - 1;
    int error = size == 0 ? EINVAL : stat(up, &here) != 0 ? errno : 0;

    for (strcpy(up, ".."); !error; strlcat(up, "/..", sizeof(up))) {
        if (strlen(up) + sizeof("/..") > sizeof(up))
            error = ERANGE;
        else if (stat(up, &above) != 0)
            error = errno;
        else if (here.st_ino == above.st_ino && here.st_dev == above.st_dev)
            break;
        else
            error = prepend_name(up, here.st_ino, buffer, &at);
        here = above;
    }
    if (!error && at == size - 1) { /* the root, which has no name */
        error = at == 0 ? ERANGE : 0;
        if (!error)
            buffer[--at] = '/';
    }
    if (error) {
        errno = error;
        return NULL;
    }
    buffer[size - 1] = '\0';
    memmove(buffer, buffer + at, size - at);
    return buffer;
}
