/* SPDX-License-Identifier: MIT */
/*
 * The ELF reader: a good image is read as it stands; every damage has its own error; no damage at
 * all makes it read outside the bytes (the address sanitizer watches, as each image stands in an
 * allocation of its own).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "elf.h"

#include "string.h"

enum {
    HEADER_BYTES = 64,
    SEGMENT_BYTES = 56,
    NOTE_AT = HEADER_BYTES + 3 * SEGMENT_BYTES,
    NOTE_BYTES = 12 + 8 + 24,
    TEXT_AT = 512,
    TEXT_BYTES = 256,
    IMAGE_BYTES = 1024,
    NOTE_TYPE = 1,
};

static void put(u8 *at, u64 value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (u8)(value >> (8 * i));
}

static void put_segment(u8 *image, int index, u32 type, u32 flags, u64 offset, u64 address,
                        u64 file, u64 memory)
{
    u8 *p = image + HEADER_BYTES + index * SEGMENT_BYTES;

    put(p, type, 4);
    put(p + 4, flags, 4);
    put(p + 8, offset, 8);
    put(p + 16, address + 0x40000000, 8);
    put(p + 24, address, 8);
    put(p + 32, file, 8);
    put(p + 40, memory, 8);
    put(p + 48, 4096, 8);
}

/* Two load segments and a note. */
static u8 *make_image(void)
{
    u8 *image = calloc(1, IMAGE_BYTES);
    u8 *note = image + NOTE_AT;

    memcpy(image, "\177ELF\2\1\1", 7);
    put(image + 16, 2, 2);
    put(image + 18, 243, 2);
    put(image + 20, 1, 4);
    put(image + 24, 0x80200010, 8);
    put(image + 32, HEADER_BYTES, 8);
    put(image + 52, HEADER_BYTES, 2);
    put(image + 54, SEGMENT_BYTES, 2);
    put(image + 56, 3, 2);
    put_segment(image, 0, 1, ELF_READ | ELF_EXECUTE, TEXT_AT, 0x80200000, TEXT_BYTES, TEXT_BYTES);
    put_segment(image, 1, 1, ELF_READ | ELF_WRITE, TEXT_AT + TEXT_BYTES, 0x80201000, 16, 4096);
    put_segment(image, 2, 4, ELF_READ, NOTE_AT, 0, NOTE_BYTES, NOTE_BYTES);
    put(note, 7, 4);
    put(note + 4, 24, 4);
    put(note + 8, NOTE_TYPE, 4);
    memcpy(note + 12, "Candor\0", 7);
    put(note + 20, 0x1234, 8);
    return image;
}

static int open_bytes(const u8 *image, u64 bytes)
{
    struct elf_image elf;

    return elf_open(&elf, image, bytes, bytes);
}

static void a_good_image_is_read(void **state)
{
    u8 *image = make_image();
    struct elf_image elf;
    struct elf_segment segment;
    u32 cursor = 0, bytes;
    const void *note;

    (void)state;
    assert_int_equal(elf_open(&elf, image, IMAGE_BYTES, IMAGE_BYTES), ELF_OK);
    assert_int_equal(elf.entry, 0x80200010);
    assert_true(elf_next_segment(&elf, &cursor, &segment));
    assert_int_equal(segment.physical_address, 0x80200000);
    assert_int_equal(segment.virtual_address, 0xc0200000);
    assert_int_equal(segment.flags, ELF_READ | ELF_EXECUTE);
    assert_true(elf_next_segment(&elf, &cursor, &segment));
    assert_int_equal(segment.memory_bytes, 4096);
    assert_false(elf_next_segment(&elf, &cursor, &segment));
    assert_int_equal(elf_find_note(&elf, "Candor", NOTE_TYPE, &note, &bytes), ELF_OK);
    assert_int_equal(bytes, 24);
    assert_ptr_equal(note, image + NOTE_AT + 20);
    assert_int_equal(elf_find_note(&elf, "Candor", 2, &note, &bytes), ELF_NOTE_MISSING);
    assert_int_equal(elf_find_note(&elf, "Xen", NOTE_TYPE, &note, &bytes), ELF_NOTE_MISSING);
    assert_int_equal(elf_check_physical_range(&elf, 0x80200000, 0x2000), ELF_OK);
    assert_int_equal(elf_check_physical_range(&elf, 0x80200000, 0x1fff), ELF_OUTSIDE_MEMORY);
    assert_int_equal(elf_check_physical_range(&elf, 0x80201000, 0x2000), ELF_OUTSIDE_MEMORY);
    free(image);
}

struct damage {
    u32 at;
    u32 bytes;
    u64 value;
    int error;
};

#define IN_SEGMENT(index, at) (HEADER_BYTES + (index)*SEGMENT_BYTES + (at))

