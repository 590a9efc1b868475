/* SPDX-License-Identifier: MIT */
/*
 * Checked reader of flattened device trees. All offsets are 32 bits and all sums are made in 64, so
 * none can overflow; fdt_open proves the structure once and the accessors rely on it.
 */
#include "fdt.h"

#include "endian.h"
#include "string.h"

enum fdt_layout {
    HEADER_MAGIC = 0,
    HEADER_TOTALSIZE = 4,
    HEADER_STRUCTURE = 8,
    HEADER_STRINGS = 12,
    HEADER_RESERVED = 16,
    HEADER_LAST_COMPATIBLE = 24,
    HEADER_STRINGS_BYTES = 32,
    HEADER_STRUCTURE_BYTES = 36,
    FDT_VERSION_READ = 17,
    CELL_BYTES = 4,
    RESERVED_ENTRY_BYTES = 16,
    PROPERTY_HEADER_BYTES = 12, /* token, length, name offset */
    PROPERTY_LENGTH = 4,
    PROPERTY_NAME = 8,
    ADDRESS_CELLS_DEFAULT = 2,
    SIZE_CELLS_DEFAULT = 1,
    CELLS_MAX = 4,
};

enum fdt_token {
    TOKEN_BEGIN_NODE = 1,
    TOKEN_END_NODE = 2,
    TOKEN_PROPERTY = 3,
    TOKEN_NOP = 4,
    TOKEN_END = 9,
};

#define FDT_MAGIC 0xd00dfeedU

static const u8 *structure_at(const struct fdt *tree, u32 offset)
{
    return tree->blob + tree->structure + offset;
}

static u32 token_at(const struct fdt *tree, u32 offset)
{
    return load_be32(structure_at(tree, offset));
}

/*
 * The offset after the token at `offset`, or a negative error when that token does not fit. This is
 * the only place that measures tokens, for the check and for the accessors.
 */
static i32 token_end(const struct fdt *tree, u32 offset)
{
    u64 limit = tree->structure_bytes;
    u64 end = (u64)offset + CELL_BYTES;

    if (end > limit)
        return FDT_TRUNCATED;
    switch (token_at(tree, offset)) {
    case TOKEN_BEGIN_NODE:
        end += strnlen((const char *)structure_at(tree, (u32)end), limit - end) + 1;
        break;
    case TOKEN_PROPERTY:
        if ((u64)offset + PROPERTY_HEADER_BYTES > limit)
            return FDT_TRUNCATED;
        end = (u64)offset + PROPERTY_HEADER_BYTES +
              load_be32(structure_at(tree, offset + PROPERTY_LENGTH));
        break;
    case TOKEN_END_NODE:
    case TOKEN_NOP:
    case TOKEN_END:
        break;
    default:
        return FDT_BAD_STRUCTURE;
    }
    if (end > limit)
        return FDT_TRUNCATED;
    end = ALIGN_UP(end, CELL_BYTES);
    return end > limit ? FDT_TRUNCATED : (i32)end;
}

static bool property_name_fits(const struct fdt *tree, u32 offset)
{
    u32 name = load_be32(structure_at(tree, offset + PROPERTY_NAME));
    u32 left = name < tree->strings_bytes ? tree->strings_bytes - name : 0;

    return strnlen((const char *)tree->blob + tree->strings + name, left) < left;
}

/* Walks every token. Properties stand before child nodes; nothing follows the root but END. */
static int check_structure(const struct fdt *tree)
{
    int depth = 0;
    bool properties_allowed = false;

    for (u32 at = 0;;) {
        i32 next = token_end(tree, at);

        if (next < 0)
            return next;
        switch (token_at(tree, at)) {
        case TOKEN_BEGIN_NODE:
            if (depth == 0 && at != FDT_ROOT)
                return FDT_BAD_STRUCTURE;
            if (++depth > FDT_DEPTH_MAX)
                return FDT_TOO_DEEP;
            properties_allowed = true;
            break;
        case TOKEN_END_NODE:
            if (--depth < 0)
                return FDT_BAD_STRUCTURE;
            properties_allowed = false;
            break;
        case TOKEN_PROPERTY:
            if (!properties_allowed || !property_name_fits(tree, at))
                return FDT_BAD_STRUCTURE;
            break;
        case TOKEN_END:
            return depth == 0 && at != FDT_ROOT ? FDT_OK : FDT_BAD_STRUCTURE;
        default:
            if (at == FDT_ROOT)
                return FDT_BAD_STRUCTURE;
        }
        at = (u32)next;
    }
}

