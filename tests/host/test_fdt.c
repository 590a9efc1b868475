/* SPDX-License-Identifier: MIT */
/*
 * The device tree reader, on a tree built here: lookups, and that no damage makes it read outside
 * the bytes or run for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fdt.h"

#include "endian.h"
#include "string.h"

enum {
    HEADER = 40,
    RESERVED = HEADER,
    STRUCTURE = HEADER + 32,
    BLOCK_MAX = 8192,
};

static struct {
    u8 structure[BLOCK_MAX];
    char strings[BLOCK_MAX];
    u32 structure_bytes, strings_bytes;
} builder;

static void put_be32(u8 *at, u32 value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (u8)(value >> (24 - 8 * i));
}

static void add_word(u32 value)
{
    put_be32(builder.structure + builder.structure_bytes, value);
    builder.structure_bytes += 4;
}

static void add_bytes(const void *bytes, u32 count)
{
    memcpy(builder.structure + builder.structure_bytes, bytes, count);
    builder.structure_bytes += count;
    while (builder.structure_bytes % 4 != 0)
        builder.structure[builder.structure_bytes++] = 0;
}

static void begin(const char *name)
{
    add_word(1);
    add_bytes(name, (u32)strlen(name) + 1);
}

static void end(void)
{
    add_word(2);
}

static void property(const char *name, const void *bytes, u32 count)
{
    add_word(3);
    add_word(count);
    add_word(builder.strings_bytes);
    add_bytes(bytes, count);
    memcpy(builder.strings + builder.strings_bytes, name, strlen(name) + 1);
    builder.strings_bytes += (u32)strlen(name) + 1;
}

static void cells(const char *name, const u32 *values, u32 count)
{
    u8 bytes[64];

    for (u32 i = 0; i < count; i++)
        put_be32(bytes + 4 * i, values[i]);
    property(name, bytes, 4 * count);
}

#define CELLS(name, ...) \
    cells(name, (const u32[]){__VA_ARGS__}, sizeof((const u32[]){__VA_ARGS__}) / sizeof(u32))

static u8 *finish(u32 *total)
{
    u32 strings_at = STRUCTURE + builder.structure_bytes + 4;

    add_word(9);
    strings_at = STRUCTURE + builder.structure_bytes;
    *total = strings_at + builder.strings_bytes;
    u8 *blob = calloc(1, *total);
    put_be32(blob, 0xd00dfeed);
    put_be32(blob + 4, *total);
    put_be32(blob + 8, STRUCTURE);
    put_be32(blob + 12, strings_at);
    put_be32(blob + 16, RESERVED);
    put_be32(blob + 20, 17);
    put_be32(blob + 24, 16);
    put_be32(blob + 32, builder.strings_bytes);
    put_be32(blob + 36, builder.structure_bytes);
    put_be32(blob + RESERVED + 4, 0x1000);
    put_be32(blob + RESERVED + 12, 0x2000);
    memcpy(blob + STRUCTURE, builder.structure, builder.structure_bytes);
    memcpy(blob + strings_at, builder.strings, builder.strings_bytes);
    return blob;
}

/* A small machine; its isa string is longer than any buffer that a reader might think of. */
static u8 *make_tree(u32 *total)
{
    char isa[2000];

    memset(&builder, 0, sizeof(builder));
    memset(isa, 'x', sizeof(isa));
    isa[sizeof(isa) - 1] = '\0';
    begin("");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    property("model", "test machine", 13);
    begin("cpus");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 0);
    CELLS("timebase-frequency", 10000000);
    begin("cpu@0");
    CELLS("reg", 0);
    property("riscv,isa", isa, sizeof(isa));
    begin("interrupt-controller");
    CELLS("phandle", 7);
    end();
    end();
    begin("cpu@5");
    CELLS("reg", 5);
    property("status", "disabled", 9);
    add_word(4);
    end();
    end();
    begin("memory@80000000");
    property("device_type", "memory", 7);
    CELLS("reg", 0, 0x80000000, 1, 0x40000000, 2, 0, 0, 4096);
    end();
    begin("soc");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    begin("serial@10000000");
    CELLS("reg", 0, 0x10000000, 0, 0x100);
    property("compatible", "other\0ns16550a", 15);
    end();
    begin("serial@10001000");
    CELLS("reg", 0, 0x10001000, 0, 0x100);
    property("compatible", "ns16550a", 9);
    end();
    end();
    end();
    return finish(total);
}

