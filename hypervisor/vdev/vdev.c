/* SPDX-License-Identifier: MIT */
/*
 * The bus of a guest's devices: see vdev.h.
 */
#include "vdev/vdev.h"

enum { BYTE_BITS = 8 };

void vdev_line_set(struct vdev_line *line, bool level)
{
    if (line->level == level)
        return;
    line->level = level;
    line->set(line->context, line->number, level);
}

static bool overlaps(const struct vdev_region *region, u64 base, u64 bytes)
{
    return base < region->base + region->bytes && region->base < base + bytes;
}

bool vdev_bus_add(struct vdev_bus *bus, u64 base, u64 bytes, const struct vdev_ops *ops,
                  void *device)
{
    if (bus->count == VDEV_REGIONS_MAX || bytes == 0 || base + bytes <= base)
        return false;
    for (u32 i = 0; i < bus->count; i++)
        if (overlaps(&bus->regions[i], base, bytes))
            return false;
    bus->regions[bus->count++] = (struct vdev_region){
        .base = base, .bytes = bytes, .ops = ops, .device = device};
    return true;
}

const struct vdev_region *vdev_bus_find(const struct vdev_bus *bus, u64 address)
{
    for (u32 i = 0; i < bus->count; i++) {
        const struct vdev_region *region = &bus->regions[i];

        if (address >= region->base && address - region->base < region->bytes)
            return region;
    }
    return NULL;
}

/* The region of an access that a device may see; NULL: none may. */
static const struct vdev_region *find_access(const struct vdev_bus *bus, u64 address, u32 bytes)
{
    const struct vdev_region *region = vdev_bus_find(bus, address);

    if (bytes == 0 || bytes > sizeof(u64) || (bytes & (bytes - 1)) != 0 ||
        !IS_ALIGNED(address, bytes) || region == NULL ||
        region->bytes - (address - region->base) < bytes)
        return NULL;
    return region;
}

static u64 low_bytes(u64 value, u32 bytes)
{
    return bytes == sizeof(u64) ? value : value & (BIT(bytes * BYTE_BITS) - 1);
}

bool vdev_bus_read(const struct vdev_bus *bus, u64 address, u32 bytes, u64 *value)
{
    const struct vdev_region *region = find_access(bus, address, bytes);
    u64 read = 0;

    if (region == NULL || !region->ops->read(region->device, address - region->base, bytes, &read))
        return false;
    *value = low_bytes(read, bytes);
    return true;
}

bool vdev_bus_write(const struct vdev_bus *bus, u64 address, u32 bytes, u64 value)
{
    const struct vdev_region *region = find_access(bus, address, bytes);

    return region != NULL && region->ops->write(region->device, address - region->base, bytes,
                                                low_bytes(value, bytes));
}
