/* SPDX-License-Identifier: MIT */
/*
 * The machine's disks: see disk.h. Transfer n has descriptors from n * SLOT_DESCRIPTORS on: its
 * header, its pieces, its status. So its number tells all, and no list of free ones is kept.
 */
#include "driver/disk.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/machine.h"
#include "core/vm.h"
#include "debug/log.h"
#include "mem/frame.h"

#include "driver/mmio.h"
#include "driver/plic.h"

enum {
    SLOT_DESCRIPTORS = DISK_PIECES_MAX + 2,
    QUEUE_SIZE = DISK_TRANSFERS_MAX * SLOT_DESCRIPTORS,
    WORD_BITS = 32,
    RESET_POLLS_MAX = 1000,
    FEATURES_NEEDED_LOW = VIRTIO_FEATURE_FLUSH,
};
_Static_assert((QUEUE_SIZE & (QUEUE_SIZE - 1)) == 0, "a queue's size is a power of two");
_Static_assert((u32)DISK_TRANSFERS_MAX <= WORD_BITS, "a bit for each in disk.busy");

/* What driver and device share, in closed memory. */
struct disk_queue {
    struct virtio_descriptor descriptors[QUEUE_SIZE];
    struct {
        u16 flags, index, ring[QUEUE_SIZE];
    } available;
    struct {
        u16 flags, index;
        struct {
            u32 first, bytes;
        } ring[QUEUE_SIZE];
    } used ALIGNED(4);
    struct virtio_block_header headers[DISK_TRANSFERS_MAX] ALIGNED(16);
    u8 status[DISK_TRANSFERS_MAX];
    u8 bounce[DISK_BOUNCE_SECTORS * VIRTIO_SECTOR_BYTES] ALIGNED(8); /* copied by words */
};

/* By slot. */
static struct disk disks[MACHINE_DISKS_MAX];

static u32 read_register(const struct disk *disk, u32 offset)
{
    return mmio_read32(disk->base + offset);
}

static void write_register(const struct disk *disk, u32 offset, u32 value)
{
    mmio_write32(disk->base + offset, value);
}

/* Where the device finds what stands at that offset of the queue. */
static maddr_t queue_address(const struct disk *disk, size_t offset)
{
    return maddr(mfn_to_maddr(arch_frame_of(disk->queue)).value + offset);
}

/* ---- start ---- */

static void reset(const struct disk *disk)
{
    write_register(disk, VIRTIO_STATUS, 0);
    for (u32 polls = 0; polls < RESET_POLLS_MAX && read_register(disk, VIRTIO_STATUS) != 0; polls++)
        continue;
}

