/* SPDX-License-Identifier: MIT */
/*
 * The driver of virtio block devices. A request takes three descriptors (header, page, status), and
 * each slot has its own three, so a slot's number tells all. Requests are done in the interrupt.
 */
#include "frank/errno.h"
#include "kernel/page.h"
#include "kernel/printk.h"
#include "machine.h"
#include "slot_disk.h"
#include "virtio.h"

enum disk_limits {
    SLOT_DESCRIPTORS = 3,
    QUEUE_SIZE = 32, /* a power of two that has room for them all */
    WORD_BITS = 32,
};

/* What the device and the driver share: one page. */
struct shared {
    struct virtio_descriptor descriptors[QUEUE_SIZE];
    struct {
        u16 flags, index, ring[QUEUE_SIZE];
    } available;
    struct {
        u16 flags, index;
        struct {
            u32 first, bytes;
        } ring[QUEUE_SIZE];
    } used __attribute__((aligned(4)));
    struct virtio_block_header headers[SLOT_DISK_SLOTS] __attribute__((aligned(16)));
    u8 status[SLOT_DISK_SLOTS];
};

struct disk {
    struct slot_disk slots; /* first */
    volatile u32 *registers;
    u32 interrupt;
    bool read_only;

    /* Guarded by the slots' lock: */
    struct shared *shared;
};

static struct disk disks[MACHINE_DISKS_MAX];
static u32 disk_count;

static u32 read_register(const struct disk *disk, u32 offset)
{
    return disk->registers[offset / sizeof(u32)];
}

static void write_register(const struct disk *disk, u32 offset, u32 value)
{
    disk->registers[offset / sizeof(u32)] = value;
}

static void write_address(const struct disk *disk, u32 offset, const void *address)
{
    pa_t page = kva_to_pa(address);

    write_register(disk, offset, (u32)page);
    write_register(disk, offset + sizeof(u32), (u32)(page >> WORD_BITS));
}

/* What was written to memory is there before what is told to the device, and the other way round.
 */