static bool block_within(const struct fdt *tree, u32 offset, u32 bytes)
{
    return offset >= FDT_HEADER_BYTES && (u64)offset + bytes <= tree->total_bytes;
}

static int check_reserved_block(const struct fdt *tree)
{
    for (u64 at = tree->reserved; at + RESERVED_ENTRY_BYTES <= tree->total_bytes;
         at += RESERVED_ENTRY_BYTES) {
        if (load_be64(tree->blob + at) == 0 && load_be64(tree->blob + at + sizeof(u64)) == 0)
            return FDT_OK;
    }
    return FDT_BAD_BLOCKS;
}

int fdt_open(struct fdt *tree, const void *blob, u64 limit_bytes)
{
    const u8 *header = blob;

    if (limit_bytes < FDT_HEADER_BYTES)
        return FDT_TRUNCATED;
    if (load_be32(header + HEADER_MAGIC) != FDT_MAGIC)
        return FDT_BAD_MAGIC;
    *tree = (struct fdt){
        .blob = header,
        .total_bytes = load_be32(header + HEADER_TOTALSIZE),
        .structure = load_be32(header + HEADER_STRUCTURE),
        .structure_bytes = load_be32(header + HEADER_STRUCTURE_BYTES),
        .strings = load_be32(header + HEADER_STRINGS),
        .strings_bytes = load_be32(header + HEADER_STRINGS_BYTES),
        .reserved = load_be32(header + HEADER_RESERVED),
    };
    if (load_be32(header + HEADER_LAST_COMPATIBLE) > FDT_VERSION_READ)
        return FDT_BAD_VERSION;
    if (tree->total_bytes > limit_bytes)
        return FDT_TRUNCATED;
    if (tree->total_bytes > INT32_MAX ||
        !block_within(tree, tree->structure, tree->structure_bytes) ||
        !block_within(tree, tree->strings, tree->strings_bytes) ||
        !block_within(tree, tree->reserved, RESERVED_ENTRY_BYTES))
        return FDT_BAD_BLOCKS;
    int error = check_reserved_block(tree);
    return error != FDT_OK ? error : check_structure(tree);
}

i32 fdt_next_node(const struct fdt *tree, i32 node, int *depth)
{
    u32 at = (u32)token_end(tree, (u32)node);
    int moved = 1;

    for (;; at = (u32)token_end(tree, at)) {
        switch (token_at(tree, at)) {
        case TOKEN_BEGIN_NODE:
            if (depth != NULL)
                *depth += moved;
            return (i32)at;
        case TOKEN_END_NODE:
            moved--;
            break;
        case TOKEN_END:
            return FDT_NONE;
        default:
            break;
        }
    }
}

i32 fdt_first_child(const struct fdt *tree, i32 node)
{
    int depth = 0;
    i32 next = fdt_next_node(tree, node, &depth);

    return next >= 0 && depth == 1 ? next : FDT_NONE;
}

i32 fdt_next_sibling(const struct fdt *tree, i32 node)
{
    int depth = 0;

    do {
        node = fdt_next_node(tree, node, &depth);
    } while (node >= 0 && depth > 0);
    return node >= 0 && depth == 0 ? node : FDT_NONE;
}