static void lookups_find_what_is_there(void **state)
{
    u32 total, value;
    u8 *blob = make_tree(&total);
    struct fdt tree;
    struct fdt_range range;
    u64 number;

    (void)state;
    assert_int_equal(fdt_open(&tree, blob, total), FDT_OK);
    assert_string_equal(fdt_property_string(&tree, FDT_ROOT, "model"), "test machine");
    i32 cpus = fdt_find_path(&tree, "/cpus");
    assert_true(cpus > 0);
    assert_int_equal(fdt_property_number(&tree, cpus, "timebase-frequency", &number), FDT_OK);
    assert_int_equal(number, 10000000);
    i32 cpu = fdt_first_child(&tree, cpus);
    assert_string_equal(fdt_name(&tree, cpu), "cpu@0");
    assert_int_equal(strlen(fdt_property_string(&tree, cpu, "riscv,isa")), 1999);
    assert_int_equal(fdt_parent(&tree, cpu), cpus);
    assert_int_equal(fdt_find_path(&tree, "/cpus/cpu"), cpu);
    assert_int_equal(fdt_parent(&tree, fdt_find_phandle(&tree, 7)), cpu);
    assert_true(fdt_enabled(&tree, cpu));
    cpu = fdt_next_sibling(&tree, cpu);
    assert_int_equal(fdt_find_path(&tree, "/cpus/cpu@5"), cpu);
    assert_int_equal(fdt_reg(&tree, cpu, 0, &range), FDT_OK);
    assert_int_equal(range.base, 5);
    assert_int_equal(range.size_bytes, 0);
    assert_false(fdt_enabled(&tree, cpu));
    assert_int_equal(fdt_next_sibling(&tree, cpu), FDT_NONE);
    assert_int_equal(fdt_first_child(&tree, cpu), FDT_NONE);
    assert_int_equal(fdt_find_path(&tree, "/cpus/cpu@7"), FDT_NONE);
    assert_int_equal(fdt_find_path(&tree, "cpus"), FDT_NONE);
    assert_int_equal(fdt_find_path(&tree, "/"), FDT_ROOT);
    assert_int_equal(fdt_property_cell(&tree, cpus, "reg", 0, &value), FDT_NOT_FOUND);
    assert_int_equal(fdt_property_cell(&tree, cpu, "reg", 1, &value), FDT_NOT_FOUND);
    assert_int_equal(fdt_property_number(&tree, FDT_ROOT, "model", &number), FDT_BAD_VALUE);
    free(blob);
}

static void reg_and_reservations_are_ranges(void **state)
{
    u32 total;
    u8 *blob = make_tree(&total);
    struct fdt tree;
    struct fdt_range range;

    (void)state;
    assert_int_equal(fdt_open(&tree, blob, total), FDT_OK);
    i32 memory = fdt_find_path(&tree, "/memory");
    assert_int_equal(fdt_reg(&tree, memory, 0, &range), FDT_OK);
    assert_int_equal(range.base, 0x80000000);
    assert_int_equal(range.size_bytes, 0x140000000);
    assert_int_equal(fdt_reg(&tree, memory, 1, &range), FDT_OK);
    assert_int_equal(range.base, 0x200000000);
    assert_int_equal(fdt_reg(&tree, memory, 2, &range), FDT_NOT_FOUND);
    assert_int_equal(fdt_reg(&tree, FDT_ROOT, 0, &range), FDT_NOT_FOUND);
    assert_int_equal(fdt_reserved(&tree, 0, &range), FDT_OK);
    assert_int_equal(range.base, 0x1000);
    assert_int_equal(range.size_bytes, 0x2000);
    assert_int_equal(fdt_reserved(&tree, 1, &range), FDT_NOT_FOUND);
    free(blob);
}

static void compatible_is_a_list_and_goes_on(void **state)
{
    u32 total;
    u8 *blob = make_tree(&total);
    struct fdt tree;

    (void)state;
    assert_int_equal(fdt_open(&tree, blob, total), FDT_OK);
    i32 first = fdt_find_compatible(&tree, FDT_NONE, "ns16550a");
    assert_string_equal(fdt_name(&tree, first), "serial@10000000");
    i32 second = fdt_find_compatible(&tree, first, "ns16550a");
    assert_string_equal(fdt_name(&tree, second), "serial@10001000");
    assert_int_equal(fdt_find_compatible(&tree, second, "ns16550a"), FDT_NONE);
    assert_int_equal(fdt_find_compatible(&tree, FDT_NONE, "ns16550"), FDT_NONE);
    free(blob);
}

