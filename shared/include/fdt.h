/* SPDX-License-Identifier: MIT */
/*
 * Checked reader of a flattened device tree (Devicetree Specification 0.4, chapter 5) that is not
 * trusted.
 *
 * fdt_open walks the whole tree once: block ranges, tokens, nesting, every name and every
 * property's range. The other functions rely on that, so the bytes must not change afterwards. No
 * address alignment is needed and strings may be of any length. Nodes are offsets into the
 * structure block; a negative one means none.
 */
#pragma once

#include "types.h"

enum fdt_error {
    FDT_OK = 0,
    FDT_TRUNCATED = -1,
    FDT_BAD_MAGIC = -2,
    FDT_BAD_VERSION = -3,
    FDT_BAD_BLOCKS = -4,
    FDT_BAD_STRUCTURE = -5,
    FDT_TOO_DEEP = -6,
    FDT_NOT_FOUND = -7,
    FDT_BAD_VALUE = -8,
};

enum {
    FDT_NONE = -1,
    FDT_ROOT = 0,
    FDT_DEPTH_MAX = 16,
    FDT_HEADER_BYTES = 40,
};

struct fdt {
    const u8 *blob;
    u32 total_bytes;
    u32 structure; /* offsets from blob, and lengths */
    u32 structure_bytes;
    u32 strings;
    u32 strings_bytes;
    u32 reserved;
};

struct fdt_range {
    u64 base;
    u64 size_bytes;
};

/* Checks the tree at `blob`, of which at most `limit_bytes` may be read. FDT_OK or an error. */
MUST_CHECK int fdt_open(struct fdt *tree, const void *blob, u64 limit_bytes);

/* The node after `node` in the order of the tree (children first), FDT_NONE at the end. Start with
   FDT_ROOT. `depth` (may be NULL) is moved along by the difference in depth. */
i32 fdt_next_node(const struct fdt *tree, i32 node, int *depth);

/* The first child, the next sibling, the parent; FDT_NONE when there is none. */
i32 fdt_first_child(const struct fdt *tree, i32 node);
i32 fdt_next_sibling(const struct fdt *tree, i32 node);
i32 fdt_parent(const struct fdt *tree, i32 node);

/* The node's name with its unit address; "" for the root. */
const char *fdt_name(const struct fdt *tree, i32 node);

/* A node by absolute path. A component without '@' also matches the first child of that name with a
   unit address. FDT_NONE when there is none. */
i32 fdt_find_path(const struct fdt *tree, const char *path);

/* The next node after `after` (FDT_NONE: from the start) that lists this compatible string. */
i32 fdt_find_compatible(const struct fdt *tree, i32 after, const char *compatible);

/* The node with this phandle, or FDT_NONE. */
i32 fdt_find_phandle(const struct fdt *tree, u32 phandle);

/* A property's bytes, or NULL. *bytes may be 0. */
const void *fdt_property(const struct fdt *tree, i32 node, const char *name, u32 *bytes);

/* A property that is one terminated string, or NULL if there is none such. */
const char *fdt_property_string(const struct fdt *tree, i32 node, const char *name);

/* Whether the string list of this property holds `value`. */
bool fdt_property_lists(const struct fdt *tree, i32 node, const char *name, const char *value);

/* The `index`th 32-bit cell. FDT_NOT_FOUND when there is no such property or cell. */
MUST_CHECK int fdt_property_cell(const struct fdt *tree, i32 node, const char *name, u32 index,
                                 u32 *value);

/* A property that is one number of 32 or 64 bits. */
MUST_CHECK int fdt_property_number(const struct fdt *tree, i32 node, const char *name, u64 *value);

/* The `index`th entry of `reg`, by the parent's #address-cells and #size-cells. Addresses are the
   bus's: no `ranges` are applied. FDT_NOT_FOUND when there are fewer, FDT_BAD_VALUE for cells it
   cannot hold. */
MUST_CHECK int fdt_reg(const struct fdt *tree, i32 node, u32 index, struct fdt_range *range);

/* The `index`th entry of the memory reservation block, FDT_NOT_FOUND past its end. */
MUST_CHECK int fdt_reserved(const struct fdt *tree, u32 index, struct fdt_range *range);

/* False only if `status` is there and neither "okay" nor "ok". */
bool fdt_enabled(const struct fdt *tree, i32 node);

/* One clause for a person, without a full stop; never NULL. */
const char *fdt_error_text(int error);