i32 fdt_parent(const struct fdt *tree, i32 node)
{
    i32 ancestors[FDT_DEPTH_MAX] = {FDT_ROOT};
    int depth = 0;

    for (i32 at = FDT_ROOT; at >= 0; at = fdt_next_node(tree, at, &depth)) {
        if (at == node)
            return depth > 0 ? ancestors[depth - 1] : FDT_NONE;
        ancestors[depth] = at;
    }
    return FDT_NONE;
}

const char *fdt_name(const struct fdt *tree, i32 node)
{
    return (const char *)structure_at(tree, (u32)node + CELL_BYTES);
}

static bool name_matches(const char *name, const char *component, size_t length)
{
    if (strncmp(name, component, length) != 0)
        return false;
    return name[length] == '\0' || (name[length] == '@' && memchr(component, '@', length) == NULL);
}

i32 fdt_find_path(const struct fdt *tree, const char *path)
{
    i32 node = FDT_ROOT;

    if (*path != '/')
        return FDT_NONE;
    while (node >= 0) {
        while (*path == '/')
            path++;
        if (*path == '\0')
            return node;
        const char *slash = strchr(path, '/');
        size_t length = slash != NULL ? (size_t)(slash - path) : strlen(path);

        for (node = fdt_first_child(tree, node);
             node >= 0 && !name_matches(fdt_name(tree, node), path, length);)
            node = fdt_next_sibling(tree, node);
        path += length;
    }
    return FDT_NONE;
}

i32 fdt_find_compatible(const struct fdt *tree, i32 after, const char *compatible)
{
    i32 node = after < 0 ? FDT_ROOT : fdt_next_node(tree, after, NULL);

    while (node >= 0 && !fdt_property_lists(tree, node, "compatible", compatible))
        node = fdt_next_node(tree, node, NULL);
    return node;
}

i32 fdt_find_phandle(const struct fdt *tree, u32 phandle)
{
    for (i32 node = FDT_ROOT; node >= 0; node = fdt_next_node(tree, node, NULL)) {
        u32 found;

        if (fdt_property_cell(tree, node, "phandle", 0, &found) == FDT_OK && found == phandle)
            return node;
    }
    return FDT_NONE;
}

const void *fdt_property(const struct fdt *tree, i32 node, const char *name, u32 *bytes)
{
    u32 at = (u32)token_end(tree, (u32)node);

    for (;; at = (u32)token_end(tree, at)) {
        u32 token = token_at(tree, at);

        if (token == TOKEN_NOP)
            continue;
        if (token != TOKEN_PROPERTY)
            return NULL;
        const u8 *property = structure_at(tree, at);
        const u8 *found = tree->blob + tree->strings + load_be32(property + PROPERTY_NAME);
        if (strcmp((const char *)found, name) == 0) {
            *bytes = load_be32(property + PROPERTY_LENGTH);
            return property + PROPERTY_HEADER_BYTES;
        }
    }
}

const char *fdt_property_string(const struct fdt *tree, i32 node, const char *name)
{
    u32 bytes;
    const char *text = fdt_property(tree, node, name, &bytes);

    return text != NULL && bytes > 0 && strnlen(text, bytes) == bytes - 1 ? text : NULL;
}

bool fdt_property_lists(const struct fdt *tree, i32 node, const char *name, const char *value)
{
    u32 bytes;
    const char *text = fdt_property(tree, node, name, &bytes);
    size_t value_length = strlen(value);

    while (text != NULL && bytes > 0) {
        size_t length = strnlen(text, bytes);

        if (length == bytes)
            return false;
        if (length == value_length && memcmp(text, value, length) == 0)
            return true;
        text += length + 1;
        bytes -= (u32)length + 1;
    }
    return false;
}

int fdt_property_cell(const struct fdt *tree, i32 node, const char *name, u32 index, u32 *value)
{
    u32 bytes;
    const u8 *cells = fdt_property(tree, node, name, &bytes);

    if (cells == NULL || index >= bytes / CELL_BYTES)
        return FDT_NOT_FOUND;
    *value = load_be32(cells + (u64)index * CELL_BYTES);
    return FDT_OK;
}

