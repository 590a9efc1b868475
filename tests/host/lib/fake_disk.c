/* SPDX-License-Identifier: MIT */
#include "fake_disk.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "core/machine.h"
#include "driver/disk.h"
#include "driver/mmio.h"
#include "driver/plic.h"

enum {
    BASE = 0x10001000,
    STRIDE = 0x1000,
    HEADER_BYTES = 16,
    WORD_BITS = 32,
};

struct fake_disk fake_disks[FAKE_DISKS];

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Memory as the device sees it. */
static void *at(u64 address, u64 bytes)
{
    must(address >= HOST_MEMORY_BASE && address - HOST_MEMORY_BASE + bytes <= machine.memory_bytes);
    return host_memory + (address - HOST_MEMORY_BASE);
}

static u16 *word_at(u64 address)
{
    return at(address, sizeof(u16));
}

/* ---- registers ---- */

static u32 offered(const struct fake_disk *disk)
{
    if (disk->features_select != 0)
        return VIRTIO_FEATURE_VERSION_1 >> WORD_BITS;
    return (disk->no_flush ? 0 : VIRTIO_FEATURE_FLUSH) |
           (disk->read_only ? VIRTIO_FEATURE_READ_ONLY : 0) | VIRTIO_FEATURE_BLOCK_SIZE;
}

static u32 read_one(const struct fake_disk *disk, u64 offset)
{
    switch (offset) {
    case VIRTIO_MAGIC:
        return VIRTIO_MAGIC_VALUE;
    case VIRTIO_VERSION:
        return disk->legacy ? 1 : VIRTIO_VERSION_2;
    case VIRTIO_DEVICE_ID:
        return disk->there ? VIRTIO_DEVICE_BLOCK : 0;
    case VIRTIO_DEVICE_FEATURES:
        return offered(disk);
    case VIRTIO_QUEUE_SIZE_MAX:
        return FAKE_QUEUE_MAX;
    case VIRTIO_INTERRUPT_STATUS:
        return disk->interrupt_status;
    case VIRTIO_STATUS:
        return disk->status;
    case VIRTIO_CONFIGURATION:
        return FAKE_SECTORS;
    default:
        return 0;
    }
}

u32 mmio_read32(uintptr_t address)
{
    return address >= BASE && address < BASE + FAKE_DISKS * STRIDE
               ? read_one(&fake_disks[(address - BASE) / STRIDE], (address - BASE) % STRIDE)
               : 0;
}

static void set_low(u64 *to, u32 value)
{
    *to = (*to & ~0xffffffffUL) | value;
}

static void set_high(u64 *to, u32 value)
{
    *to = (*to & 0xffffffffUL) | (u64)value << WORD_BITS;
}

static void reset(struct fake_disk *disk)
{
    disk->status = 0;
    disk->ready = 0;
    disk->waiting_count = 0;
    disk->interrupt_status = 0;
    disk->seen = 0;
    disk->given = 0;
}

static void write_one(struct fake_disk *disk, u64 offset, u32 value)
{
    switch (offset) {
    case VIRTIO_DEVICE_FEATURES_SELECT:
        disk->features_select = value;
        break;
    case VIRTIO_DRIVER_FEATURES_SELECT:
        disk->driver_select = value;
        break;
    case VIRTIO_DRIVER_FEATURES:
        disk->driver_features[disk->driver_select % 2] = value;
        break;
    case VIRTIO_QUEUE_SIZE:
        disk->size = value;
        break;
    case VIRTIO_QUEUE_READY:
        disk->ready = value;
        break;
    case VIRTIO_QUEUE_NOTIFY:
        disk->notified++;
        break;
    case VIRTIO_INTERRUPT_ACKNOWLEDGE:
        disk->interrupt_status &= ~value;
        break;
    case VIRTIO_STATUS:
        disk->status = value;
        if (value == 0)
            reset(disk);
        break;
    case VIRTIO_QUEUE_DESCRIPTORS_LOW:
        set_low(&disk->descriptors, value);
        break;
    case VIRTIO_QUEUE_DESCRIPTORS_HIGH:
        set_high(&disk->descriptors, value);
        break;
    case VIRTIO_QUEUE_DRIVER_LOW:
        set_low(&disk->available, value);
        break;
    case VIRTIO_QUEUE_DRIVER_HIGH:
        set_high(&disk->available, value);
        break;
    case VIRTIO_QUEUE_DEVICE_LOW:
        set_low(&disk->used, value);
        break;
    case VIRTIO_QUEUE_DEVICE_HIGH:
        set_high(&disk->used, value);
        break;
    default:
        break;
    }
}

