/* SPDX-License-Identifier: MIT */
/* The sparse array of pages behind a RAM file; see page_tree.h for who may call what. */
#include "kernel/fs/page_tree.h"

#include "frank/errno.h"

void page_tree_init(struct page_tree *tree)
{
    spin_init(&tree->lock, "page tree", LOCK_INODE);
    for (unsigned i = 0; i < PAGE_TREE_DIRECT; i++)
        tree->direct[i] = 0;
    tree->top = 0;
}

static pa_t *node_slots(pa_t node)
{
    return pa_to_kva(node);
}

/* The slot that names page `index`, or NULL where its node is missing. */
static pa_t *find_slot(struct page_tree *tree, u64 index)
{
    pa_t leaf;

    if (index < PAGE_TREE_DIRECT)
        return &tree->direct[index];
    if (index >= PAGE_TREE_MAX_PAGES || !tree->top)
        return NULL;
    index -= PAGE_TREE_DIRECT;
    leaf = node_slots(tree->top)[index / PAGE_TREE_NODE_SLOTS];
    return leaf ? &node_slots(leaf)[index % PAGE_TREE_NODE_SLOTS] : NULL;
}

pa_t page_tree_get(struct page_tree *tree, u64 index)
{
    pa_t *slot;
    pa_t page = 0;

    spin_acquire(&tree->lock);
    slot = find_slot(tree, index);
    if (slot && *slot) {
        page = *slot;
        page_get(page);
    }
    spin_release(&tree->lock);
    return page;
}

/* Store `value` under the lock, where readers look. */
static void publish(struct page_tree *tree, pa_t *slot, pa_t value)
{
    spin_acquire(&tree->lock);
    *slot = value;
    spin_release(&tree->lock);
}

/* Make sure that a node hangs in `slot`. */
static int ensure_node(struct page_tree *tree, pa_t *slot)
{
    pa_t node;

    if (*slot)
        return 0;
    node = page_alloc_zeroed();
    if (!node)
        return -ENOSPC;
    publish(tree, slot, node);
    return 0;
}

int page_tree_insert(struct page_tree *tree, u64 index, pa_t page)
{
    if (index >= PAGE_TREE_MAX_PAGES)
        return -EFBIG;
    if (index >= PAGE_TREE_DIRECT) {
        u64 leaf_index = (index - PAGE_TREE_DIRECT) / PAGE_TREE_NODE_SLOTS;
        int error = ensure_node(tree, &tree->top);
        if (!error)
            error = ensure_node(tree, &node_slots(tree->top)[leaf_index]);
        if (error)
            return error;
    }
    publish(tree, find_slot(tree, index), page);
    return 0;
}

static void cut_slot(struct page_tree *tree, pa_t *slot)
{
    pa_t page = *slot;

    if (!page)
        return;
    publish(tree, slot, 0);
    page_put(page);
}

void page_tree_cut(struct page_tree *tree, u64 first_index)
{
    u64 first_in_nodes = first_index > PAGE_TREE_DIRECT ? first_index - PAGE_TREE_DIRECT : 0;

    for (u64 i = first_index; i < PAGE_TREE_DIRECT; i++)
        cut_slot(tree, &tree->direct[i]);
    if (!tree->top)
        return;

    for (u64 i = first_in_nodes / PAGE_TREE_NODE_SLOTS; i < PAGE_TREE_NODE_SLOTS; i++) {
        pa_t *leaf = &node_slots(tree->top)[i];
        u64 leaf_start = i * PAGE_TREE_NODE_SLOTS;
        u64 from = first_in_nodes > leaf_start ? first_in_nodes - leaf_start : 0;

        if (!*leaf)
            continue;
        for (u64 j = from; j < PAGE_TREE_NODE_SLOTS; j++)
            cut_slot(tree, &node_slots(*leaf)[j]);
        if (from == 0)
            cut_slot(tree, leaf);
    }
    if (first_in_nodes == 0)
        cut_slot(tree, &tree->top);
}
