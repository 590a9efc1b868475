/* SPDX-License-Identifier: MIT */
/*
 * Checked ELF64 reader. Every sum of untrusted numbers goes through range_within, which cannot
 * overflow. Layout: System V ABI, chapters "ELF Header", "Program Header" and "Note Section";
 * RISC-V ELF psABI.
 */
#include "elf.h"

#include "endian.h"
#include "string.h"

enum elf_layout {
    EI_CLASS = 4,
    EI_DATA = 5,
    EI_VERSION = 6,
    ELFCLASS64 = 2,
    ELFDATA2LSB = 1,
    EV_CURRENT = 1,
    ET_EXEC = 2,
    EM_RISCV = 243,
    EHDR_TYPE = 16,
    EHDR_MACHINE = 18,
    EHDR_ENTRY = 24,
    EHDR_PHOFF = 32,
    EHDR_PHENTSIZE = 54,
    EHDR_PHNUM = 56,
    EHDR_BYTES = 64,
    PHDR_TYPE = 0,
    PHDR_FLAGS = 4,
    PHDR_OFFSET = 8,
    PHDR_VADDR = 16,
    PHDR_PADDR = 24,
    PHDR_FILESZ = 32,
    PHDR_MEMSZ = 40,
    PHDR_BYTES = 56,
    PT_LOAD = 1,
    PT_NOTE = 4,
    NOTE_NAMESZ = 0,
    NOTE_DESCSZ = 4,
    NOTE_TYPE = 8,
    NOTE_HEADER_BYTES = 12,
    NOTE_ALIGN = 4,
};

static const u8 elf_magic[] = {0x7f, 'E', 'L', 'F'};

/* [offset, offset + bytes) within [0, limit). */
static bool range_within(u64 offset, u64 bytes, u64 limit)
{
    return offset <= limit && bytes <= limit - offset;
}

static bool ranges_overlap(u64 a, u64 a_bytes, u64 b, u64 b_bytes)
{
    return a < b ? b - a < a_bytes : a - b < b_bytes;
}

static const u8 *program_header(const struct elf_image *image, u32 index)
{
    return image->bytes + image->headers_offset + (u64)index * image->header_bytes;
}

static void read_segment(const u8 *header, struct elf_segment *s)
{
    s->flags = load_le32(header + PHDR_FLAGS);
    s->offset = load_le64(header + PHDR_OFFSET);
    s->virtual_address = load_le64(header + PHDR_VADDR);
    s->physical_address = load_le64(header + PHDR_PADDR);
    s->file_bytes = load_le64(header + PHDR_FILESZ);
    s->memory_bytes = load_le64(header + PHDR_MEMSZ);
}

bool elf_next_segment(const struct elf_image *image, u32 *cursor, struct elf_segment *segment)
{
    while (*cursor < image->headers_count) {
        const u8 *header = program_header(image, (*cursor)++);

        if (load_le32(header + PHDR_TYPE) != PT_LOAD)
            continue;
        read_segment(header, segment);
        if (segment->memory_bytes > 0)
            return true;
    }
    return false;
}

static int check_file_header(struct elf_image *image)
{
    const u8 *b = image->bytes;

    if (image->present_bytes < sizeof(elf_magic))
        return ELF_TRUNCATED;
    if (memcmp(b, elf_magic, sizeof(elf_magic)) != 0)
        return ELF_NOT_ELF;
    if (image->present_bytes < EHDR_BYTES)
        return ELF_TRUNCATED;
    if (b[EI_CLASS] != ELFCLASS64 || b[EI_DATA] != ELFDATA2LSB || b[EI_VERSION] != EV_CURRENT)
        return ELF_NOT_64_LITTLE;
    if (load_le16(b + EHDR_MACHINE) != EM_RISCV)
        return ELF_NOT_RISCV;
    if (load_le16(b + EHDR_TYPE) != ET_EXEC)
        return ELF_NOT_EXECUTABLE;
    image->entry = load_le64(b + EHDR_ENTRY);
    image->headers_offset = load_le64(b + EHDR_PHOFF);
    image->header_bytes = load_le16(b + EHDR_PHENTSIZE);
    image->headers_count = load_le16(b + EHDR_PHNUM);
    if (image->headers_count == 0)
        return ELF_NO_SEGMENTS;
    if (image->headers_count > ELF_SEGMENTS_MAX || image->header_bytes < PHDR_BYTES)
        return ELF_BAD_HEADER_TABLE;
    if (!range_within(image->headers_offset, (u64)image->headers_count * image->header_bytes,
                      image->present_bytes))
        return ELF_TRUNCATED;
    return ELF_OK;
}

static int check_segment(const struct elf_segment *s, u64 file_bytes)
{
    if (s->file_bytes > s->memory_bytes)
        return ELF_SEGMENT_SIZES;
    if (!range_within(s->offset, s->file_bytes, file_bytes))
        return ELF_SEGMENT_TRUNCATED;
    if (!range_within(s->virtual_address, s->memory_bytes, UINT64_MAX) ||
        !range_within(s->physical_address, s->memory_bytes, UINT64_MAX))
        return ELF_SEGMENT_WRAPS;
    return ELF_OK;
}

static bool overlaps_earlier(const struct elf_image *image, u32 position,
                             const struct elf_segment *segment)
{
    struct elf_segment earlier;
    u32 cursor = 0;

    while (elf_next_segment(image, &cursor, &earlier) && cursor < position) {
        if (ranges_overlap(earlier.virtual_address, earlier.memory_bytes, segment->virtual_address,
                           segment->memory_bytes) ||
            ranges_overlap(earlier.physical_address, earlier.memory_bytes,
                           segment->physical_address, segment->memory_bytes))
            return true;
    }
    return false;
}