void mmio_write32(uintptr_t address, u32 value)
{
    if (address >= BASE && address < BASE + FAKE_DISKS * STRIDE)
        write_one(&fake_disks[(address - BASE) / STRIDE], (address - BASE) % STRIDE, value);
}

/* ---- requests ---- */

static void take(struct fake_disk *disk)
{
    if (!disk->ready || (disk->status & VIRTIO_STATUS_DRIVER_OK) == 0)
        return;
    while (disk->seen != *word_at(disk->available + 2)) {
        must(disk->waiting_count < disk->size);
        disk->waiting[disk->waiting_count++] = *word_at(disk->available + 4 +
                                                        disk->seen++ % disk->size * sizeof(u16));
    }
}

static const struct virtio_descriptor *descriptor(const struct fake_disk *disk, u32 number)
{
    must(number < disk->size);
    return at(disk->descriptors + number * sizeof(struct virtio_descriptor),
              sizeof(struct virtio_descriptor));
}

static bool move(struct fake_disk *disk, const struct virtio_block_header *header, u64 *place,
                 const struct virtio_descriptor *piece)
{
    bool in = header->type == VIRTIO_BLOCK_IN;

    must(((piece->flags & VIRTIO_DESCRIPTOR_WRITE) != 0) == in);
    if (disk->fails || *place + piece->bytes > sizeof(disk->data))
        return false;
    if (in)
        memcpy(at(piece->address, piece->bytes), disk->data + *place, piece->bytes);
    else
        memcpy(disk->data + *place, at(piece->address, piece->bytes), piece->bytes);
    *place += piece->bytes;
    return true;
}

bool fake_disk_do(struct fake_disk *disk, u32 n)
{
    const struct virtio_descriptor *piece;
    const struct virtio_block_header *header;
    u16 first;
    u64 place;
    bool good = !disk->fails;

    take(disk);
    if (n >= disk->waiting_count)
        return false;
    first = disk->waiting[n];
    memmove(disk->waiting + n, disk->waiting + n + 1,
            (--disk->waiting_count - n) * sizeof(disk->waiting[0]));
    piece = descriptor(disk, first);
    must(piece->bytes == HEADER_BYTES && piece->flags == VIRTIO_DESCRIPTOR_NEXT);
    header = at(piece->address, HEADER_BYTES);
    place = header->sector * VIRTIO_SECTOR_BYTES;
    disk->flushed += header->type == VIRTIO_BLOCK_FLUSH;
    for (piece = descriptor(disk, piece->next); (piece->flags & VIRTIO_DESCRIPTOR_NEXT) != 0;
         piece = descriptor(disk, piece->next))
        good = move(disk, header, &place, piece) && good;
    must(piece->bytes == 1 && piece->flags == VIRTIO_DESCRIPTOR_WRITE);
    *(u8 *)at(piece->address, 1) = good ? VIRTIO_BLOCK_OK : VIRTIO_BLOCK_IO_ERROR;
    fake_disk_give(disk, first, 1);
    return true;
}

void fake_disk_give(struct fake_disk *disk, u32 first, u16 by)
{
    u32 *element = at(disk->used + 4 + disk->given % disk->size * 8, 8);

    element[0] = first;
    element[1] = 0xffffffff; /* nobody may believe it */
    disk->given += by;
    *word_at(disk->used + 2) = disk->given;
    disk->interrupt_status |= VIRTIO_INTERRUPT_USED;
}

void fake_disk_interrupt(struct fake_disk *disk)
{
    if (disk->interrupt_status != 0)
        (void)disk_interrupt((u32)(disk - fake_disks) + 1);
}

void fake_disk_do_all(struct fake_disk *disk)
{
    take(disk);
    while (disk->waiting_count > 0)
        must(fake_disk_do(disk, disk->waiting_count - 1));
    fake_disk_interrupt(disk);
}

/* ---- start ---- */

void fake_disks_reset(void)
{
    memset(fake_disks, 0, sizeof(fake_disks));
}

void fake_disks_start(void)
{
    static const struct plic plic;

    machine.disk_slots = FAKE_DISKS;
    for (u32 i = 0; i < FAKE_DISKS; i++) {
        reset(&fake_disks[i]);
        machine.disks[i].base = BASE + i * STRIDE;
        machine.disks[i].interrupt = i + 1;
    }
    disks_init(&machine, &plic, 0);
}
