/* SPDX-License-Identifier: MIT */
/*
 * The ELF reader. The first byte's low bit gives the file a good identification; the second's says
 * how much of it is present. What is accepted must be what elf.h promises.
 */
#include <stdlib.h>

#include "elf.h"
#include "string.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    HEADER_BYTES = 64,
    PROGRAM_HEADER_BYTES = 56,
    EM_RISCV = 243,
};

static volatile u8 sink;

static void put16(u8 *at, u32 value)
{
    at[0] = (u8)value;
    at[1] = (u8)(value >> 8);
}

static void repair(u8 *bytes, u64 count)
{
    if (count < HEADER_BYTES)
        return;
    memcpy(bytes, "\177ELF\2\1\1", 7);
    put16(bytes + 16, 2);
    put16(bytes + 18, EM_RISCV);
    put16(bytes + 20, 1);
    put16(bytes + 22, 0);
    put16(bytes + 52, HEADER_BYTES);
    put16(bytes + 54, PROGRAM_HEADER_BYTES);
    put16(bytes + 56, bytes[56] % 6u);
    memset(bytes + 32, 0, 8);
    bytes[32] = HEADER_BYTES;
}

static void check_segments(const struct elf_image *image, u64 file_bytes)
{
    struct elf_segment one, other;
    u32 count = 0;

    for (u32 cursor = 0; elf_next_segment(image, &cursor, &one); count++) {
        if (count == ELF_SEGMENTS_MAX || one.memory_bytes == 0 ||
            one.file_bytes > one.memory_bytes || one.offset > file_bytes ||
            one.file_bytes > file_bytes - one.offset)
            abort();
        if (one.virtual_address + one.memory_bytes < one.virtual_address ||
            one.physical_address + one.memory_bytes < one.physical_address)
            abort();
        for (u32 inner = cursor; elf_next_segment(image, &inner, &other);) {
            if (one.virtual_address < other.virtual_address + other.memory_bytes &&
                other.virtual_address < one.virtual_address + one.memory_bytes)
                abort();
        }
    }
    if (count == 0)
        abort();
}

static void read_all(const u8 *bytes, u64 present, u64 file_bytes)
{
    struct elf_image image;
    const void *note;
    u32 note_bytes;
    int error = elf_open(&image, bytes, present, file_bytes);

    if (error != ELF_OK) {
        sink = (u8)*elf_error_text(error);
        return;
    }
    check_segments(&image, file_bytes);
    (void)!elf_check_physical_range(&image, 0x80000000, 1 << 24);
    if (elf_find_note(&image, "Candor", 1, &note, &note_bytes) == ELF_OK && note_bytes > 0) {
        sink = ((const u8 *)note)[0];
        sink = ((const u8 *)note)[note_bytes - 1];
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    u64 count, present;
    u8 *copy;

    if (bytes < 3)
        return 0;
    count = bytes - 2;
    present = (data[0] & 2) ? count * data[1] / 255 : count;
    copy = malloc(present > 0 ? present : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data + 2, present);
    if (data[0] & 1)
        repair(copy, present);
    read_all(copy, present, count);
    free(copy);
    return 0;
}
