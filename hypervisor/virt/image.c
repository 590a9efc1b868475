/* SPDX-License-Identifier: MIT */
#include "virt/image.h"

#include "core/vm.h"
#include "debug/log.h"
#include "elf.h"
#include "mem/guest_memory.h"

enum {
    STEP_BYTES = 4 * FRAME_BYTES, /* copied in one step, by words */
    STEP_SINGLE_BYTES = 2048, /* the same, byte by byte, for a place aligned unlike its source */
};

u64 image_memory_end(const struct vm *vm)
{
    return VM_MEMORY_BASE + vm->config.memory_bytes;
}

bool image_ranges_meet(u64 a, u64 a_end, u64 b, u64 b_end)
{
    return a < b_end && b < a_end;
}

const char *image_admit(struct vm *vm)
{
    struct elf_image elf;
    struct elf_segment segment;
    int error = elf_open(&elf, vm->config.image, vm->config.image_bytes, vm->config.image_bytes);

    if (error != ELF_OK)
        return elf_error_text(error);
    if (elf_check_physical_range(&elf, VM_MEMORY_BASE, vm->config.memory_bytes) != ELF_OK)
        return "its image does not fit into its memory";
    vm->image = (struct vm_image){.base = image_memory_end(vm), .entry = elf.entry};
    for (u32 cursor = 0; elf_next_segment(&elf, &cursor, &segment);) {
        u64 end = segment.physical_address + segment.memory_bytes;

        vm->image.segments[vm->image.segment_count++] = segment;
        vm->image.base = min(vm->image.base, segment.physical_address);
        vm->image.end = max(vm->image.end, end);
    }
    return NULL;
}

const char *image_place_initrd(struct vm *vm, u64 more_bytes)
{
    u64 room = image_memory_end(vm) - ALIGN_UP(vm->image.end, (u64)FRAME_BYTES);
    u64 initrd = ALIGN_UP(vm->config.initrd_bytes, (u64)FRAME_BYTES);

    if (vm->config.initrd_bytes > room || room - initrd < more_bytes)
        return "its memory is too small for its image and initrd: give it more (mem=)";
    vm->image.initrd = image_memory_end(vm) - initrd;
    return NULL;
}

/* Pages that are not there are left out: none are. */
void image_load_bytes(const struct vm *vm, u64 to, const void *from, u64 bytes)
{
    if (guest_copy_out(vm, gpa(to), from, bytes) != HC_OK)
        log_vm_line(vm->name, "part of its image was not loaded");
}

u64 image_step_bytes(u64 to, const u8 *from, u64 left)
{
    bool alike = (to ^ (u64)from) % sizeof(u64) == 0;

    return min(left, alike ? (u64)STEP_BYTES : (u64)STEP_SINGLE_BYTES);
}

/* What is copied: the segments, then the initrd. */
struct piece {
    const u8 *from;
    u64 to;
    u64 bytes;
};

static struct piece piece_of(const struct vm *vm, u32 number)
{
    const struct elf_segment *segment = &vm->image.segments[number];

    if (number == vm->image.segment_count)
        return (struct piece){vm->config.initrd, vm->image.initrd, vm->config.initrd_bytes};
    return (struct piece){vm->config.image + segment->offset, segment->physical_address,
                          segment->file_bytes};
}

/* The cursor counts through the bytes of all pieces, one behind the other. */
bool image_step(const struct vm *vm, u64 *cursor)
{
    u64 offset = *cursor;

    for (u32 i = 0; i <= vm->image.segment_count; i++) {
        struct piece piece = piece_of(vm, i);
        u64 bytes;

        if (offset >= piece.bytes) {
            offset -= piece.bytes;
            continue;
        }
        piece.from += offset;
        piece.to += offset;
        bytes = image_step_bytes(piece.to, piece.from, piece.bytes - offset);
        image_load_bytes(vm, piece.to, piece.from, bytes);
        *cursor += bytes;
        return true;
    }
    return false;
}
