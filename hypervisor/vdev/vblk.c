/* SPDX-License-Identifier: MIT */
/*
 * The block device's model: see vblk.h. Here its requests; its registers are in vblk_registers.c.
 */
#include "vdev/vblk.h"

#include "endian.h"
#include "string.h"
#include "vdev/vblk_registers.h"

/* struct virtio_blk_req (5.2.6). */
enum {
    HEADER_BYTES = 16,
    HEADER_SECTOR = 8,
    STATUS_BYTES = 1,
    DESCRIPTORS_A_STEP = 8,
};

enum request_type { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8 };

enum request_status { STATUS_OK = 0, STATUS_IO_ERROR = 1, STATUS_UNSUPPORTED = 2 };

/* Reads and writes of sectors: whole ones, within the device. */
static u8 begin_transfer(const struct vblk *vblk, struct vblk_request *request, u64 bytes)
{
    u64 sectors = bytes / VBLK_SECTOR_BYTES;

    if (bytes % VBLK_SECTOR_BYTES != 0 || request->sector > vblk->capacity ||
        sectors > vblk->capacity - request->sector ||
        (request->type == TYPE_OUT && vblk->read_only))
        return STATUS_IO_ERROR;
    request->sectors_left = sectors;
    return STATUS_OK;
}

static u8 identify(const struct vblk *vblk, struct vblk_request *request)
{
    u64 room = request->chain.writable_bytes - STATUS_BYTES;
    u32 bytes = (u32)min(room, (u64)VBLK_ID_BYTES);

    if (!vqueue_copy_out(&request->chain, &request->cursor, &vblk->memory, vblk->id, bytes))
        return STATUS_IO_ERROR;
    request->written = bytes;
    return STATUS_OK;
}

/* Begins with the chain that was taken; false: it is no request, not even one that can fail. */
static bool begin_request(struct vblk *vblk)
{
    struct vblk_request *request = &vblk->request;
    const struct vqueue_chain *chain = &request->chain;
    u8 header[HEADER_BYTES];

    request->cursor = (struct vqueue_cursor){0};
    request->sectors_left = 0;
    request->written = 0;
    if (chain->readable_bytes < HEADER_BYTES || chain->writable_bytes < STATUS_BYTES ||
        !vqueue_copy_in(chain, &request->cursor, &vblk->memory, header, sizeof(header)))
        return false;
    request->active = true;
    request->type = load_le32(header);
    request->sector = load_le64(header + HEADER_SECTOR);
    if (request->type != TYPE_OUT)
        request->cursor = (struct vqueue_cursor){.buffer = chain->readable_count};
    switch (request->type) {
    case TYPE_IN:
        request->status = begin_transfer(vblk, request, chain->writable_bytes - STATUS_BYTES);
        break;
    case TYPE_OUT:
        request->status = begin_transfer(vblk, request, chain->readable_bytes - HEADER_BYTES);
        break;
    case TYPE_FLUSH: /* what was written is where it belongs */
        request->status = STATUS_OK;
        break;
    case TYPE_GET_ID:
        request->status = identify(vblk, request);
        break;
    default:
        request->status = STATUS_UNSUPPORTED;
    }
    return true;
}

static bool read_sector(struct vblk *vblk)
{
    struct vblk_request *request = &vblk->request;

    if (!vblk->media->read(vblk->media_context, request->sector, vblk->sector) ||
        !vqueue_copy_out(&request->chain, &request->cursor, &vblk->memory, vblk->sector,
                         VBLK_SECTOR_BYTES))
        return false;
    request->written += VBLK_SECTOR_BYTES;
    return true;
}

static bool write_sector(struct vblk *vblk)
{
    struct vblk_request *request = &vblk->request;

    return vqueue_copy_in(&request->chain, &request->cursor, &vblk->memory, vblk->sector,
                          VBLK_SECTOR_BYTES) &&
           vblk->media->write(vblk->media_context, request->sector, vblk->sector);
}

static void transfer_sector(struct vblk *vblk)
{
    struct vblk_request *request = &vblk->request;

    if (request->type == TYPE_IN ? read_sector(vblk) : write_sector(vblk)) {
        request->sector++;
        request->sectors_left--;
    } else {
        request->status = STATUS_IO_ERROR;
        request->sectors_left = 0;
    }
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
    vblk->status |= VBLK_STATUS_NEEDS_RESET;
    vblk->interrupt_status |= VBLK_INTERRUPT_CONFIGURATION;
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
        if (!vblk_registers_running(vblk) ||
            (!vblk->request.active && !next_request(vblk, &steps))) {
            vblk->more = false;
        } else if (vblk->request.sectors_left > 0) {
            transfer_sector(vblk);
            steps++;
        } else if (finish_request(vblk)) {
            finished = true;
        } else {
            stop_broken(vblk);
        }
    }
    if (finished && vqueue_wants_interrupt(&vblk->queue, &vblk->memory))
        vblk->interrupt_status |= VBLK_INTERRUPT_USED;
    vdev_line_set(&vblk->line, vblk->interrupt_status != 0);
    return vblk->more;
}
