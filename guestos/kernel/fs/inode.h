/* SPDX-License-Identifier: MIT */
/*
 * Inodes: everything that can be opened, behind one interface.
 *
 * An inode's life, told once
 * --------------------------
 * A file system makes an inode with inode_init(): it begins with one reference, which belongs to
 * its maker. Whoever keeps a pointer to an inode holds a reference of its own:
 *   - an open file (struct file), a process's working directory, a mapping;
 *   - a system call between its path_lookup() and its inode_put().
 * inode_get() may be called only by someone who holds a reference already, or who holds the lock
 * that keeps one alive (the directory's lock, for a name). inode_put() gives one back; the last
 * one calls ops->release, which frees what the inode owns. So a file that is unlinked while it is
 * open loses its name's reference, keeps its content as long as somebody reads it, and is freed
 * when the last descriptor is closed; nobody has to look whether `links` is zero.
 * `links` is only what stat reports: the number of names.
 *
 * Locks
 * -----
 * `lock` is a sleeping mutex. It guards a directory's entries, and serialises what changes a
 * regular file. Operations are called with no lock held and take what they need. Order:
 * a file's offset lock (file.h), then a file system's rename_lock, then inodes' locks, then spin
 * locks. `refs`,
 * `links` are atomic; `ops`, `directory`, `type`, `number`, `device`,
 * `is_read_only` never change. Copies to and
 * from users may fault pages in, and a page fault calls ops->get_page: so get_page must never wait
 * for `lock`.
 *
 * Adding a file system means filling in these operations; an operation left NULL is refused with
 * the error named beside it. Devices and pipes are inodes whose read and write ignore the offset.
 */
#pragma once

#include "frank/dirent.h"
#include "frank/errno.h"
#include "frank/mode.h"
#include "kernel/lock.h"
#include "kernel/page.h"

/* As in the mode that stat reports. */
enum inode_type {
    INODE_REGULAR = S_IFREG,
    INODE_DIRECTORY = S_IFDIR,
    INODE_DEVICE = S_IFCHR,
    INODE_PIPE = S_IFIFO,
};

/* As a write's offset: at the end of the file, wherever that is by then. */
#define INODE_OFFSET_END (~(u64)0)

/* As the offset of what has no places, a pipe or a device: -EAGAIN in place of waiting. */
#define INODE_OFFSET_NO_WAIT (~(u64)0 - 1)

struct inode;

/* All return 0 (or a count of bytes) or a negative errno. */
struct inode_ops {
    /*
     * Read at *offset to a user's address, or write from there, at most `size` bytes; *offset is
     * moved past what was done. Returns the bytes moved: fewer than asked for means end of file, or
     * that no more can be had now, or an error after a part. A bad address is -EFAULT. NULL: no
     * open file reads (but a directory: -EISDIR), or writes.
     */
    ssize_t (*read)(struct inode *inode, uva_t to, size_t size, u64 *offset);
    ssize_t (*write)(struct inode *inode, uva_t from, size_t size, u64 *offset);
    /*
     * The page that holds file bytes [index * PAGE_SIZE, ...), zeros past the end, with a
     * reference that the caller gives back by page_put(). Called from page faults. The caller must
     * not write to it, unless it is for a mapping that all share who have the file: then a hole is
     * filled (-ENOSPC), and page_written says later that it did (NULL: of no interest). -EINVAL
     * past the last page; NULL: it cannot be mapped.
     */
    int (*get_page)(struct inode *inode, u64 index, bool shared, pa_t *page);
    int (*page_written)(struct inode *inode, u64 index);
    /* Cut or grow (with zeros) to `size` bytes. NULL: -EINVAL. */
    int (*truncate)(struct inode *inode, u64 size);
    /* A device's own requests (frank/tty.h). NULL: -ENOTTY. */
    int (*control)(struct inode *inode, u64 request, u64 argument);
    /* What poll would report of it now (enum frank_poll_event); who makes it say more calls
       poll_changed(). Spin locks up to LOCK_TTY may be taken. NULL: always FRANK_POLL_IN and OUT.
     */
    u32 (*ready)(struct inode *inode);
    /* What was done to it survives the machine when this returns 0. NULL: nothing would. */
    int (*sync)(struct inode *inode);
    /* The last reference is gone: free everything, the inode too. NULL: the inode is permanent. */
    void (*release)(struct inode *inode);
};

/* What a directory can do besides. `name` is one component: no slash, not empty, not . or .. */
struct directory_ops {
    /* `name` may be ".." here. Gives a new reference. -ENOENT. */
    int (*lookup)(struct inode *directory, const char *name, struct inode **inode);
    /* A new empty file or directory with a new reference. -EEXIST, -ENOSPC, -ENOENT (removed).
       NULL: nothing can be changed in this directory (-EPERM), and the next three are NULL too. */
    int (*create)(struct inode *directory, const char *name, enum inode_type type, u32 permissions,
                  struct inode **inode);
    /* One more name for `inode`, which is no directory. -EEXIST, -ENOSPC, -EXDEV. */
    int (*link)(struct inode *directory, const char *name, struct inode *inode);
    /*
     * The inode that has a name gets another one in its place, in this directory or another of the
     * same file system; what had that one loses it. One step: nobody finds neither or both. As
     * unlink; -EINVAL (a directory into itself), -EXDEV.
     */
    int (*rename)(struct inode *from, const char *name, struct inode *to, const char *new_name);
    /* Take a name away: a directory's (-ENOTDIR, -ENOTEMPTY) or another's (-EISDIR). */
    int (*unlink)(struct inode *directory, const char *name, bool is_directory);
    /*
     * The first entry at or after *cursor (0 at the start), and the cursor of what follows it.
     * 0 at the end, 1 if `entry` was filled. A cursor stays good while names come and go.
     */
    int (*read_entry)(struct inode *directory, u64 *cursor, struct frank_dirent *entry);
};

struct inode {
    const struct inode_ops *ops;
    const struct directory_ops *directory; /* NULL unless the type is INODE_DIRECTORY */
    enum inode_type type;
    u32 permissions;   /* the low nine bits of the mode */
    u64 number;        /* unique while the machine runs */
    u32 device;        /* st_rdev of a device, else 0 */
    bool is_read_only; /* a file of a file system that is only read */

    u32 refs;  /* atomic */
    u32 links; /* atomic */

    struct mutex lock;
    u64 size;        /* bytes; written under lock */
    i64 modified_ns; /* when it was last changed, since 1970; written under lock */
};

/* Set up a new inode with one reference, no names, size 0 and a fresh number. */
void inode_init(struct inode *inode, enum inode_type type, u32 permissions,
                const struct inode_ops *ops, const struct directory_ops *directory);

/* One more reference; returns the inode. The caller must hold one already (see above). */
struct inode *inode_get(struct inode *inode);

/* Give back a reference. May free the inode, and may sleep. NULL is allowed. */
void inode_put(struct inode *inode);

/* Of a local variable that has an inode or NULL: the reference goes at the block's end. */
#define INODE_REF CLEANUP(inode_ref_end)

static inline void inode_ref_end(struct inode **inode)
{
    inode_put(*inode);
}