static bool entry_inside(const struct elf_image *image, const struct elf_segment *s)
{
    return (s->flags & ELF_EXECUTE) != 0 && (image->entry - s->virtual_address < s->memory_bytes ||
                                             image->entry - s->physical_address < s->memory_bytes);
}

static int check_segments(const struct elf_image *image, u64 file_bytes)
{
    struct elf_segment segment;
    bool any = false, entry_found = false;

    for (u32 cursor = 0; elf_next_segment(image, &cursor, &segment);) {
        int error = check_segment(&segment, file_bytes);

        if (error != ELF_OK)
            return error;
        if (overlaps_earlier(image, cursor, &segment))
            return ELF_SEGMENTS_OVERLAP;
        any = true;
        entry_found |= entry_inside(image, &segment);
    }
    if (!any)
        return ELF_NO_SEGMENTS;
    return entry_found ? ELF_OK : ELF_ENTRY_OUTSIDE;
}

int elf_open(struct elf_image *image, const void *bytes, u64 present_bytes, u64 file_bytes)
{
    *image = (struct elf_image){.bytes = bytes, .present_bytes = min(present_bytes, file_bytes)};
    int error = check_file_header(image);

    return error != ELF_OK ? error : check_segments(image, file_bytes);
}

int elf_check_physical_range(const struct elf_image *image, u64 base, u64 size_bytes)
{
    struct elf_segment s;

    for (u32 cursor = 0; elf_next_segment(image, &cursor, &s);) {
        if (s.physical_address < base ||
            !range_within(s.physical_address - base, s.memory_bytes, size_bytes))
            return ELF_OUTSIDE_MEMORY;
    }
    return ELF_OK;
}

/* Looks through one note segment of `bytes` bytes at `at`. */
static int find_in_notes(const u8 *at, u64 bytes, const char *owner, u32 type,
                         const void **descriptor, u32 *descriptor_bytes)
{
    u64 owner_bytes = strlen(owner) + 1;

    while (bytes >= NOTE_HEADER_BYTES) {
        u64 name_bytes = load_le32(at + NOTE_NAMESZ);
        u64 desc_bytes = load_le32(at + NOTE_DESCSZ);
        u64 desc_at = NOTE_HEADER_BYTES + ALIGN_UP(name_bytes, NOTE_ALIGN);
        u64 next_at = desc_at + ALIGN_UP(desc_bytes, NOTE_ALIGN);

        if (desc_at + desc_bytes > bytes)
            return ELF_NOTE_DAMAGED;
        if (load_le32(at + NOTE_TYPE) == type && name_bytes == owner_bytes &&
            memcmp(at + NOTE_HEADER_BYTES, owner, owner_bytes) == 0) {
            *descriptor = at + desc_at;
            *descriptor_bytes = (u32)desc_bytes;
            return ELF_OK;
        }
        next_at = min(next_at, bytes);
        at += next_at;
        bytes -= next_at;
    }
    return ELF_NOTE_MISSING;
}

int elf_find_note(const struct elf_image *image, const char *owner, u32 type,
                  const void **descriptor, u32 *descriptor_bytes)
{
    for (u32 i = 0; i < image->headers_count; i++) {
        const u8 *header = program_header(image, i);
        struct elf_segment s;

        if (load_le32(header + PHDR_TYPE) != PT_NOTE)
            continue;
        read_segment(header, &s);
        if (!range_within(s.offset, s.file_bytes, image->present_bytes))
            return ELF_NOTE_DAMAGED;
        int error = find_in_notes(image->bytes + s.offset, s.file_bytes, owner, type, descriptor,
                                  descriptor_bytes);
        if (error != ELF_NOTE_MISSING)
            return error;
    }
    return ELF_NOTE_MISSING;
}

const char *elf_error_text(int error)
{
    switch ((enum elf_error)error) {
    case ELF_OK:
        return "no error";
    case ELF_TRUNCATED:
        return "the file is cut short within its headers";
    case ELF_NOT_ELF:
        return "it is not an ELF file";
    case ELF_NOT_64_LITTLE:
        return "it is not a 64-bit little-endian ELF file";
    case ELF_NOT_RISCV:
        return "it is not for RISC-V";
    case ELF_NOT_EXECUTABLE:
        return "it is not an executable (a library, an object or a position-independent file)";
    case ELF_BAD_HEADER_TABLE:
        return "its program header table is damaged";
    case ELF_NO_SEGMENTS:
        return "it has no segment to load";
    case ELF_SEGMENT_TRUNCATED:
        return "the file is cut short within a segment";
    case ELF_SEGMENT_SIZES:
        return "a segment has more bytes in the file than in memory";
    case ELF_SEGMENT_WRAPS:
        return "a segment runs past the end of the address space";
    case ELF_SEGMENTS_OVERLAP:
        return "two segments overlap";
    case ELF_ENTRY_OUTSIDE:
        return "its entry lies in no executable segment";
    case ELF_OUTSIDE_MEMORY:
        return "a segment lies outside the memory";
    case ELF_NOTE_DAMAGED:
        return "its notes are damaged";
    case ELF_NOTE_MISSING:
        return "it has no such note";
    }
    return "unknown error";
}
