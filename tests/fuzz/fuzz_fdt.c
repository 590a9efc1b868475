/* SPDX-License-Identifier: MIT */
/*
 * The device tree reader. With the first byte's low bit the rest is a list of orders by which a
 * tree is written (nodes, properties, words that do not belong there); else it is the tree as it
 * stands.
 */
#include <stdlib.h>

#include "endian.h"
#include "fdt.h"
#include "string.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    TREE_BYTES = 16384,
    HEADER = 40,
    RESERVED_BYTES = 32,
    NODES_MAX = 4096,
    TOKEN_BEGIN = 1,
    TOKEN_END = 2,
    TOKEN_PROPERTY = 3,
    TOKEN_NOTHING = 4,
    TOKEN_LAST = 9,
};

static const char strings[] =
    "#address-cells\0#size-cells\0reg\0compatible\0status\0phandle\0ranges";
static volatile u8 sink;
static u8 tree[TREE_BYTES];
static u32 used;

static void put32(u32 at, u32 value)
{
    for (u32 i = 0; i < 4; i++)
        tree[at + i] = (u8)(value >> (24 - 8 * i));
}

static void add(u32 value)
{
    put32(used, value);
    used += 4;
}

static void add_text(const u8 *text, u32 count)
{
    memset(tree + used, 0, ALIGN_UP(count + 1, 4u));
    memcpy(tree + used, text, count);
    used += ALIGN_UP(count + 1, 4u);
}

/* One order; returns how many bytes of the input it took. */
static size_t obey(const u8 *data, size_t bytes)
{
    u32 more = (u32)min(bytes - 1, (size_t)(data[0] >> 4));

    switch (data[0] & 7) {
    case 0:
    case 1:
        add(TOKEN_BEGIN);
        add_text(data + 1, more);
        return 1 + more;
    case 2:
        add(TOKEN_END);
        return 1;
    case 3:
    case 4:
    case 5:
        add(TOKEN_PROPERTY);
        add(more);
        add(more > 0 ? data[1] % sizeof(strings) : 0);
        if (more > 0) {
            memcpy(tree + used, data + 1, more);
            used += ALIGN_UP(more, 4u);
        }
        return 1 + more;
    case 6:
        add(TOKEN_NOTHING);
        return 1;
    default:
        add(more > 0 ? data[1] : data[0]);
        return 1 + min(more, 1u);
    }
}

static u64 write_tree(const u8 *data, size_t bytes)
{
    u32 structure = HEADER + RESERVED_BYTES, total;

    memset(tree, 0, sizeof(tree));
    used = structure;
    if (bytes > 0 && (data[0] & 8)) {
        add(TOKEN_BEGIN);
        add(0);
    }
    for (size_t at = 0; at < bytes && used < TREE_BYTES - 256;)
        at += obey(data + at, bytes - at);
    if (bytes > 0 && (data[0] & 8)) {
        add(TOKEN_END);
        add(TOKEN_LAST);
    }
    total = used + (u32)sizeof(strings);
    put32(0, 0xd00dfeed);
    put32(4, total);
    put32(8, structure);
    put32(12, used);
    put32(16, HEADER);
    put32(20, 17);
    put32(24, 16);
    put32(32, sizeof(strings));
    put32(36, used - structure);
    memcpy(tree + used, strings, sizeof(strings));
    return total;
}

static void look_at(const struct fdt *fdt, i32 node)
{
    struct fdt_range range;
    u32 bytes, cell;
    u64 number;
    const u8 *value = fdt_property(fdt, node, "reg", &bytes);
    const char *text = fdt_property_string(fdt, node, "compatible");

    if (value != NULL && bytes > 0) {
        sink = value[0];
        sink = value[bytes - 1];
    }
    if (text != NULL)
        sink = (u8)strlen(text);
    sink = (u8)strlen(fdt_name(fdt, node));
    for (u32 i = 0; i < 4; i++)
        (void)!fdt_reg(fdt, node, i, &range);
    (void)!fdt_property_cell(fdt, node, "phandle", 0, &cell);
    (void)!fdt_property_number(fdt, node, "reg", &number);
    sink = fdt_enabled(fdt, node);
    sink = fdt_property_lists(fdt, node, "compatible", "x");
    if (fdt_parent(fdt, node) >= node && node != FDT_ROOT)
        abort();
}

static void read_all(const u8 *bytes, u64 count)
{
    struct fdt fdt;
    struct fdt_range range;
    u32 nodes = 0;
    int depth = 0;

    if (fdt_open(&fdt, bytes, count) != FDT_OK)
        return;
    for (i32 node = FDT_ROOT; node != FDT_NONE; node = fdt_next_node(&fdt, node, &depth)) {
        if (++nodes > NODES_MAX || depth < 0 || depth > FDT_DEPTH_MAX)
            abort();
        look_at(&fdt, node);
    }
    for (i32 child = fdt_first_child(&fdt, FDT_ROOT); child != FDT_NONE;
         child = fdt_next_sibling(&fdt, child))
        sink = (u8)fdt_name(&fdt, child)[0];
    for (u32 i = 0; i < 4; i++)
        (void)!fdt_reserved(&fdt, i, &range);
    sink = (u8)fdt_find_path(&fdt, "/cpus/cpu");
    sink = (u8)fdt_find_path(&fdt, "/a@1//b");
    sink = (u8)fdt_find_compatible(&fdt, FDT_NONE, "x");
    sink = (u8)fdt_find_phandle(&fdt, 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    const u8 *from = data + 1;
    u64 count;
    u8 *copy;

    if (bytes < 2)
        return 0;
    count = bytes - 1;
    if (data[0] & 1) {
        count = write_tree(data + 1, bytes - 1);
        from = tree;
    }
    copy = malloc(count);
    if (copy == NULL)
        abort();
    memcpy(copy, from, count);
    read_all(copy, count);
    free(copy);
    return 0;
}
