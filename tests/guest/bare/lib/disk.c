/* SPDX-License-Identifier: MIT */
#include "disk.h"

#include "bare.h"

enum {
    WAIT_TICKS = 30000000, /* 3 seconds of a machine whose host is busy */
};

struct descriptor descriptors[SLOTS] __attribute__((aligned(16)));
volatile struct available_ring available __attribute__((aligned(8)));
volatile struct used_ring used __attribute__((aligned(8)));
struct request_header header;
u8 buffer[BUFFER_BYTES];
volatile u8 status;
u16 offered;

void disk_put_address(u64 offset, const volatile void *address)
{
    disk_put(offset, (u32)(u64)address);
    disk_put(offset + 4, (u32)((u64)address >> 32));
}

void disk_start_up_to(void)
{
    disk_put(REG_STATUS, 0);
    disk_put(REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    disk_put(REG_DRIVER_SELECT, 1);
    disk_put(REG_DRIVER_FEATURES, 1); /* VIRTIO_F_VERSION_1 */
    disk_put(REG_DRIVER_SELECT, 0);
    disk_put(REG_DRIVER_FEATURES, FEATURE_FLUSH);
    disk_put(REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    disk_put(REG_QUEUE_SELECT, 0);
    disk_put(REG_QUEUE_SIZE, SLOTS);
    disk_put_address(REG_DESCRIPTORS, descriptors);
    disk_put_address(REG_DRIVER_RING, &available);
    disk_put_address(REG_DEVICE_RING, &used);
    available.index = used.index = offered = 0;
}

void disk_start(void)
{
    disk_start_up_to();
    disk_put(REG_QUEUE_READY, 1);
    disk_put(REG_STATUS, disk_get(REG_STATUS) | STATUS_DRIVER_OK);
}

void describe(u32 slot, const volatile void *address, u32 bytes, u16 flags)
{
    descriptors[slot] = (struct descriptor){(u64)address, bytes, flags, (u16)(slot + 1)};
}

void offer(u32 head)
{
    available.ring[offered % SLOTS] = (u16)head;
    __asm__ volatile("fence" : : : "memory");
    available.index = ++offered;
    __asm__ volatile("fence" : : : "memory");
    disk_put(REG_NOTIFY, 0);
}

bool wait_used(void)
{
    u64 until = time_now() + WAIT_TICKS;

    while (used.index != offered && (disk_get(REG_STATUS) & STATUS_NEEDS_RESET) == 0) {
        if (time_now() > until)
            return false;
    }
    __asm__ volatile("fence" : : : "memory");
    return used.index == offered;
}

void request_describe(u32 type, u64 sector, u32 bytes)
{
    u16 direction = type == TYPE_OUT ? 0 : WRITABLE;

    header.type = type;
    header.sector = sector;
    status = UNTOUCHED;
    describe(0, &header, HEADER_BYTES, NEXT);
    describe(1, buffer, bytes, (u16)(NEXT | direction));
    describe(2, &status, 1, WRITABLE);
    if (bytes == 0)
        descriptors[0].next = 2;
}

void request(u32 type, u64 sector, u32 bytes)
{
    request_describe(type, sector, bytes);
    offer(0);
    if (!wait_used())
        bare_printf("type %u sector %lu bytes %u: no answer", type, sector, bytes);
}
