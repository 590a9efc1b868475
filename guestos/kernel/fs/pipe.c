/* SPDX-License-Identifier: MIT */
/*
 * Pipes.
 *
 * The two ends are inodes inside one struct pipe. An end's release is called when its last
 * descriptor has been closed, so "no reader" and "no writer" need no counting here; the second
 * release frees the pipe.
 *
 * The ring is one page; `head` and `tail` count bytes from the beginning of time, tail - head is
 * what is in it. Copies to and from users may fault and sleep, so they are made without the spin
 * lock: `reading` (`writing`) gives one reader (writer) the head (tail) for that long, and the
 * bytes between the old and the new position are its alone. A writer keeps `writing` until all of
 * a write of at most PIPE_ATOMIC_BYTES is in, which is what makes it atomic.
 *
 * POSIX, read, write: end of file when no writer is left, SIGPIPE and EPIPE when no reader is.
 */
#include "kernel/fs/pipe.h"

#include "kernel/fs/poll.h"
#include "kernel/kmalloc.h"
#include "kernel/process.h"
#include "kernel/uaccess.h"
#include "kernel/wait.h"

struct pipe {
    struct inode read_end;
    struct inode write_end;
    pa_t ring;

    struct spinlock lock; /* level LOCK_PIPE */
    /* Under lock: */
    u64 head; /* bytes read so far */
    u64 tail; /* bytes written so far */
    bool reading;
    bool writing;
    bool has_reader;
    bool has_writer;
    struct wait_queue readers; /* for bytes, for the end of them, or for `reading` */
    struct wait_queue writers; /* for room, for the reader's end, or for `writing` */
};