/* Reads a number of `cells` cells; false if it does not fit 64 bits. */
static bool read_cells(const u8 *at, u32 cells, u64 *value)
{
    *value = 0;
    for (; cells > 0; cells--, at += CELL_BYTES) {
        if (*value >> 32 != 0)
            return false;
        *value = *value << 32 | load_be32(at);
    }
    return true;
}

int fdt_property_number(const struct fdt *tree, i32 node, const char *name, u64 *value)
{
    u32 bytes;
    const u8 *cells = fdt_property(tree, node, name, &bytes);

    if (cells == NULL)
        return FDT_NOT_FOUND;
    if (bytes != CELL_BYTES && bytes != 2 * CELL_BYTES)
        return FDT_BAD_VALUE;
    return read_cells(cells, bytes / CELL_BYTES, value) ? FDT_OK : FDT_BAD_VALUE;
}

int fdt_reg(const struct fdt *tree, i32 node, u32 index, struct fdt_range *range)
{
    i32 parent = fdt_parent(tree, node);
    u32 address_cells = ADDRESS_CELLS_DEFAULT, size_cells = SIZE_CELLS_DEFAULT;
    u32 bytes;
    const u8 *cells = fdt_property(tree, node, "reg", &bytes);

    if (parent < 0 || cells == NULL)
        return FDT_NOT_FOUND;
    if (fdt_property_cell(tree, parent, "#address-cells", 0, &address_cells) != FDT_OK)
        address_cells = ADDRESS_CELLS_DEFAULT;
    if (fdt_property_cell(tree, parent, "#size-cells", 0, &size_cells) != FDT_OK)
        size_cells = SIZE_CELLS_DEFAULT;
    if (address_cells == 0 || address_cells > CELLS_MAX || size_cells > CELLS_MAX)
        return FDT_BAD_VALUE;
    u32 entry_bytes = (address_cells + size_cells) * CELL_BYTES;
    if (index >= bytes / entry_bytes)
        return FDT_NOT_FOUND;
    cells += (u64)index * entry_bytes;
    if (!read_cells(cells, address_cells, &range->base) ||
        !read_cells(cells + address_cells * CELL_BYTES, size_cells, &range->size_bytes) ||
        range->size_bytes > UINT64_MAX - range->base)
        return FDT_BAD_VALUE;
    return FDT_OK;
}

int fdt_reserved(const struct fdt *tree, u32 index, struct fdt_range *range)
{
    u64 at = tree->reserved;

    for (;; at += RESERVED_ENTRY_BYTES) {
        range->base = load_be64(tree->blob + at);
        range->size_bytes = load_be64(tree->blob + at + sizeof(u64));
        if (range->base == 0 && range->size_bytes == 0)
            return FDT_NOT_FOUND;
        if (index-- == 0)
            return range->size_bytes > UINT64_MAX - range->base ? FDT_BAD_VALUE : FDT_OK;
    }
}

bool fdt_enabled(const struct fdt *tree, i32 node)
{
    u32 bytes;

    return fdt_property(tree, node, "status", &bytes) == NULL ||
           fdt_property_lists(tree, node, "status", "okay") ||
           fdt_property_lists(tree, node, "status", "ok");
}

const char *fdt_error_text(int error)
{
    switch ((enum fdt_error)error) {
    case FDT_OK:
        return "no error";
    case FDT_TRUNCATED:
        return "the device tree is cut short";
    case FDT_BAD_MAGIC:
        return "there is no device tree";
    case FDT_BAD_VERSION:
        return "the device tree is of an unknown version";
    case FDT_BAD_BLOCKS:
        return "the device tree's header is damaged";
    case FDT_BAD_STRUCTURE:
        return "the device tree's structure is damaged";
    case FDT_TOO_DEEP:
        return "the device tree is nested too deeply";
    case FDT_NOT_FOUND:
        return "the device tree has no such entry";
    case FDT_BAD_VALUE:
        return "the device tree has a value of the wrong form";
    }
    return "unknown error";
}
