/* SPDX-License-Identifier: MIT */
/*
 * A poller counts itself in before it looks, and who changes a file looks at that count after the
 * change: so either the poller sees the change or it is woken.
 */
#include "kernel/fs/poll.h"

#include "kernel/kmalloc.h"
#include "kernel/syscall.h"
#include "kernel/wait.h"

struct polled {
    struct frank_pollfd fd;
    struct file *file; /* NULL: nothing to look at */
};

static struct spinlock lock = SPINLOCK_INITIALIZER("poll", LOCK_MUTEX);
static struct wait_queue pollers = {{&pollers.sleepers, &pollers.sleepers}};
static u32 poller_count; /* atomic */
static u64 change_count; /* written under the lock */

void poll_changed(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (READ_ONCE(poller_count) == 0)
        return;
    SPIN_GUARD(&lock);
    change_count++;
    wake_all(&pollers);
}

static u32 inode_ready(struct inode *inode)
{
    return inode->ops->ready ? inode->ops->ready(inode) : FRANK_POLL_IN | FRANK_POLL_OUT;
}

/* How many have something to tell. */
static long look(struct polled *all, u64 count)
{
    long found = 0;

    for (u64 i = 0; i < count; i++) {
        struct frank_pollfd *fd = &all[i].fd;
        u32 wanted = (u32)fd->events | FRANK_POLL_ERROR | FRANK_POLL_HANGUP;

        if (all[i].file != NULL)
            fd->results = (i16)(inode_ready(all[i].file->inode) & wanted);
        found += fd->results != 0;
    }
    return found;
}

/* Look until there is something, or the time is over, or a signal comes. */
static long wait_for(struct polled *all, u64 count, u64 deadline_ticks)
{
    long found;
    int error = 0;

    __atomic_fetch_add(&poller_count, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        u64 seen = __atomic_load_n(&change_count, __ATOMIC_SEQ_CST);

        found = look(all, count);
        if (found != 0 || error != 0)
            break;
        spin_acquire(&lock);
        if (change_count == seen)
            error = wait_on_until(&pollers, &lock, deadline_ticks);
        spin_release(&lock);
    }
    __atomic_fetch_sub(&poller_count, 1, __ATOMIC_SEQ_CST);
    thread_current()->restarts_call = false;
    return found == 0 && error == -EINTR ? -EINTR : found;
}

/* The files, with a reference each. */
static int take_files(struct polled *all, u64 address, u64 count)
{
    for (u64 i = 0; i < count; i++, address += sizeof(all->fd)) {
        struct frank_pollfd *fd = &all[i].fd;

        if (copy_from_user(fd, address, sizeof(*fd)) != 0)
            return -EFAULT;
        fd->results = 0;
        if (fd->descriptor < 0)
            continue;
        all[i].file = file_table_get(process_files(), (u64)fd->descriptor);
        if (all[i].file == NULL)
            fd->results = FRANK_POLL_INVALID;
    }
    return 0;
}

long sys_poll(u64 address, u64 count, u64 limit_ns)
{
    struct polled *all;
    long result;

    if (count > FILE_TABLE_SLOTS)
        return -EINVAL;
    all = kzalloc((count + 1) * sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    result = take_files(all, address, count);
    if (result == 0)
        result = wait_for(all, count, timer_deadline(limit_ns));
    for (u64 i = 0; i < count; i++) {
        file_ref_end(&all[i].file);
        if (result >= 0 &&
            copy_to_user(address + i * sizeof(all->fd), &all[i].fd, sizeof(all->fd)) != 0)
            result = -EFAULT;
    }
    kfree(all);
    return result;
}
