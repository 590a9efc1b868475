/* SPDX-License-Identifier: MIT */
/* The list of disks, in the order in which they were found. It only grows, while one CPU boots. */
#include "kernel/block/block.h"

#include "string.h"

static struct block_device *first;

void block_register(struct block_device *device)
{
    struct block_device **end = &first;

    while (*end)
        end = &(*end)->next;
    device->next = NULL;
    *end = device;
}

struct block_device *block_find(const char *name)
{
    struct block_device *device = first;

    while (device && strcmp(device->name, name) != 0)
        device = device->next;
    return device;
}
