/* SPDX-License-Identifier: MIT */
/*
 * Checked reader of ELF64 RISC-V executables held in memory and not trusted.
 *
 * elf_open checks everything once; the other functions then need no error returns, provided that
 * the bytes do not change meanwhile. Nothing is allocated and nothing is modified. Any alignment of
 * the bytes will do.
 */
#pragma once

#include "types.h"

enum elf_error {
    ELF_OK = 0,
    ELF_TRUNCATED = -1,
    ELF_NOT_ELF = -2,
    ELF_NOT_64_LITTLE = -3,
    ELF_NOT_RISCV = -4,
    ELF_NOT_EXECUTABLE = -5,
    ELF_BAD_HEADER_TABLE = -6,
    ELF_NO_SEGMENTS = -7,
    ELF_SEGMENT_TRUNCATED = -8,
    ELF_SEGMENT_SIZES = -9,
    ELF_SEGMENT_WRAPS = -10,
    ELF_SEGMENTS_OVERLAP = -11,
    ELF_ENTRY_OUTSIDE = -12,
    ELF_OUTSIDE_MEMORY = -13,
    ELF_NOTE_DAMAGED = -14,
    ELF_NOTE_MISSING = -15,
};

enum elf_segment_flags {
    ELF_EXECUTE = 1,
    ELF_WRITE = 2,
    ELF_READ = 4,
};

enum { ELF_SEGMENTS_MAX = 32 };

/* A checked image. `bytes` stays the caller's and must outlive this. */
struct elf_image {
    const u8 *bytes;
    u64 present_bytes;
    u64 entry;
    u64 headers_offset;
    u32 headers_count;
    u32 header_bytes;
};

/* A loadable segment: file_bytes <= memory_bytes, memory_bytes > 0; the rest is zero-filled. */
struct elf_segment {
    u64 offset;
    u64 virtual_address;
    u64 physical_address;
    u64 file_bytes;
    u64 memory_bytes;
    u32 flags; /* enum elf_segment_flags */
};

/*
 * Checks the image whose first `present_bytes` stand at `bytes` and whose whole file has
 * `file_bytes` (present_bytes <= file_bytes; a reader that maps only the first page passes that
 * page). The headers must lie within what is present, the segments within the file. Load segments
 * overlap neither by virtual nor by physical address, and the entry lies in an executable one, by
 * either kind of address. Returns ELF_OK or an error; *image is valid only after ELF_OK.
 */
MUST_CHECK int elf_open(struct elf_image *image, const void *bytes, u64 present_bytes,
                        u64 file_bytes);

/* Steps through the load segments: *cursor starts at 0. False when there are no more. */
bool elf_next_segment(const struct elf_image *image, u32 *cursor, struct elf_segment *segment);

/* ELF_OK if every load segment's physical range lies in [base, base + size_bytes), else
 * ELF_OUTSIDE_MEMORY. */
MUST_CHECK int elf_check_physical_range(const struct elf_image *image, u64 base, u64 size_bytes);

/*
 * Finds the first note of this owner and type. The descriptor stays inside the image's bytes (any
 * alignment). ELF_NOTE_MISSING, or ELF_NOTE_DAMAGED when a note before it does not fit its segment
 * or the bytes present.
 */
MUST_CHECK int elf_find_note(const struct elf_image *image, const char *owner, u32 type,
                             const void **descriptor, u32 *descriptor_bytes);

/* One clause for a person, without a full stop; never NULL. */
const char *elf_error_text(int error);