/* Uses everything that an opened tree offers. */
static void use_everything(const struct fdt *tree)
{
    struct fdt_range range;
    u32 value;

    for (i32 node = FDT_ROOT; node >= 0; node = fdt_next_node(tree, node, NULL)) {
        volatile size_t length = strlen(fdt_name(tree, node));

        (void)length;
        (void)!fdt_reg(tree, node, 0, &range);
        (void)!fdt_property_cell(tree, node, "phandle", 0, &value);
        (void)fdt_property_string(tree, node, "riscv,isa");
        (void)fdt_next_sibling(tree, node);
        (void)fdt_enabled(tree, node);
    }
    for (u32 i = 0; fdt_reserved(tree, i, &range) == FDT_OK; i++)
        ;
    (void)fdt_find_compatible(tree, FDT_NONE, "none");
    (void)fdt_find_path(tree, "/soc/serial");
}

static void a_cut_tree_is_refused_at_every_length(void **state)
{
    u32 total;
    u8 *whole = make_tree(&total);

    (void)state;
    for (u32 bytes = 0; bytes < total; bytes++) {
        u8 *blob = malloc(bytes);
        struct fdt tree;

        memcpy(blob, whole, bytes);
        assert_int_equal(fdt_open(&tree, blob, bytes), FDT_TRUNCATED);
        if (bytes >= HEADER) {
            put_be32(blob + 4, bytes);
            assert_int_not_equal(fdt_open(&tree, blob, bytes), FDT_OK);
        }
        free(blob);
    }
    free(whole);
}

static void a_block_whose_end_wraps_is_refused(void **state)
{
    enum { STRUCTURE_AT = 8, STRINGS_AT = 12, STRINGS_BYTES_AT = 32, STRUCTURE_BYTES_AT = 36 };
    static const int places[][2] = {{STRUCTURE_AT, STRUCTURE_BYTES_AT},
                                    {STRINGS_AT, STRINGS_BYTES_AT}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        u32 total;
        u8 *blob = make_tree(&total);
        struct fdt tree;

        put_be32(blob + places[i][0], STRUCTURE);
        put_be32(blob + places[i][1], UINT32_MAX - STRUCTURE + 1);
        assert_int_not_equal(fdt_open(&tree, blob, total), FDT_OK);
        free(blob);
    }
}

static void no_damage_reads_outside_the_bytes(void **state)
{
    u32 seed = 99, opened = 0, total;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        u8 *blob = make_tree(&total);
        struct fdt tree;

        for (int i = 0; i < 3; i++) {
            seed = seed * 1103515245 + 12345;
            u32 at = (seed >> 4) % total;
            if ((seed >> 3 & 1) != 0)
                at %= STRUCTURE + 200;
            blob[at] = (u8)(seed >> 24);
        }
        if (fdt_open(&tree, blob, total) == FDT_OK) {
            opened++;
            use_everything(&tree);
        }
        free(blob);
    }
    assert_true(opened > 100);
}

static void deep_nesting_is_refused(void **state)
{
    struct fdt tree;
    u32 total;

    (void)state;
    memset(&builder, 0, sizeof(builder));
    for (int i = 0; i <= FDT_DEPTH_MAX; i++)
        begin(i == 0 ? "" : "n");
    for (int i = 0; i <= FDT_DEPTH_MAX; i++)
        end();
    u8 *blob = finish(&total);
    assert_int_equal(fdt_open(&tree, blob, total), FDT_TOO_DEEP);
    free(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_find_what_is_there),
        cmocka_unit_test(reg_and_reservations_are_ranges),
        cmocka_unit_test(compatible_is_a_list_and_goes_on),
        cmocka_unit_test(a_cut_tree_is_refused_at_every_length),
        cmocka_unit_test(a_block_whose_end_wraps_is_refused),
        cmocka_unit_test(no_damage_reads_outside_the_bytes),
        cmocka_unit_test(deep_nesting_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