static void each_damage_has_its_error(void **state)
{
    static const struct damage damages[] = {
        {0, 1, 0, ELF_NOT_ELF},
        {4, 1, 1, ELF_NOT_64_LITTLE},
        {5, 1, 2, ELF_NOT_64_LITTLE},
        {16, 2, 3, ELF_NOT_EXECUTABLE},
        {18, 2, 62, ELF_NOT_RISCV},
        {24, 8, 0x80201000, ELF_ENTRY_OUTSIDE},
        {32, 8, UINT64_MAX - 3, ELF_TRUNCATED},
        {32, 8, IMAGE_BYTES - 100, ELF_TRUNCATED},
        {54, 2, 32, ELF_BAD_HEADER_TABLE},
        {54, 2, 0xffff, ELF_TRUNCATED},
        {56, 2, 0, ELF_NO_SEGMENTS},
        {56, 2, 33, ELF_BAD_HEADER_TABLE},
        {IN_SEGMENT(0, 0), 4, 4, ELF_ENTRY_OUTSIDE},
        {IN_SEGMENT(0, 8), 8, UINT64_MAX, ELF_SEGMENT_TRUNCATED},
        {IN_SEGMENT(0, 8), 8, IMAGE_BYTES - TEXT_BYTES + 1, ELF_SEGMENT_TRUNCATED},
        {IN_SEGMENT(0, 16), 8, UINT64_MAX - 10, ELF_SEGMENT_WRAPS},
        {IN_SEGMENT(0, 24), 8, UINT64_MAX - 10, ELF_SEGMENT_WRAPS},
        {IN_SEGMENT(0, 24), 8, 0x80201fff, ELF_SEGMENTS_OVERLAP},
        {IN_SEGMENT(0, 32), 8, UINT64_MAX, ELF_SEGMENT_SIZES},
        {IN_SEGMENT(0, 40), 8, TEXT_BYTES - 1, ELF_SEGMENT_SIZES},
        {IN_SEGMENT(0, 40), 8, UINT64_MAX, ELF_SEGMENT_WRAPS},
        {IN_SEGMENT(0, 40), 8, 0x1001, ELF_SEGMENTS_OVERLAP},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        u8 *image = make_image();

        put(image + damages[i].at, damages[i].value, (int)damages[i].bytes);
        int error = open_bytes(image, IMAGE_BYTES);
        if (error != damages[i].error)
            print_error("damage %zu: %s\n", i, elf_error_text(error));
        assert_int_equal(error, damages[i].error);
        free(image);
    }
}

static void damaged_notes_are_told(void **state)
{
    struct elf_image elf;
    const void *note;
    u32 bytes;

    (void)state;
    for (int field = 0; field < 2; field++) {
        u8 *image = make_image();

        put(image + NOTE_AT + 4 * field, 0xfffffffd, 4);
        assert_int_equal(elf_open(&elf, image, IMAGE_BYTES, IMAGE_BYTES), ELF_OK);
        assert_int_equal(elf_find_note(&elf, "Candor", 1, &note, &bytes), ELF_NOTE_DAMAGED);
        free(image);
    }
}

static void a_cut_image_is_refused_at_every_length(void **state)
{
    u8 *whole = make_image();

    (void)state;
    for (u64 bytes = 0; bytes < TEXT_AT + TEXT_BYTES + 16; bytes++) {
        u8 *image = malloc(bytes);

        memcpy(image, whole, bytes);
        int error = open_bytes(image, bytes);
        assert_true(error == ELF_TRUNCATED || error == ELF_SEGMENT_TRUNCATED);
        free(image);
    }
    free(whole);
}

static void headers_alone_are_enough_to_open(void **state)
{
    u8 *whole = make_image();
    u8 *page = malloc(NOTE_AT);
    struct elf_image elf;
    const void *note;
    u32 bytes;

    (void)state;
    memcpy(page, whole, NOTE_AT);
    assert_int_equal(elf_open(&elf, page, NOTE_AT, IMAGE_BYTES), ELF_OK);
    assert_int_equal(elf_find_note(&elf, "Candor", 1, &note, &bytes), ELF_NOTE_DAMAGED);
    free(page);
    free(whole);
}

static void no_damage_reads_outside_the_bytes(void **state)
{
    u32 seed = 12345;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        u8 *image = make_image();
        struct elf_image elf;

        for (int i = 0; i < 4; i++) {
            seed = seed * 1103515245 + 12345;
            image[(seed >> 8) % (NOTE_AT + NOTE_BYTES)] = (u8)(seed >> 24);
        }
        if (elf_open(&elf, image, IMAGE_BYTES, IMAGE_BYTES) == ELF_OK) {
            struct elf_segment segment;
            const void *note;
            u32 bytes;
            volatile u8 last = 0;

            for (u32 cursor = 0; elf_next_segment(&elf, &cursor, &segment);) {
                if (segment.file_bytes > 0)
                    last = image[segment.offset + segment.file_bytes - 1];
            }
            if (elf_find_note(&elf, "Candor", 1, &note, &bytes) == ELF_OK && bytes > 0)
                last = ((const u8 *)note)[bytes - 1];
            (void)last;
        }
        free(image);
    }
}

static void every_error_has_a_text(void **state)
{
    (void)state;
    for (int error = ELF_NOTE_MISSING; error <= ELF_OK; error++)
        assert_string_not_equal(elf_error_text(error), "unknown error");
    assert_string_equal(elf_error_text(-1000), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_image_is_read),
        cmocka_unit_test(each_damage_has_its_error),
        cmocka_unit_test(damaged_notes_are_told),
        cmocka_unit_test(a_cut_image_is_refused_at_every_length),
        cmocka_unit_test(headers_alone_are_enough_to_open),
        cmocka_unit_test(no_damage_reads_outside_the_bytes),
        cmocka_unit_test(every_error_has_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
