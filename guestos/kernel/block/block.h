/* SPDX-License-Identifier: MIT */
/*
 * Disks, behind one interface: blocks of 4 KiB, read, written and flushed by requests of which many
 * may be on their way at once, in no order among themselves. What a write has written survives the
 * machine only once a flush that was submitted after it was done is done too.
 */
#pragma once

#include "frank/errno.h"
#include "kernel/addr.h"
#include "list.h"

enum block_operation {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,
};

struct block_request {
    enum block_operation operation;
    u32 block;
    pa_t page; /* 4 KiB, the caller's; nobody writes to it while it is being written to the disk */
    /* In any context, once: 0 or -EIO. The request is the submitter's again. */
    void (*done)(struct block_request *request, int error);
    struct list_node node; /* the driver's until then */
};

struct block_device {
    char name[16]; /* "vda" */
    u32 block_count;
    bool read_only;
    /* Start a request, or queue it: it will be done. `block` is below block_count. Thread context,
       no lock held. */
    void (*submit)(struct block_device *device, struct block_request *request);
    /* A disk that is memory itself, with nothing to outlive: the page that is a block, with a
       reference (zeros, where there was none; 0: out of memory). NULL: a real disk. */
    pa_t (*page)(struct block_device *device, u32 block);
    /* A block's content means nothing any more. NULL: of no use. Any context without a spin lock.
     */
    void (*discard)(struct block_device *device, u32 block);
    struct block_device *next; /* of those registered */
};

/* Whether a disk is memory itself, so that nothing need ever be written. */
static inline bool block_is_memory(const struct block_device *device)
{
    return device->page != NULL;
}

/* A device that the platform has found; it stays for good. */
void block_register(struct block_device *device);

/* The device of a name, or NULL. */
struct block_device *block_find(const char *name);
