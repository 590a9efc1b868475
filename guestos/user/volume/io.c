/* SPDX-License-Identifier: MIT */
/* By lseek, since Frank's library has no pread. */
#include "io.h"

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "frank/diskfs.h"

/* `into` or `from` is NULL. */
static int transfer(int descriptor, uint32_t block, char *into, const char *from)
{
    size_t done = 0;

    if (lseek(descriptor, (off_t)block * DISKFS_BLOCK_BYTES, SEEK_SET) < 0)
        return -1;
    while (done < DISKFS_BLOCK_BYTES) {
        size_t left = DISKFS_BLOCK_BYTES - done;
        ssize_t count = into ? read(descriptor, into + done, left)
                             : write(descriptor, from + done, left);

        if (count == 0)
            errno = EIO;
        if (count <= 0)
            return -1;
        done += (size_t)count;
    }
    return 0;
}

int io_read_block(int descriptor, uint32_t block, void *content)
{
    return transfer(descriptor, block, content, NULL);
}

int io_write_block(int descriptor, uint32_t block, const void *content)
{
    return transfer(descriptor, block, NULL, content);
}
