/* SPDX-License-Identifier: MIT */
/* Requests on their way to a disk, and those that wait; see slot_disk.h. */
#include "slot_disk.h"

#include "kernel/printk.h"
#include "printf.h"

static void submit_locked(struct slot_disk *disk, struct block_request *request)
{
    for (u32 slot = 0; slot < SLOT_DISK_SLOTS; slot++) {
        if (!disk->requests[slot]) {
            disk->requests[slot] = request;
            disk->start(disk, slot, request);
            return;
        }
    }
    list_push_back(&disk->waiting, &request->node);
}

static void submit(struct block_device *device, struct block_request *request)
{
    struct slot_disk *disk = (struct slot_disk *)device;

    if (request->operation == BLOCK_FLUSH)
        request->block = 0;
    spin_acquire(&disk->lock);
    submit_locked(disk, request);
    spin_release(&disk->lock);
}

void slot_disk_register(struct slot_disk *disk, u32 number, u64 sectors, bool read_only)
{
    snprintf(disk->device.name, sizeof(disk->device.name), "vd%c", 'a' + number);
    disk->device.block_count = (u32)min(sectors / SLOT_DISK_SECTORS_PER_BLOCK, 0xffffffffUL);
    disk->device.read_only = read_only;
    disk->device.submit = submit;
    spin_init(&disk->lock, "disk", LOCK_BLOCK);
    list_init(&disk->waiting);
    block_register(&disk->device);
}

/* The next request that the disk has done; one that waited takes its slot. NULL: there is none. */
static struct block_request *take_done(struct slot_disk *disk, int *error)
{
    struct block_request *request = NULL;
    struct list_node *waiting;
    u32 slot;

    spin_acquire(&disk->lock);
    if (disk->take(disk, &slot, error)) {
        kassert(slot < SLOT_DISK_SLOTS && disk->requests[slot] != NULL);
        request = disk->requests[slot];
        disk->requests[slot] = NULL;
        waiting = list_pop_front(&disk->waiting);
        if (waiting)
            submit_locked(disk, list_entry(waiting, struct block_request, node));
    }
    spin_release(&disk->lock);
    return request;
}

void slot_disk_serve(struct slot_disk *disk)
{
    struct block_request *request;
    int error;

    while ((request = take_done(disk, &error)) != NULL)
        request->done(request, error);
}