static bool negotiate(struct disk *disk)
{
    const u32 begun = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;
    u32 low, high;

    reset(disk);
    write_register(disk, VIRTIO_STATUS, begun);
    write_register(disk, VIRTIO_DEVICE_FEATURES_SELECT, 0);
    low = read_register(disk, VIRTIO_DEVICE_FEATURES);
    write_register(disk, VIRTIO_DEVICE_FEATURES_SELECT, 1);
    high = read_register(disk, VIRTIO_DEVICE_FEATURES);
    disk->read_only = (low & VIRTIO_FEATURE_READ_ONLY) != 0;
    write_register(disk, VIRTIO_DRIVER_FEATURES_SELECT, 0);
    write_register(disk, VIRTIO_DRIVER_FEATURES,
                   low & (VIRTIO_FEATURE_FLUSH | VIRTIO_FEATURE_READ_ONLY));
    write_register(disk, VIRTIO_DRIVER_FEATURES_SELECT, 1);
    write_register(disk, VIRTIO_DRIVER_FEATURES, VIRTIO_FEATURE_VERSION_1 >> WORD_BITS);
    write_register(disk, VIRTIO_STATUS, begun | VIRTIO_STATUS_FEATURES_OK);
    return (low & FEATURES_NEEDED_LOW) != 0 &&
           (high & VIRTIO_FEATURE_VERSION_1 >> WORD_BITS) != 0 &&
           (read_register(disk, VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK) != 0;
}

static void write_address(const struct disk *disk, u32 offset, size_t part)
{
    u64 address = queue_address(disk, part).value;

    write_register(disk, offset, (u32)address);
    write_register(disk, offset + sizeof(u32), (u32)(address >> WORD_BITS));
}

static bool start_queue(struct disk *disk)
{
    write_register(disk, VIRTIO_QUEUE_SELECT, 0);
    if (read_register(disk, VIRTIO_QUEUE_SIZE_MAX) < QUEUE_SIZE)
        return false;
    disk->queue = frame_run_alloc(sizeof(struct disk_queue));
    if (disk->queue == NULL)
        return false;
    write_register(disk, VIRTIO_QUEUE_SIZE, QUEUE_SIZE);
    write_address(disk, VIRTIO_QUEUE_DESCRIPTORS_LOW, offsetof(struct disk_queue, descriptors));
    write_address(disk, VIRTIO_QUEUE_DRIVER_LOW, offsetof(struct disk_queue, available));
    write_address(disk, VIRTIO_QUEUE_DEVICE_LOW, offsetof(struct disk_queue, used));
    mmio_order();
    write_register(disk, VIRTIO_QUEUE_READY, 1);
    write_register(disk, VIRTIO_STATUS,
                   VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |
                       VIRTIO_STATUS_DRIVER_OK);
    return true;
}

/* QEMU gives empty slots the device number 0. NULL, or why a disk that is there is not used. */
static const char *start(struct disk *disk)
{
    if (read_register(disk, VIRTIO_VERSION) != VIRTIO_VERSION_2)
        return "it is a legacy device: -global virtio-mmio.force-legacy=off makes it a modern one";
    if (!negotiate(disk) || !start_queue(disk)) {
        write_register(disk, VIRTIO_STATUS, VIRTIO_STATUS_FAILED);
        return "it does not take what its driver needs";
    }
    disk->sectors = read_register(disk, VIRTIO_CONFIGURATION);
    disk->sectors |= (u64)read_register(disk, VIRTIO_CONFIGURATION + sizeof(u32)) << WORD_BITS;
    return NULL;
}

void disks_init(const struct machine *m, const struct plic *plic, u32 context)
{
    for (u32 slot = 0; slot < m->disk_slots; slot++) {
        struct disk *disk = &disks[slot];
        const char *why;

        *disk = (struct disk){
            .base = m->disks[slot].base, .slot = slot, .interrupt = m->disks[slot].interrupt};
        if (read_register(disk, VIRTIO_MAGIC) != VIRTIO_MAGIC_VALUE ||
            read_register(disk, VIRTIO_DEVICE_ID) != VIRTIO_DEVICE_BLOCK)
            continue;
        why = start(disk);
        if (why != NULL) {
            log_line("the disk in slot %u is not used: %s", slot, why);
            continue;
        }
        plic_source_enable(plic, context, disk->interrupt, true);
        log_line("disk in slot %u: %lu sectors%s", slot, disk->sectors,
                 disk->read_only ? ", read-only" : "");
    }
}

/* ---- owners ---- */

struct disk *disk_claim(u32 slot, struct vm *vm)
{
    if (slot >= MACHINE_DISKS_MAX || disks[slot].queue == NULL || disks[slot].owner != NULL)
        return NULL;
    disks[slot].owner = vm;
    return &disks[slot];
}

void disk_release(struct disk *disk)
{
    if (disk != NULL)
        disk->owner = NULL;
}

/* ---- transfers ---- */

u8 *disk_bounce(struct disk *disk)
{
    return disk->queue->bounce;
}

struct disk_piece disk_bounce_piece(const struct disk *disk)
{
    return (struct disk_piece){queue_address(disk, offsetof(struct disk_queue, bounce)),
                               sizeof(disk->queue->bounce)};
}

/* Whether the device may be given this piece: data of the owner's, or of the bounce memory. */
static bool piece_allowed(const struct disk *disk, const struct disk_piece *piece)
{
    u64 end = piece->address.value + piece->bytes;
    struct disk_piece bounce = disk_bounce_piece(disk);

    if (piece->address.value == bounce.address.value && piece->bytes <= bounce.bytes)
        return piece->bytes > 0;
    for (u64 at = ALIGN_DOWN(piece->address.value, (u64)FRAME_BYTES); at < end; at += FRAME_BYTES) {
        const struct frame *frame = frame_get(maddr_to_mfn(maddr(at)));

        if (frame == NULL || frame->type != FRAME_DATA || frame->vm != disk->owner->id)
            return false;
    }
    return end > piece->address.value;
}

static int check(const struct disk *disk, const struct disk_transfer *transfer)
{
    bool flush = transfer->operation == DISK_OPERATION_FLUSH;
    u64 bytes = 0, sectors;

    if (transfer->operation > DISK_OPERATION_FLUSH || transfer->piece_count > DISK_PIECES_MAX ||
        flush != (transfer->piece_count == 0))
        return HC_INVALID_PARAM;
    for (u32 i = 0; i < transfer->piece_count; i++)
        bytes += transfer->pieces[i].bytes;
    sectors = bytes / VIRTIO_SECTOR_BYTES;
    if (bytes % VIRTIO_SECTOR_BYTES != 0 || transfer->sector > disk->sectors ||
        sectors > disk->sectors - transfer->sector)
        return HC_INVALID_PARAM;
    if (transfer->operation == DISK_OPERATION_WRITE && disk->read_only)
        return HC_DENIED;
    for (u32 i = 0; i < transfer->piece_count; i++) {
        if (!piece_allowed(disk, &transfer->pieces[i]))
            return HC_INVALID_ADDRESS;
    }
    return HC_OK;
}

static void fill(struct disk *disk, u32 number, const struct disk_transfer *transfer)
{
    static const u32 types[] = {[DISK_OPERATION_READ] = VIRTIO_BLOCK_IN,
                                [DISK_OPERATION_WRITE] = VIRTIO_BLOCK_OUT,
                                [DISK_OPERATION_FLUSH] = VIRTIO_BLOCK_FLUSH};
    struct disk_queue *queue = disk->queue;
    u32 at = number * SLOT_DESCRIPTORS;
    u16 to_memory = transfer->operation == DISK_OPERATION_READ ? VIRTIO_DESCRIPTOR_WRITE : 0;

    queue->headers[number] = (struct virtio_block_header){
        .type = types[transfer->operation],
        .sector = transfer->sector,
    };
    queue->status[number] = VIRTIO_BLOCK_IO_ERROR; /* until the device says otherwise */
    queue->descriptors[at] = (struct virtio_descriptor){
        queue_address(disk, offsetof(struct disk_queue, headers[number])).value,
        sizeof(queue->headers[number]), VIRTIO_DESCRIPTOR_NEXT, (u16)(at + 1)};
    for (u32 i = 0; i < transfer->piece_count; i++) {
        at++;
        queue->descriptors[at] = (struct virtio_descriptor){
            transfer->pieces[i].address.value, transfer->pieces[i].bytes,
            VIRTIO_DESCRIPTOR_NEXT | to_memory, (u16)(at + 1)};
    }
    queue->descriptors[at + 1] = (struct virtio_descriptor){
        queue_address(disk, offsetof(struct disk_queue, status[number])).value,
        sizeof(queue->status[number]), VIRTIO_DESCRIPTOR_WRITE, 0};
}

int disk_submit(struct disk *disk, const struct disk_transfer *transfer)
{
    struct disk_queue *queue = disk->queue;
    int error = check(disk, transfer);
    u32 number = 0;

    if (error != HC_OK)
        return error;
    if (disk->broken)
        return HC_FAILED;
    while (number < DISK_TRANSFERS_MAX && (disk->busy & BIT(number)) != 0)
        number++;
    if (number == DISK_TRANSFERS_MAX)
        return HC_IN_USE;
    fill(disk, number, transfer);
    disk->busy |= (u32)BIT(number);
    queue->available.ring[queue->available.index % QUEUE_SIZE] = (u16)(number * SLOT_DESCRIPTORS);
    mmio_order();
    WRITE_ONCE(queue->available.index, (u16)(queue->available.index + 1));
    return (int)number;
}

void disk_kick(struct disk *disk)
{
    mmio_order();
    if (!disk->broken)
        write_register(disk, VIRTIO_QUEUE_NOTIFY, 0);
}

/* After a reset a device touches memory no more (2.4). */
static void give_up(struct disk *disk)
{
    reset(disk);
    disk->broken = true;
    log_line("the disk in slot %u breaks the rules, and is not used any more", disk->slot);
}

/* The number of the transfer that the device says is done; DISK_TRANSFERS_MAX: it says what cannot
 * be. */
static u32 read_used(const struct disk *disk, u16 waiting)
{
    u32 first = READ_ONCE(disk->queue->used.ring[disk->used_seen % QUEUE_SIZE].first);
    u32 number = first / SLOT_DESCRIPTORS;

    if (waiting > DISK_TRANSFERS_MAX || first % SLOT_DESCRIPTORS != 0 ||
        number >= DISK_TRANSFERS_MAX || (disk->busy & BIT(number)) == 0)
        return DISK_TRANSFERS_MAX;
    return number;
}

bool disk_take_done(struct disk *disk, u32 *number, bool *good)
{
    u16 waiting = (u16)(READ_ONCE(disk->queue->used.index) - disk->used_seen);

    if (READ_ONCE(disk->ill) && !disk->broken)
        give_up(disk);
    if (waiting != 0 && !disk->broken) {
        mmio_order();
        *number = read_used(disk, waiting);
        if (*number < DISK_TRANSFERS_MAX) {
            disk->used_seen++;
            disk->busy &= ~(u32)BIT(*number);
            *good = READ_ONCE(disk->queue->status[*number]) == VIRTIO_BLOCK_OK;
            return true;
        }
        give_up(disk);
    }
    if (!disk->broken || disk->busy == 0)
        return false;
    for (*number = 0; (disk->busy & BIT(*number)) == 0; ++*number)
        continue;
    disk->busy &= ~(u32)BIT(*number);
    *good = false;
    return true;
}

bool disk_idle(struct disk *disk)
{
    u32 number;
    bool good;

    while (disk_take_done(disk, &number, &good))
        continue;
    return disk->busy == 0;
}

struct vm *disk_interrupt(u32 source)
{
    struct disk *disk = disks;
    u32 why;

    while (disk < disks + MACHINE_DISKS_MAX && (disk->queue == NULL || disk->interrupt != source))
        disk++;
    if (disk == disks + MACHINE_DISKS_MAX)
        return NULL;
    why = read_register(disk, VIRTIO_INTERRUPT_STATUS);
    write_register(disk, VIRTIO_INTERRUPT_ACKNOWLEDGE, why);
    if ((why & VIRTIO_INTERRUPT_CONFIGURATION) != 0 &&
        (read_register(disk, VIRTIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET) != 0)
        WRITE_ONCE(disk->ill, true);
    if (disk->owner != NULL)
        event_send_vm(disk->owner, EVENT_DISK);
    return disk->owner;
}