/* Move bytes between the ring, from a position on, and the user. All or, with -EFAULT, none. */
static int move(struct pipe *pipe, u64 position, uva_t user, size_t size, bool writes)
{
    while (size > 0) {
        u64 at = position % PIPE_BUFFER_BYTES;
        u8 *bytes = (u8 *)pa_to_kva(pipe->ring) + at;
        size_t piece = min(size, (size_t)(PIPE_BUFFER_BYTES - at));
        int error = writes ? copy_from_user(bytes, user, piece) : copy_to_user(user, bytes, piece);

        if (error)
            return error;
        position += piece;
        user += piece;
        size -= piece;
    }
    return 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* Wait, if that is allowed, until there are bytes and the head is ours: how many bytes, 0 at the
   end, -EINTR or -EAGAIN. */
static ssize_t begin_read(struct pipe *pipe, bool may_wait)
{
    SPIN_GUARD(&pipe->lock);
    for (;;) {
        ssize_t available = (ssize_t)(pipe->tail - pipe->head);
        int error;

        if (!pipe->reading && (available > 0 || !pipe->has_writer)) {
            pipe->reading = available > 0;
            return available;
        }
        error = may_wait ? wait_on(&pipe->readers, &pipe->lock) : -EAGAIN;
        if (error)
            return error;
    }
}

static void end_read(struct pipe *pipe, size_t taken)
{
    SPIN_GUARD(&pipe->lock);
    pipe->reading = false;
    pipe->head += taken;
    wake_all(&pipe->writers); /* as in end_write */
    if (pipe->tail != pipe->head)
        wake_one(&pipe->readers);
    poll_changed();
}

static ssize_t pipe_read(struct inode *inode, uva_t to, size_t size, u64 *offset)
{
    struct pipe *pipe = container_of(inode, struct pipe, read_end);
    ssize_t taken = size > 0 ? begin_read(pipe, *offset != INODE_OFFSET_NO_WAIT) : 0;
    int error;

    if (taken <= 0)
        return taken;
    taken = min(taken, (ssize_t)min(size, (size_t)PIPE_BUFFER_BYTES));
    error = move(pipe, pipe->head, to, (size_t)taken, false);
    end_read(pipe, error ? 0 : (size_t)taken);
    return error ? error : taken;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static size_t room(const struct pipe *pipe)
{
    return PIPE_BUFFER_BYTES - (size_t)(pipe->tail - pipe->head);
}

/* Wait until the tail is ours and there is room for `needed` bytes: how many there are. */
static ssize_t begin_write(struct pipe *pipe, size_t needed, bool may_wait)
{
    SPIN_GUARD(&pipe->lock);
    for (;;) {
        int error;

        if (!pipe->has_reader)
            return -EPIPE;
        if (!pipe->writing && room(pipe) >= needed) {
            pipe->writing = true;
            return (ssize_t)room(pipe);
        }
        error = may_wait ? wait_on(&pipe->writers, &pipe->lock) : -EAGAIN;
        if (error)
            return error;
    }
}

static void end_write(struct pipe *pipe, size_t added)
{
    SPIN_GUARD(&pipe->lock);
    pipe->writing = false;
    pipe->tail += added;
    wake_one(&pipe->readers);
    /* Writers wait for different amounts of room, so each must look for itself. */
    wake_all(&pipe->writers);
    poll_changed();
}

/* One stretch of a write: what fits the ring now. A fault takes back the whole stretch. */
static ssize_t write_stretch(struct pipe *pipe, uva_t from, size_t left, bool may_wait)
{
    ssize_t space = begin_write(pipe, left <= PIPE_ATOMIC_BYTES ? left : 1, may_wait);
    size_t size;
    int error;

    if (space < 0)
        return space;
    size = min(left, (size_t)space);
    error = move(pipe, pipe->tail, from, size, true);
    end_write(pipe, error ? 0 : size);
    return error ? error : (ssize_t)size;
}

static void signal_broken_pipe(void)
{
    SPIN_GUARD(&process_lock);
    process_signal_locked(process_current(),
                          &(struct frank_siginfo){.signal = SIGPIPE, .code = FRANK_SI_KERNEL});
}

static ssize_t pipe_write(struct inode *inode, uva_t from, size_t size, u64 *offset)
{
    struct pipe *pipe = container_of(inode, struct pipe, write_end);
    bool may_wait = *offset != INODE_OFFSET_NO_WAIT;
    size_t done = 0;

    while (done < size) {
        ssize_t added = write_stretch(pipe, from + done, size - done, may_wait);

        if (added == -EPIPE)
            signal_broken_pipe();
        if (added < 0)
            return done ? (ssize_t)done : added;
        done += (size_t)added;
    }
    return (ssize_t)done;
}

/* ---- making and ending -------------------------------------------------------------------------
 */

/* An end is gone: wake who waits at the other. The second one takes the pipe with it. */
static void release_end(struct pipe *pipe, bool *has_end)
{
    bool last;

    spin_acquire(&pipe->lock);
    *has_end = false;
    last = !pipe->has_reader && !pipe->has_writer;
    wake_all(&pipe->readers);
    wake_all(&pipe->writers);
    poll_changed();
    spin_release(&pipe->lock);
    if (last) {
        page_put(pipe->ring);
        kfree(pipe);
    }
}

static void pipe_release_reader(struct inode *inode)
{
    struct pipe *pipe = container_of(inode, struct pipe, read_end);

    release_end(pipe, &pipe->has_reader);
}

static void pipe_release_writer(struct inode *inode)
{
    struct pipe *pipe = container_of(inode, struct pipe, write_end);

    release_end(pipe, &pipe->has_writer);
}

/* ---- poll --------------------------------------------------------------------------------------
 */

static u32 read_end_ready(struct inode *inode)
{
    struct pipe *pipe = container_of(inode, struct pipe, read_end);

    SPIN_GUARD(&pipe->lock);
    return (pipe->tail != pipe->head ? FRANK_POLL_IN : 0) |
           (pipe->has_writer ? 0 : FRANK_POLL_HANGUP);
}

/* Ready is one who finds room for a write that is not to be cut in two. */
static u32 write_end_ready(struct inode *inode)
{
    struct pipe *pipe = container_of(inode, struct pipe, write_end);

    SPIN_GUARD(&pipe->lock);
    return (room(pipe) >= PIPE_ATOMIC_BYTES ? FRANK_POLL_OUT : 0) |
           (pipe->has_reader ? 0 : FRANK_POLL_ERROR);
}

static const struct inode_ops pipe_read_end_ops = {
    .read = pipe_read,
    .ready = read_end_ready,
    .release = pipe_release_reader,
};

static const struct inode_ops pipe_write_end_ops = {
    .write = pipe_write,
    .ready = write_end_ready,
    .release = pipe_release_writer,
};

int pipe_create(struct inode **reader, struct inode **writer)
{
    struct pipe *pipe = kzalloc(sizeof(*pipe));

    if (!pipe)
        return -ENOMEM;
    pipe->ring = page_alloc();
    if (!pipe->ring) {
        kfree(pipe);
        return -ENOMEM;
    }
    inode_init(&pipe->read_end, INODE_PIPE, 0600, &pipe_read_end_ops, NULL);
    inode_init(&pipe->write_end, INODE_PIPE, 0600, &pipe_write_end_ops, NULL);
    spin_init(&pipe->lock, "pipe", LOCK_PIPE);
    wait_queue_init(&pipe->readers);
    wait_queue_init(&pipe->writers);
    pipe->has_reader = true;
    pipe->has_writer = true;
    *reader = &pipe->read_end;
    *writer = &pipe->write_end;
    return 0;
}
