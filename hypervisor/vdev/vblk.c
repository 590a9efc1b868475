/* SPDX-License-Identifier: MIT */
/*
 * The block device's model: see vblk.h. Here its requests; its registers are in vblk_registers.c.
 */
#include "vdev/vblk.h"

#include "candor_abi.h"
#include "driver/virtio_registers.h"
#include "endian.h"
#include "vdev/vblk_registers.h"

/* struct virtio_blk_req (5.2.6). */
enum {
    HEADER_BYTES = 16,
    HEADER_SECTOR = 8,
    STATUS_BYTES = 1,
    DESCRIPTORS_A_STEP = 8,
};

/* Reads and writes of sectors: whole ones, within the device. */
static u8 begin_transfer(const struct vblk *vblk, struct vblk_request *request, u64 bytes)
{
    u64 sectors = bytes / VBLK_SECTOR_BYTES;

    if (bytes % VBLK_SECTOR_BYTES != 0 || request->sector > vblk->capacity ||
        sectors > vblk->capacity - request->sector ||
        (request->type == VIRTIO_BLOCK_OUT && vblk->read_only))
        return VIRTIO_BLOCK_IO_ERROR;
    request->left = sectors;
    return VIRTIO_BLOCK_OK;
}

static u8 identify(const struct vblk *vblk, struct vblk_request *request)
{
    u64 room = request->chain.writable_bytes - STATUS_BYTES;
    u32 bytes = (u32)min(room, (u64)VBLK_ID_BYTES);

    if (!vqueue_copy_out(&request->chain, &request->cursor, &vblk->memory, vblk->id, bytes))
        return VIRTIO_BLOCK_IO_ERROR;
    request->written = bytes;
    return VIRTIO_BLOCK_OK;
}

/* Begins with the chain that was taken; false: it is no request, not even one that can fail. */
static bool begin_request(struct vblk *vblk)
{
    struct vblk_request *request = &vblk->request;
    const struct vqueue_chain *chain = &request->chain;
    u8 header[HEADER_BYTES];

    request->cursor = (struct vqueue_cursor){0};
    request->left = request->buffered = request->copied = 0;
    request->written = 0;
    if (chain->readable_bytes < HEADER_BYTES || chain->writable_bytes < STATUS_BYTES ||
        !vqueue_copy_in(chain, &request->cursor, &vblk->memory, header, sizeof(header)))
        return false;
    request->active = true;
    request->type = load_le32(header);
    request->sector = load_le64(header + HEADER_SECTOR);
    if (request->type != VIRTIO_BLOCK_OUT)
        request->cursor = (struct vqueue_cursor){.buffer = chain->readable_count};
    switch (request->type) {
    case VIRTIO_BLOCK_IN:
        request->status = begin_transfer(vblk, request, chain->writable_bytes - STATUS_BYTES);
        break;
    case VIRTIO_BLOCK_OUT:
        request->status = begin_transfer(vblk, request, chain->readable_bytes - HEADER_BYTES);
        break;
    case VIRTIO_BLOCK_FLUSH:
        request->left = 1;
        request->status = VIRTIO_BLOCK_OK;
        break;
    case VIRTIO_BLOCK_GET_ID:
        request->status = identify(vblk, request);
        break;
    default:
        request->status = VIRTIO_BLOCK_UNSUPPORTED;
    }
    return true;
}

static void fail_request(struct vblk_request *request)
{
    request->status = VIRTIO_BLOCK_IO_ERROR;
    request->left = 0;
}

static bool begin(struct vblk *vblk, u32 operation, u32 sectors)
{
    vblk->request.buffered = sectors;
    vblk->begun = vblk->media->begin(vblk->media_context, operation, vblk->request.sector, sectors);
    return vblk->begun;
}

/* The next sector to the guest, or the medium is asked for more of them. */
static bool go_on_reading(struct vblk *vblk, u32 most)
{
    struct vblk_request *request = &vblk->request;
    const u8 *sector = vblk->buffer + (u64)request->copied * VBLK_SECTOR_BYTES;

    if (request->buffered == 0)
        return begin(vblk, DISK_OPERATION_READ, most);
    if (!vqueue_copy_out(&request->chain, &request->cursor, &vblk->memory, sector,
                         VBLK_SECTOR_BYTES))
        return false;
    request->written += VBLK_SECTOR_BYTES;
    request->sector++;
    request->left--;
    if (++request->copied == request->buffered)
        request->copied = request->buffered = 0;
    return true;
}

