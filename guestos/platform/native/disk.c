/* SPDX-License-Identifier: MIT */
/*
 * The driver of virtio block devices. A request takes three descriptors (header, page, status), and
 * each slot has its own three, so a slot's number tells all; what finds no free slot waits in a
 * list. Requests are done in the interrupt.
 */
#include "frank/errno.h"
#include "kernel/block/block.h"
#include "kernel/lock.h"
#include "kernel/page.h"
#include "kernel/printk.h"
#include "machine.h"
#include "printf.h"
#include "string.h"
#include "virtio.h"

enum disk_limits {
    SLOT_COUNT = 8,
    SLOT_DESCRIPTORS = 3,
    QUEUE_SIZE = 32, /* a power of two that has room for them all */
    SECTORS_PER_BLOCK = PAGE_SIZE / VIRTIO_SECTOR_BYTES,
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
    struct virtio_block_header headers[SLOT_COUNT] __attribute__((aligned(16)));
    u8 status[SLOT_COUNT];
};

struct disk {
    struct block_device device; /* first */
    volatile u32 *registers;
    u32 interrupt;
    bool can_flush;

    struct spinlock lock; /* LOCK_BLOCK; guards the rest */
    struct shared *shared;
    struct block_request *slots[SLOT_COUNT]; /* on their way; NULL: free */
    struct list_node waiting;
    u16 used_seen;
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
static void start_locked(struct disk *disk, u32 slot, struct block_request *request)
{
    struct shared *shared = disk->shared;
    u16 first = (u16)(slot * SLOT_DESCRIPTORS), last = (u16)(first + 2);
    bool has_page = request->operation != BLOCK_FLUSH;

    disk->slots[slot] = request;
    shared->headers[slot] = (struct virtio_block_header){
        .type = type_of(request->operation),
        .sector = has_page ? (u64)request->block * SECTORS_PER_BLOCK : 0,
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

static void submit_locked(struct disk *disk, struct block_request *request)
{
    for (u32 slot = 0; slot < SLOT_COUNT; slot++) {
        if (!disk->slots[slot]) {
            start_locked(disk, slot, request);
            return;
        }
    }
    list_push_back(&disk->waiting, &request->node);
}

static void disk_submit(struct block_device *device, struct block_request *request)
{
    struct disk *disk = (struct disk *)device;

    if (request->operation == BLOCK_FLUSH && !disk->can_flush) {
        request->done(request, 0); /* it keeps nothing back */
        return;
    }
    spin_acquire(&disk->lock);
    submit_locked(disk, request);
    spin_release(&disk->lock);
}

/* The next request that the device has done, and its error; one that waited takes its slot. NULL:
   there is none. */
static struct block_request *take_done(struct disk *disk, int *error)
{
    struct block_request *request = NULL;
    struct list_node *waiting;

    spin_acquire(&disk->lock);
    order_with_device();
    if (disk->used_seen != READ_ONCE(disk->shared->used.index)) {
        u32 slot = disk->shared->used.ring[disk->used_seen++ % QUEUE_SIZE].first / SLOT_DESCRIPTORS;

        kassert(slot < SLOT_COUNT && disk->slots[slot] != NULL);
        request = disk->slots[slot];
        disk->slots[slot] = NULL;
        *error = disk->shared->status[slot] == VIRTIO_BLOCK_OK ? 0 : -EIO;
        waiting = list_pop_front(&disk->waiting);
        if (waiting)
            start_locked(disk, slot, list_entry(waiting, struct block_request, node));
    }
    spin_release(&disk->lock);
    return request;
}

void disk_interrupt(u32 source)
{
    for (u32 i = 0; i < disk_count; i++) {
        struct disk *disk = &disks[i];
        struct block_request *request;
        int error;

        if (disk->interrupt != source)
            continue;
        write_register(disk, VIRTIO_INTERRUPT_ACKNOWLEDGE,
                       read_register(disk, VIRTIO_INTERRUPT_STATUS));
        while ((request = take_done(disk, &error)) != NULL)
            request->done(request, error);
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
    disk->can_flush = (offered & VIRTIO_BLOCK_FLUSH) != 0;
    disk->device.read_only = (offered & VIRTIO_BLOCK_READ_ONLY) != 0;
    write_register(disk, VIRTIO_DRIVER_FEATURES_SELECT, 0);
    write_register(disk, VIRTIO_DRIVER_FEATURES,
                   offered & (VIRTIO_BLOCK_FLUSH | VIRTIO_BLOCK_READ_ONLY));
    write_register(disk, VIRTIO_DRIVER_FEATURES_SELECT, 1);
    write_register(disk, VIRTIO_DRIVER_FEATURES, VIRTIO_HIGH_VERSION_1);
    write_register(disk, VIRTIO_STATUS,
                   VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
    return (read_register(disk, VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK) != 0;
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

static void read_capacity(struct disk *disk)
{
    u64 sectors = read_register(disk, VIRTIO_BLOCK_CAPACITY);

    sectors |= (u64)read_register(disk, VIRTIO_BLOCK_CAPACITY + sizeof(u32)) << WORD_BITS;
    disk->device.block_count = (u32)min(sectors / SECTORS_PER_BLOCK, 0xffffffffUL);
}

/* A slot's device, if it is a disk: QEMU gives empty slots the device number 0. */
static void start_disk(pa_t base, u32 interrupt)
{
    struct disk *disk = &disks[disk_count];

    disk->registers = machine_device(base);
    if (read_register(disk, VIRTIO_MAGIC) != VIRTIO_MAGIC_VALUE ||
        read_register(disk, VIRTIO_DEVICE) != VIRTIO_DEVICE_BLOCK)
        return;
    snprintf(disk->device.name, sizeof(disk->device.name), "vd%c", 'a' + disk_count);
    if (read_register(disk, VIRTIO_VERSION) != VIRTIO_VERSION_1) {
        printk("%s: a legacy virtio device: start QEMU with -global virtio-mmio.force-legacy=off\n",
               disk->device.name);
        return;
    }
    spin_init(&disk->lock, "disk", LOCK_BLOCK);
    list_init(&disk->waiting);
    if (!negotiate(disk) || !make_queue(disk)) {
        printk("%s: the device does not take what its driver needs\n", disk->device.name);
        return;
    }
    read_capacity(disk);
    disk->interrupt = interrupt;
    disk->device.submit = disk_submit;
    disk_count++;
    plic_enable(interrupt);
    block_register(&disk->device);
}

void disk_init(const struct machine *machine)
{
    for (u32 i = 0; i < machine->disk_slot_count; i++)
        start_disk(machine->disk_slots[i].base, machine->disk_slots[i].interrupt);
}
