/* SPDX-License-Identifier: MIT */
/* statvfs and fstatvfs on the kernel's call, which knows one file system. */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "frank/dirent.h"
#include "frank/statvfs.h"
#include "system_call.h"

static int report(struct statvfs *result)
{
    struct frank_statvfs from;

    if (system_call_result(_REENT, system_call(FRANK_SYS_statvfs, (long)&from, 0, 0)) < 0)
        return -1;
    *result = (struct statvfs){
        .f_bsize = from.block_bytes,
        .f_frsize = from.block_bytes,
        .f_blocks = from.block_count,
        .f_bfree = from.free_blocks,
        .f_bavail = from.free_blocks,
        .f_files = from.inode_count,
        .f_ffree = from.free_inodes,
        .f_favail = from.free_inodes,
        .f_flag = from.read_only ? ST_RDONLY : 0,
        .f_namemax = FRANK_NAME_SIZE - 1,
    };
    return 0;
}

int statvfs(const char *path, struct statvfs *result)
{
    struct stat ignored;

    return stat(path, &ignored) == 0 ? report(result) : -1;
}

int fstatvfs(int descriptor, struct statvfs *result)
{
    struct stat ignored;

    return fstat(descriptor, &ignored) == 0 ? report(result) : -1;
}