/* The next sector from the guest, or the medium is given all that there are. */
static bool go_on_writing(struct vblk *vblk, u32 most)
{
    struct vblk_request *request = &vblk->request;
    u8 *sector = vblk->buffer + (u64)request->buffered * VBLK_SECTOR_BYTES;

    if (request->buffered == most)
        return begin(vblk, DISK_OPERATION_WRITE, most);
    request->buffered++;
    return vqueue_copy_in(&request->chain, &request->cursor, &vblk->memory, sector,
                          VBLK_SECTOR_BYTES);
}

static void go_on(struct vblk *vblk)
{
    u32 most = (u32)min(vblk->request.left, (u64)VBLK_BUFFER_SECTORS);
    bool good;

    if (vblk->request.type == VIRTIO_BLOCK_FLUSH)
        good = begin(vblk, DISK_OPERATION_FLUSH, 0);
    else
        good = vblk->request.type == VIRTIO_BLOCK_IN ? go_on_reading(vblk, most)
                                                     : go_on_writing(vblk, most);
    if (!good)
        fail_request(&vblk->request);
}

/* Looks at the transfer that was begun; false: it still goes on. */
static bool transfer_over(struct vblk *vblk)
{
    struct vblk_request *request = &vblk->request;
    bool good;

    if (!vblk->media->over(vblk->media_context, &good))
        return false;
    vblk->begun = false;
    if (!request->active) /* there has been a reset */
        return true;
    if (!good) {
        fail_request(request);
    } else if (request->type == VIRTIO_BLOCK_FLUSH) {
        request->left = 0;
    } else if (request->type == VIRTIO_BLOCK_OUT) {
        request->sector += request->buffered;
        request->left -= request->buffered;
        request->buffered = 0;
    }
    return true;
}

/* `written` counts what was filled without a gap: the status, at the end, only if all before is. */
static bool finish_request(struct vblk *vblk)
{
    struct vblk_request *request = &vblk->request;
    u32 written = request->written;

    request->active = false;
    if (written + (u64)STATUS_BYTES == request->chain.writable_bytes)
        written += STATUS_BYTES;
    return vqueue_write_last(&request->chain, &vblk->memory, request->status) &&
           vqueue_give(&vblk->queue, &vblk->memory, request->chain.head, written);
}

static void stop_broken(struct vblk *vblk)
{
    vblk->request.active = false;
    vblk->status |= VIRTIO_STATUS_NEEDS_RESET;
    vblk->interrupt_status |= VIRTIO_INTERRUPT_CONFIGURATION;
}

/* One chain more; false: there is none, or the queue is broken. */
static bool next_request(struct vblk *vblk, u32 *steps)
{
    enum vqueue_taken taken = vqueue_take(&vblk->queue, &vblk->memory, &vblk->request.chain);

    if (taken == VQUEUE_EMPTY)
        return false;
    *steps += 1 + vblk->request.chain.count / DESCRIPTORS_A_STEP;
    if (taken == VQUEUE_CHAIN && begin_request(vblk))
        return true;
    stop_broken(vblk);
    return false;
}

bool vblk_serve(struct vblk *vblk)
{
    bool finished = false;
    u32 steps = 0;

    vblk->more = true;
    while (vblk->more && steps < VBLK_STEPS) {
        if ((vblk->begun && !transfer_over(vblk)) || !vblk_registers_running(vblk) ||
            (!vblk->request.active && !next_request(vblk, &steps))) {
            vblk->more = false;
        } else if (vblk->request.left > 0) {
            go_on(vblk);
            steps++;
        } else if (finish_request(vblk)) {
            finished = true;
        } else {
            stop_broken(vblk);
        }
    }
    if (finished && vqueue_wants_interrupt(&vblk->queue, &vblk->memory))
        vblk->interrupt_status |= VIRTIO_INTERRUPT_USED;
    vdev_line_set(&vblk->line, vblk->interrupt_status != 0);
    return vblk->more;
}
