/* SPDX-License-Identifier: MIT */
/*
 * Device models for unmodified guests: what the devices have in common, and the bus that finds one
 * by its guest-physical address.
 *
 * A device sees accesses of 1, 2, 4 or 8 bytes, aligned to their size and inside its region: the
 * bus refuses all others, as the machine `virt` does. Everything that a guest can say is an access
 * that a device answers or refuses; none of it can harm more than the guest.
 *
 * The models hold no locks: whoever owns the VM calls them one at a time. No call waits, and each
 * does a bounded amount of work.
 */
#pragma once

#include "types.h"

/* False: the access is refused, and the guest gets an access fault. `*value` holds no more than
 * `bytes` bytes. */
struct vdev_ops {
    bool (*read)(void *device, u64 offset, u32 bytes, u64 *value);
    bool (*write)(void *device, u64 offset, u32 bytes, u64 value);
};

/* Where a device's interrupt goes. It is told of changes only. */
struct vdev_line {
    void (*set)(void *context, u32 number, bool level);
    void *context;
    u32 number; /* what the line is called there */
    bool level;
};

/* Tells the line's level when it is another than before. */
void vdev_line_set(struct vdev_line *line, bool level);

enum { VDEV_REGIONS_MAX = 8 };

struct vdev_region {
    u64 base, bytes; /* guest-physical */
    const struct vdev_ops *ops;
    void *device;
};

struct vdev_bus {
    u32 count;
    struct vdev_region regions[VDEV_REGIONS_MAX];
};

/* Puts a device on the bus, which keeps the pointers. False: the bus is full, or the region is
 * empty, wraps around, or overlaps another. */
MUST_CHECK bool vdev_bus_add(struct vdev_bus *bus, u64 base, u64 bytes, const struct vdev_ops *ops,
                             void *device);

/* The region in which an address lies; NULL: none. */
const struct vdev_region *vdev_bus_find(const struct vdev_bus *bus, u64 address);

/* One access of a guest. False: nothing is there, or it is refused. */
MUST_CHECK bool vdev_bus_read(const struct vdev_bus *bus, u64 address, u32 bytes, u64 *value);
MUST_CHECK bool vdev_bus_write(const struct vdev_bus *bus, u64 address, u32 bytes, u64 value);
