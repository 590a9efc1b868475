/* SPDX-License-Identifier: MIT */
/*
 * The root's file system: how it is set up while the kernel starts, and what is asked of it as a
 * whole.
 *
 * The flusher is a thread of the kernel's. It sleeps until something has changed, then so long that
 * what belongs together is written once, and then brings all of it to the disk. While nothing
 * changes it does not wake.
 */
#include "kernel/fs/fs.h"

#include "kernel/block/buffer.h"
#include "kernel/diskfs/diskfs.h"
#include "kernel/fs/device.h"
#include "kernel/fs/path.h"
#include "kernel/syscall.h"

#define FLUSH_DELAY_NS 5000000000UL

static struct diskfs *fs; /* the root's */

static void flush(void *unused)
{
    (void)unused;
    for (;;) {
        buffer_wait_for_change(diskfs_cache(fs));
        (void)!thread_sleep_until(timer_deadline(FLUSH_DELAY_NS));
        (void)!diskfs_sync(fs); /* what fails is found by the next who asks for it */
    }
}

int fs_init(const char *name)
{
    struct block_device *device = block_find(name);
    struct inode *root, *covered INODE_REF = NULL, *devices = device_directory();
    struct thread *flusher;
    int error = device ? diskfs_mount(device, &fs, &root) : -ENOENT;

    if (!error)
        error = root->directory->lookup(root, "dev", &covered);
    if (error)
        return error;
    devices->number = covered->number; /* as the root lists it */
    path_set_root(root, devices);
    if (block_is_memory(device) || device->read_only)
        return 0;
    flusher = thread_create(flush, NULL);
    if (!flusher)
        return -ENOMEM;
    thread_start(flusher);
    return 0;
}

/* Everything that was done survives the machine when this returns 0. */
long sys_sync(void)
{
    return diskfs_sync(fs);
}

long sys_statvfs(u64 address)
{
    struct frank_statvfs report = diskfs_usage(fs);

    return copy_to_user(address, &report, sizeof(report));
}
