/* SPDX-License-Identifier: MIT */
/*
 * The pages of a RAM file: a sparse array from page index to page.
 *
 * The first few pages are named in the structure itself, the others by two levels of node pages,
 * so that a hole costs nothing. The tree's spin lock guards the pointers: readers and page faults
 * hold nothing else. Whoever changes the tree (insert, cut) is serialised by its owner besides
 * (the inode's lock), so a node seen by the changer stays.
 */
#ifndef FRANK_KERNEL_FS_PAGE_TREE_H
#define FRANK_KERNEL_FS_PAGE_TREE_H

#include "kernel/lock.h"
#include "kernel/page.h"
#include "types.h"

enum page_tree_shape {
    PAGE_TREE_DIRECT = 8,
    PAGE_TREE_NODE_SLOTS = PAGE_SIZE / sizeof(u64),
    PAGE_TREE_MAX_PAGES = PAGE_TREE_DIRECT + PAGE_TREE_NODE_SLOTS * PAGE_TREE_NODE_SLOTS,
};

struct page_tree {
    struct spinlock lock; /* level LOCK_INODE */
    pa_t direct[PAGE_TREE_DIRECT];
    pa_t top; /* a page of leaf nodes, each a page of page addresses; 0 where absent */
};

void page_tree_init(struct page_tree *tree);

/* The page at `index` with a new reference, or 0 for a hole. */
pa_t page_tree_get(struct page_tree *tree, u64 index);

/*
 * Put `page` into the hole at `index`, taking over the caller's reference. -ENOSPC (no memory for
 * a node) or -EFBIG, and then the reference stays the caller's. Changers only.
 */
int MUST_CHECK page_tree_insert(struct page_tree *tree, u64 index, pa_t page);

/* Let go of every page from `first_index` on, and of nodes that are empty then. Changers only. */
void page_tree_cut(struct page_tree *tree, u64 first_index);

#endif
