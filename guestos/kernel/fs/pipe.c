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

#include "frank/errno.h"
#include "kernel/kmalloc.h"
#include "kernel/process.h"
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

/* The ring's bytes at a position, and how many follow it before the ring wraps, at most `limit`. */
static u8 *ring_piece(struct pipe *pipe, u64 position, size_t limit, size_t *size)
{
    u64 at = position % PIPE_BUFFER_BYTES;

    *size = min(limit, (size_t)(PIPE_BUFFER_BYTES - at));
    return (u8 *)pa_to_kva(pipe->ring) + at;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* Wait until there are bytes and the head is ours: how many bytes, 0 at the end, or -EINTR. */
static ssize_t begin_read(struct pipe *pipe)
{
    ssize_t result;

    spin_acquire(&pipe->lock);
    for (;;) {
        result = (ssize_t)(pipe->tail - pipe->head);
        if (!pipe->reading && (result > 0 || !pipe->has_writer))
            break;
        result = wait_on(&pipe->readers, &pipe->lock);
        if (result < 0)
            break;
    }
    if (result > 0)
        pipe->reading = true;
    spin_release(&pipe->lock);
    return result;
}

static void end_read(struct pipe *pipe, size_t taken)
{
    spin_acquire(&pipe->lock);
    pipe->reading = false;
    pipe->head += taken;
    wake_all(&pipe->writers); /* as in end_write */
    if (pipe->tail != pipe->head)
        wake_one(&pipe->readers);
    spin_release(&pipe->lock);
}

static ssize_t pipe_read(struct inode *inode, struct uio *uio, u64 *offset)
{
    struct pipe *pipe = container_of(inode, struct pipe, read_end);
    ssize_t available;
    size_t taken = 0;
    int error = 0;

    (void)offset;
    if (uio->left_bytes == 0)
        return 0;
    available = begin_read(pipe);
    if (available <= 0)
        return available;
    while (taken < (size_t)available && uio->left_bytes > 0) {
        size_t piece;
        size_t limit = min(uio->left_bytes, (size_t)available - taken);
        u8 *bytes = ring_piece(pipe, pipe->head + taken, limit, &piece);

        error = uio_put(uio, bytes, piece);
        if (error)
            break;
        taken += piece;
    }
    end_read(pipe, taken);
    return taken ? (ssize_t)taken : error;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static size_t room(const struct pipe *pipe)
{
    return PIPE_BUFFER_BYTES - (size_t)(pipe->tail - pipe->head);
}

/* Wait until the tail is ours and there is room for `needed` bytes: how many there are. */
static ssize_t begin_write(struct pipe *pipe, size_t needed)
{
    ssize_t result;

    spin_acquire(&pipe->lock);
    for (;;) {
        result = -EPIPE;
        if (!pipe->has_reader)
            break;
        result = (ssize_t)room(pipe);
        if (!pipe->writing && (size_t)result >= needed)
            break;
        result = wait_on(&pipe->writers, &pipe->lock);
        if (result < 0)
            break;
    }
    if (result > 0)
        pipe->writing = true;
    spin_release(&pipe->lock);
    return result;
}

static void end_write(struct pipe *pipe, size_t added)
{
    spin_acquire(&pipe->lock);
    pipe->writing = false;
    pipe->tail += added;
    wake_one(&pipe->readers);
    /* Writers wait for different amounts of room, so each must look for itself. */
    wake_all(&pipe->writers);
    spin_release(&pipe->lock);
}

/* One stretch of a write: what fits the ring now. A fault takes back the whole stretch. */
static ssize_t write_stretch(struct pipe *pipe, struct uio *uio)
{
    size_t needed = uio->left_bytes <= PIPE_ATOMIC_BYTES ? uio->left_bytes : 1;
    ssize_t space = begin_write(pipe, needed);
    size_t added = 0;
    int error = 0;

    if (space < 0)
        return space;
    while (added < (size_t)space && uio->left_bytes > 0) {
        size_t piece;
        size_t limit = min(uio->left_bytes, (size_t)space - added);
        u8 *bytes = ring_piece(pipe, pipe->tail + added, limit, &piece);

        error = uio_take(uio, bytes, piece);
        if (error)
            break;
        added += piece;
    }
    end_write(pipe, error ? 0 : added);
    return error ? error : (ssize_t)added;
}

static void signal_broken_pipe(void)
{
    spin_acquire(&process_lock);
    process_signal_locked(process_current(),
                          &(struct frank_siginfo){.signal = SIGPIPE, .code = FRANK_SI_KERNEL});
    spin_release(&process_lock);
}

static ssize_t pipe_write(struct inode *inode, struct uio *uio, u64 *offset)
{
    struct pipe *pipe = container_of(inode, struct pipe, write_end);
    ssize_t done = 0;

    (void)offset;
    while (uio->left_bytes > 0) {
        ssize_t added = write_stretch(pipe, uio);
        if (added < 0) {
            if (added == -EPIPE)
                signal_broken_pipe();
            return done ? done : added;
        }
        done += added;
    }
    return done;
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

static const struct inode_ops pipe_read_end_ops = {
    .read = pipe_read,
    .release = pipe_release_reader,
};

static const struct inode_ops pipe_write_end_ops = {
    .write = pipe_write,
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
