/* SPDX-License-Identifier: MIT */
/*
 * Checked reader of the bundle (bundle.h), which is not trusted: it may be cut short or damaged.
 *
 * The bundle as a whole is checked by bundle_open, each VM's record by bundle_vm_open, so that one
 * bad record costs one VM. Images are checked later, as ELF files. Nothing is copied but the
 * record.
 */
#pragma once

#include "bundle.h"
#include "types.h"

enum bundle_error {
    BUNDLE_OK = 0,
    BUNDLE_MISSING = -1,
    BUNDLE_BAD_VERSION = -2,
    BUNDLE_CUT_SHORT = -3,
    BUNDLE_DAMAGED = -4,
    BUNDLE_BAD_NAME = -5,
    BUNDLE_BAD_ARGS = -6,
    BUNDLE_BAD_IMAGE_RANGE = -7,
    BUNDLE_BAD_PIECE_RANGE = -8,
    BUNDLE_BAD_MEMORY_SIZE = -9,
    BUNDLE_BAD_OPTIONS = -10,
    BUNDLE_NAME_TAKEN = -11,
    BUNDLE_BAD_WEIGHT = -12,
};

enum { BUNDLE_VMS_MAX = 64 };

/* A checked bundle; `bytes` stays the caller's, must outlive this and must not change. */
struct bundle {
    const u8 *bytes;
    u64 total_bytes;
    u32 vm_count;
};

/* One VM's checked record. Pointers lead into the bundle. */
struct bundle_vm_view {
    char name[BUNDLE_NAME_BYTES]; /* terminated; "vmN" (N from 1) when the record's own is unusable
                                   */
    char args[BUNDLE_ARGS_BYTES]; /* terminated */
    const u8 *image;
    u64 image_bytes;
    const u8 *initrd; /* NULL without one */
    u64 initrd_bytes;
    const u8 *tree; /* NULL without one */
    u64 tree_bytes;
    const u8 *symbols; /* not checked (symbol_table.h); NULL without, or where it lies outside */
    u64 symbols_bytes;
    u64 memory_bytes; /* a multiple of 2 MiB, not 0 */
    u32 virt;
    u32 traps;
    u32 depriv;
    u32 flags;
    u32 vcpus;
    u32 weight;    /* 1 to BUNDLE_WEIGHT_MAX */
    u32 disk_slot; /* from 1; 0 without a disk */
};

/* Checks the bundle at `bytes`, of which at most `limit_bytes` may be read: header, length,
   checksum and table of records. BUNDLE_OK or an error. */
MUST_CHECK int bundle_open(struct bundle *bundle, const void *bytes, u64 limit_bytes);

/* Checks record `index` (< vm_count), also against the names of the records before it. Whatever it
   returns, view->name is fit to be printed. */
MUST_CHECK int bundle_vm_open(const struct bundle *bundle, u32 index, struct bundle_vm_view *view);

/* Whether record `index` (< vm_count) has that name; nothing else of it is checked. */
bool bundle_vm_named(const struct bundle *bundle, u32 index, const char *name);

/* Whether that is a name for a VM. */
bool bundle_name_usable(const char *name);

/* One clause for a person, without a full stop; never NULL. */
const char *bundle_error_text(int error);
