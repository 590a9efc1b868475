/* SPDX-License-Identifier: MIT */
/* opendir and its family on the getdents call. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frank/dirent.h"
#include "system_call.h"

enum { DIRECTORY_BATCH = 8 };

struct __dirstream {
    int descriptor;
    int filled; /* entries in batch */
    int used;   /* of them already given out */
    struct frank_dirent batch[DIRECTORY_BATCH];
    struct dirent current;
};

DIR *opendir(const char *path)
{
    DIR *directory;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (descriptor < 0)
        return NULL;
    directory = malloc(sizeof(*directory));
    if (!directory) {
        close(descriptor);
        errno = ENOMEM;
        return NULL;
    }
    directory->descriptor = descriptor;
    directory->filled = 0;
    directory->used = 0;
    return directory;
}

static unsigned char type_of_mode(unsigned mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return DT_DIR;
    case S_IFREG:
        return DT_REG;
    case S_IFCHR:
        return DT_CHR;
    case S_IFIFO:
        return DT_FIFO;
    default:
        return DT_UNKNOWN;
    }
}

struct dirent *readdir(DIR *directory)
{
    const struct frank_dirent *from;

    if (directory->used == directory->filled) {
        long filled = system_call(FRANK_SYS_getdents, directory->descriptor, (long)directory->batch,
                                  DIRECTORY_BATCH);
        if (system_call_result(_REENT, filled) <= 0)
            return NULL;
        directory->filled = (int)filled;
        directory->used = 0;
    }
    from = &directory->batch[directory->used++];
    directory->current.d_ino = (ino_t)from->inode;
    directory->current.d_type = type_of_mode(from->mode);
    strlcpy(directory->current.d_name, from->name, sizeof(directory->current.d_name));
    return &directory->current;
}

void rewinddir(DIR *directory)
{
    (void)lseek(directory->descriptor, 0, SEEK_SET);
    directory->filled = 0;
    directory->used = 0;
}

int dirfd(DIR *directory)
{
    return directory->descriptor;
}

int closedir(DIR *directory)
{
    int result = close(directory->descriptor);

    free(directory);
    return result;
}
