/* SPDX-License-Identifier: MIT */
/* Shared memory without a file. The lock (LOCK_INODE) guards which pages are there. */
#include "kernel/fs/memory_object.h"

#include "kernel/kmalloc.h"

struct memory_object {
    struct inode inode;
    struct spinlock lock;
    u64 page_count;
    pa_t pages[]; /* each with a reference; 0: not touched yet */
};

static struct memory_object *object_of(struct inode *inode)
{
    return container_of(inode, struct memory_object, inode);
}

/* Whoever touches a page first brings it; who is second at the same moment has brought one in vain.
 */
static int get_page(struct inode *inode, u64 index, bool shared, pa_t *page)
{
    struct memory_object *object = object_of(inode);
    pa_t fresh = 0;

    (void)shared; /* always */
    if (index >= object->page_count)
        return -EINVAL;
    if (READ_ONCE(object->pages[index]) == 0)
        fresh = page_alloc_zeroed();
    SPIN_GUARD(&object->lock);
    if (object->pages[index] == 0)
        object->pages[index] = fresh;
    else if (fresh != 0)
        page_put(fresh);
    *page = object->pages[index];
    if (*page == 0)
        return -ENOMEM;
    page_get(*page);
    return 0;
}

static void release(struct inode *inode)
{
    struct memory_object *object = object_of(inode);

    for (u64 i = 0; i < object->page_count; i++)
        if (object->pages[i] != 0)
            page_put(object->pages[i]);
    kfree(object);
}

static const struct inode_ops memory_object_ops = {
    .get_page = get_page,
    .release = release,
};

struct inode *memory_object_create(u64 page_count)
{
    struct memory_object *object = kzalloc(sizeof(*object) + page_count * sizeof(pa_t));

    if (object == NULL)
        return NULL;
    inode_init(&object->inode, INODE_REGULAR, 0, &memory_object_ops, NULL);
    spin_init(&object->lock, "shared memory", LOCK_INODE);
    object->page_count = page_count;
    return &object->inode;
}
