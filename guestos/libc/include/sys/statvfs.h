/* SPDX-License-Identifier: MIT */
/* What POSIX has in <sys/statvfs.h>. There is one file system, whatever the path or descriptor. */
#ifndef FRANK_LIBC_SYS_STATVFS_H
#define FRANK_LIBC_SYS_STATVFS_H

#include <sys/types.h>

enum { ST_RDONLY = 1, ST_NOSUID = 2 };

struct statvfs {
    unsigned long f_bsize;
    unsigned long f_frsize;
    fsblkcnt_t f_blocks;
    fsblkcnt_t f_bfree;
    fsblkcnt_t f_bavail;
    fsfilcnt_t f_files;
    fsfilcnt_t f_ffree;
    fsfilcnt_t f_favail;
    unsigned long f_fsid;
    unsigned long f_flag; /* ST_RDONLY */
    unsigned long f_namemax;
};

int statvfs(const char *path, struct statvfs *result);
int fstatvfs(int descriptor, struct statvfs *result);

#endif
