/* SPDX-License-Identifier: MIT */
/* Directory streams; newlib's <dirent.h> takes them from here. */
#ifndef FRANK_LIBC_SYS_DIRENT_H
#define FRANK_LIBC_SYS_DIRENT_H

#include <limits.h>
#include <sys/types.h>

#include "frank/dirent.h"

typedef struct __dirstream DIR;

enum {
    DT_UNKNOWN = 0,
    DT_FIFO = 1,
    DT_CHR = 2,
    DT_DIR = 4,
    DT_BLK = 6,
    DT_REG = 8,
};

struct dirent {
    ino_t d_ino;
    unsigned char d_type;
    char d_name[FRANK_NAME_SIZE];
};

DIR *opendir(const char *path);
struct dirent *readdir(DIR *directory);
void rewinddir(DIR *directory);
int dirfd(DIR *directory);
int closedir(DIR *directory);

#endif