static void order_with_device(void)
{
    __asm__ volatile("fence iorw, iorw" : : : "memory");
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static u32 type_of(enum block_operation operation)
{
    switch (operation) {
    case BLOCK_READ:
        return VIRTIO_BLOCK_IN;
    case BLOCK_WRITE:
        return VIRTIO_BLOCK_OUT;
    default:
        return VIRTIO_BLOCK_FLUSH_ALL;
    }
}

/* Fill a slot's descriptors and offer the first to the device. */
static void start_locked(struct slot_disk *slots, u32 slot, const struct block_request *request)
{
    struct disk *disk = (struct disk *)slots;
    struct shared *shared = disk->shared;
    u16 first = (u16)(slot * SLOT_DESCRIPTORS), last = (u16)(first + 2);
    bool has_page = request->operation != BLOCK_FLUSH;

    shared->headers[slot] = (struct virtio_block_header){
        .type = type_of(request->operation),
        .sector = has_page ? (u64)request->block * SLOT_DISK_SECTORS_PER_BLOCK : 0,
    };
    shared->descriptors[first] = (struct virtio_descriptor){
        kva_to_pa(&shared->headers[slot]), sizeof(shared->headers[slot]), VIRTIO_NEXT,
        has_page ? (u16)(first + 1) : last};
    shared->descriptors[first + 1] = (struct virtio_descriptor){
        request->page, PAGE_SIZE,
        VIRTIO_NEXT | (request->operation == BLOCK_READ ? VIRTIO_DEVICE_WRITES : 0), last};
    shared->descriptors[last] = (struct virtio_descriptor){
        kva_to_pa(&shared->status[slot]), sizeof(shared->status[slot]), VIRTIO_DEVICE_WRITES, 0};
    shared->available.ring[shared->available.index % QUEUE_SIZE] = first;
    order_with_device();
    WRITE_ONCE(shared->available.index, (u16)(shared->available.index + 1));
    order_with_device();
    write_register(disk, VIRTIO_QUEUE_NOTIFY, 0);
}

/* The next slot of which the device is done. */
static bool take_locked(struct slot_disk *slots, u32 *slot, int *error)
{
    struct disk *disk = (struct disk *)slots;

    order_with_device();
    if ((u16)slots->seen == READ_ONCE(disk->shared->used.index))
        return false;
    *slot = disk->shared->used.ring[slots->seen++ % QUEUE_SIZE].first / SLOT_DESCRIPTORS;
    kassert(*slot < SLOT_DISK_SLOTS);
    *error = disk->shared->status[*slot] == VIRTIO_BLOCK_OK ? 0 : -EIO;
    return true;
}

void disk_interrupt(u32 source)
{
    for (u32 i = 0; i < disk_count; i++) {
        struct disk *disk = &disks[i];

        if (disk->interrupt != source)
            continue;
        write_register(disk, VIRTIO_INTERRUPT_ACKNOWLEDGE,
                       read_register(disk, VIRTIO_INTERRUPT_STATUS));
        slot_disk_serve(&disk->slots);
    }
}

/* ---- start -------------------------------------------------------------------------------------
 */

static bool negotiate(struct disk *disk)
{
    u32 offered;

    write_register(disk, VIRTIO_STATUS, 0);
    write_register(disk, VIRTIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
    write_register(disk, VIRTIO_DEVICE_FEATURES_SELECT, 0);
    offered = read_register(disk, VIRTIO_DEVICE_FEATURES);
    disk->read_only = (offered & VIRTIO_BLOCK_READ_ONLY) != 0;
    write_register(disk, VIRTIO_DRIVER_FEATURES_SELECT, 0);
    write_register(disk, VIRTIO_DRIVER_FEATURES,
                   offered & (VIRTIO_BLOCK_FLUSH | VIRTIO_BLOCK_READ_ONLY));
    write_register(disk, VIRTIO_DRIVER_FEATURES_SELECT, 1);
    write_register(disk, VIRTIO_DRIVER_FEATURES, VIRTIO_HIGH_VERSION_1);
    write_register(disk, VIRTIO_STATUS,
                   VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
    return (offered & VIRTIO_BLOCK_FLUSH) != 0 &&
           (read_register(disk, VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK) != 0;
}

static bool make_queue(struct disk *disk)
{
    pa_t page = page_alloc_zeroed();

    _Static_assert(sizeof(struct shared) <= PAGE_SIZE, "one page");
    write_register(disk, VIRTIO_QUEUE_SELECT, 0);
    if (page == 0 || read_register(disk, VIRTIO_QUEUE_SIZE_MAX) < QUEUE_SIZE)
        return false;
    disk->shared = pa_to_kva(page);
    write_register(disk, VIRTIO_QUEUE_SIZE, QUEUE_SIZE);
    write_address(disk, VIRTIO_QUEUE_DESCRIPTORS, disk->shared->descriptors);
    write_address(disk, VIRTIO_QUEUE_DRIVER, &disk->shared->available);
    write_address(disk, VIRTIO_QUEUE_DEVICE, &disk->shared->used);
    write_register(disk, VIRTIO_QUEUE_READY, 1);
    write_register(disk, VIRTIO_STATUS,
                   VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |
                       VIRTIO_STATUS_DRIVER_OK);
    return true;
}

static u64 read_sectors(const struct disk *disk)
{
    u64 sectors = read_register(disk, VIRTIO_BLOCK_CAPACITY);

    return sectors | (u64)read_register(disk, VIRTIO_BLOCK_CAPACITY + sizeof(u32)) << WORD_BITS;
}

/* A slot's device, if it is a disk: QEMU gives empty slots the device number 0. */
static void start_disk(pa_t base, u32 interrupt)
{
    struct disk *disk = &disks[disk_count];

    disk->registers = machine_device(base);
    if (read_register(disk, VIRTIO_MAGIC) != VIRTIO_MAGIC_VALUE ||
        read_register(disk, VIRTIO_DEVICE) != VIRTIO_DEVICE_BLOCK)
        return;
    if (read_register(disk, VIRTIO_VERSION) != VIRTIO_VERSION_1) {
        printk("disk %u: a legacy device: start QEMU with -global virtio-mmio.force-legacy=off\n",
               disk_count);
        return;
    }
    if (!negotiate(disk) || !make_queue(disk)) {
        printk("disk %u: the device does not take what its driver needs\n", disk_count);
        return;
    }
    disk->interrupt = interrupt;
    disk->slots.start = start_locked;
    disk->slots.take = take_locked;
    plic_enable(interrupt);
    slot_disk_register(&disk->slots, disk_count++, read_sectors(disk), disk->read_only);
}

void disk_init(const struct machine *machine)
{
    for (u32 i = 0; i < machine->disk_slot_count; i++)
        start_disk(machine->disk_slots[i].base, machine->disk_slots[i].interrupt);
}
