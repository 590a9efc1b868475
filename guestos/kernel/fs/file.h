/* SPDX-License-Identifier: MIT */
/*
 * Open files and the tables in which processes hold them.
 *
 * open() makes a struct file: an inode, a way of access and an offset. dup() and fork() share it,
 * so they share the offset; `refs` counts the descriptors (and the calls under way) that use it.
 * A struct file_table belongs to one process and is shared by its threads: its spin lock guards the
 * slots, and file_table_get() takes a reference under it, so that a close() in another thread
 * cannot free a file in use.
 */
#pragma once

#include "kernel/fs/inode.h"

enum file_limits {
    FILE_TABLE_SLOTS = 64, /* descriptors a process can hold, as newlib's OPEN_MAX */
};

struct file {
    struct inode *inode; /* holds a reference */
    bool can_read;
    bool can_write;
    u32 flags; /* O_APPEND, O_NONBLOCK */
    u32 refs;  /* atomic */

    struct mutex offset_lock; /* held through a read or write of a seekable file */
    u64 offset;
};

struct file_table {
    struct spinlock lock;                 /* level LOCK_FILE_TABLE */
    struct file *files[FILE_TABLE_SLOTS]; /* meaningful below slot_count */
    unsigned slot_count;                  /* no slot at or above it is in use; only grows */
    u64 close_on_exec;                    /* one bit a descriptor */
    struct inode *working_directory;      /* holds a reference */
    u32 creation_mask; /* permissions that files and directories are made without */
};

/* An empty table whose working directory is the root. */
void file_table_init(struct file_table *table);

/* Make `to`, which need not be initialised, share all files and the directory of `from`. */
void file_table_clone(struct file_table *to, struct file_table *from);

/* Close every descriptor and let go of the working directory. May sleep. */
void file_table_close_all(struct file_table *table);

/* Close the descriptors that were opened with O_CLOEXEC: an exec has succeeded. May sleep. */
void file_table_close_on_exec(struct file_table *table);

/* The open file of a descriptor, with a new reference, or NULL. */
struct file *file_table_get(struct file_table *table, u64 descriptor);

/*
 * Put `file` into the lowest free slot not below `lowest`, taking over the caller's reference.
 * Returns the descriptor or -EMFILE, and then the reference stays the caller's.
 */
int MUST_CHECK file_table_add(struct file_table *table, struct file *file, unsigned lowest,
                              bool close_on_exec);

/*
 * Put `file` into slot `descriptor`, taking over the caller's reference, and close what was there.
 * Returns the descriptor or -EBADF, and then the reference stays the caller's. May sleep.
 */
int MUST_CHECK file_table_replace(struct file_table *table, struct file *file, u64 descriptor);

/* Say whether an open descriptor is closed by exec. */
void file_table_set_close_on_exec(struct file_table *table, u64 descriptor, bool close_on_exec);

/* Take the file out of a slot: the table's reference becomes the caller's. NULL: it was empty. */
struct file *file_table_remove(struct file_table *table, u64 descriptor);

/* The working directory, with a new reference. */
struct inode *file_table_directory(struct file_table *table);

/* Take over a reference to a new working directory; returns the old one with its reference. */
struct inode *file_table_change_directory(struct file_table *table, struct inode *directory);

/* A descriptor for a new open file on `inode` by O_ flags, taking over the caller's reference to it
   in any case. -EMFILE, -ENOMEM. */
int MUST_CHECK file_create(struct file_table *table, struct inode *inode, u32 flags);

/* One more, one fewer reference. file_put may sleep. */
struct file *file_get(struct file *file);
void file_put(struct file *file);

/* Of a local variable that has an open file or NULL: the reference goes at the block's end. */
#define FILE_REF CLEANUP(file_ref_end)

static inline void file_ref_end(struct file **file)
{
    if (*file)
        file_put(*file);
}

/* Open `path` in the table by O_ flags, as open(2) does: a descriptor or a negative errno. */
int MUST_CHECK file_open(struct file_table *table, const char *path, u32 flags, u32 permissions);
