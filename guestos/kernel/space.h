/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: a sorted list of regions that says what user addresses mean, and the platform's
 * translations, which are filled from it as pages are touched.
 *
 * A translation may be missing or weaker than its region allows, never stronger. It is writable
 * only if the page's sole reference is this mapping's; so pages are shared after a fork or with a
 * file until one side writes (copy on write).
 * The space's mutex guards all of it. Page faults take it, so no copy to or from a user may be made
 * while it is held.
 */
#pragma once

#include "frank/errno.h"
#include "kernel/lock.h"
#include "platform.h"

struct inode;

enum region_kind {
    REGION_ANONYMOUS, /* zeros until written */
    REGION_FILE,      /* a file's bytes, then zeros; unless it is shared, until written */
    REGION_STACK,     /* anonymous, and grows down to its limit when touched below its start */
};

struct region {
    struct list_node node;
    uva_t start; /* [start, end), whole pages */
    uva_t end;
    uva_t lowest; /* REGION_STACK: how far down start may move */
    enum region_kind kind;
    u32 prot;            /* enum plat_prot */
    bool is_shared;      /* REGION_FILE: writes reach the file, and all who have it mapped so */
    bool is_read_only;   /* cannot be given the right to write */
    struct inode *inode; /* REGION_FILE: holds a reference */
    u64 file_offset;     /* of `start`, whole pages */
    u64 file_bytes;      /* from `start` on; behind them are zeros */
};

enum space_layout {
    STACK_MAX_BYTES = 8 << 20,
};

struct space {
    struct mutex lock;
    struct list_node regions;
    struct plat_space platform;
    uva_t heap_start; /* the page after the program */
    uva_t heap_end;   /* the break, not aligned */
    u64 page_count;   /* mapped now */
};

/* An empty space, or NULL: out of memory. */
MUST_CHECK struct space *space_create(void);

/* Unmap and free everything. No CPU runs in it and none will again. */
void space_destroy(struct space *space);

/* A copy that shares all pages until they are written. NULL: out of memory. */
MUST_CHECK struct space *space_fork(struct space *space);

/* Run in this space from now on; NULL: in none. */
void space_switch(struct space *space);

/*
 * Add a region, which takes its own reference to the inode. 0, -ENOMEM, or
 * -EINVAL if it lies outside the user's addresses or overlaps another.
 */
MUST_CHECK int space_add_region(struct space *space, const struct region *region);

/* Map a page of the kernel's at an address of an anonymous region, taking over its reference. */
MUST_CHECK int space_map_page(struct space *space, uva_t address, pa_t page);

/* Map what pages of a read-only file region are in memory, so that they need not fault. */
MUST_CHECK int space_map_file(struct space *space, uva_t address);

/* Make an access possible: `access` is one PLAT_PROT_ bit. -EFAULT: nothing is there; -EACCES: it
   is not allowed; -ENOMEM; any other: the file's page cannot be had. Thread context, interrupts on.
 */
MUST_CHECK int space_fault(struct space *space, uva_t address, u32 access);

/* Move the break. Returns the new one, or -ENOMEM and it stays; 0 asks only. */
MUST_CHECK long space_set_break(struct space *space, uva_t address);

/* The region that holds the address, or else the first one above it, or NULL. The lock is held. */
struct region *space_find_region(struct space *space, uva_t address);

/* Take a range of whole pages away. The lock is held. 0 or -ENOMEM: a region could not be split. */
MUST_CHECK int space_remove_locked(struct space *space, uva_t start, uva_t end);

/* Where `bytes` (whole pages) are free, as high as can be; 0: nowhere. The lock is held. */
uva_t space_find_gap_locked(struct space *space, u64 bytes);

/* The pages of shared files in a range have been written to; `sync`: bring them to the disk.
   -ENOMEM: not all of it is mapped. */
MUST_CHECK int space_write_back(struct space *space, uva_t address, u64 bytes, bool sync);

/* Change what is allowed in whole pages. 0, -EINVAL, -EACCES (a file that was not opened for it),
   -ENOMEM (also: not all of it is mapped). */
MUST_CHECK int space_protect(struct space *space, uva_t address, u64 bytes, u32 prot);
