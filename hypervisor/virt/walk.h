/* SPDX-License-Identifier: MIT */
/*
 * A walk of a guest's Sv39 tables for a person to look at, whatever kind of frame its entries name.
 */
#pragma once

#include "virt/virt.h"

/* What the frame numbers in a guest's tables mean. */
struct walk_frames {
    /* The machine frame of a table; MFN_NONE: there is none. */
    mfn_t (*table)(const struct vm *vm, u64 frame);
    const char *no_table; /* why it is none */

    /* Fills in machine, physical, owned and pool for what a leaf maps. */
    void (*name)(const struct vm *vm, u64 address, struct virt_walk *walk);
};

void walk_tables(const struct vm *vm, u64 root, gva_t address, const struct walk_frames *frames,
                 struct virt_walk *walk);
