/* SPDX-License-Identifier: MIT */
#include "virt/shadow/disk.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "mem/frame.h"
#include "string.h"
#include "virt/image.h"
#include "virt/shadow/shadow.h"

static u8 *bytes_at(const struct vm *vm, u64 offset)
{
    u8 *chunk = arch_frame_bytes(vm->shadow->disk.chunks[offset / CHUNK_BYTES]);

    return chunk + offset % CHUNK_BYTES;
}

static bool sector_read(void *context, u64 sector, u8 *bytes)
{
    memcpy(bytes, bytes_at(context, sector * VBLK_SECTOR_BYTES), VBLK_SECTOR_BYTES);
    return true;
}

static bool sector_write(void *context, u64 sector, const u8 *bytes)
{
    memcpy(bytes_at(context, sector * VBLK_SECTOR_BYTES), bytes, VBLK_SECTOR_BYTES);
    return true;
}

const struct vblk_media shadow_disk_media = {sector_read, sector_write};

int shadow_disk_make(struct vm *vm)
{
    struct shadow_disk *disk = &vm->shadow->disk;
    u64 room = (u64)vm->disk_chunks * CHUNK_BYTES, end = min(room, vm->config.disk_bytes), bytes;
    const u8 *from = vm->config.disk + disk->copied;

    if (disk->copied == vm->config.disk_bytes)
        return 0;
    if (disk->copied == end) {
        disk->chunks[vm->disk_chunks] = frame_chunk_alloc(vm->id);
        if (!mfn_valid(disk->chunks[vm->disk_chunks]))
            return -1;
        vm->disk_chunks++;
        return 1;
    }
    bytes = image_step_bytes((u64)bytes_at(vm, disk->copied), from, end - disk->copied);
    memcpy(bytes_at(vm, disk->copied), from, bytes);
    disk->copied += bytes;
    return 1;
}

bool shadow_disk_free(struct vm *vm)
{
    if (vm->disk_chunks == 0)
        return false;
    vm->disk_chunks--;
    frame_chunk_free(vm->shadow->disk.chunks[vm->disk_chunks]);
    return true;
}
