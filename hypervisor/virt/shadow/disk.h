/* SPDX-License-Identifier: MIT */
/*
 * The medium of a VM's disk: a copy of the bundle's image, in chunks of open memory that nothing
 * maps.
 *
 * It is made when the VM is first built and stays until the VM is destroyed: what was written
 * survives a reboot, and being off, as on a real disk. Its chunks count as the VM's memory. In the
 * VM's turn, or while it is OFF.
 */
#pragma once

#include "bundle_unmodified.h"
#include "mem/addr.h"

#include "vdev/vblk.h"

struct vm;

enum { SHADOW_DISK_CHUNKS_MAX = BUNDLE_DISK_BYTES_MAX / CHUNK_BYTES };

/* How many of the chunks are there is struct vm's disk_chunks. */
struct shadow_disk {
    u64 copied; /* bytes of the bundle's image that are in it */
    mfn_t chunks[SHADOW_DISK_CHUNKS_MAX];
};

/* The context is the VM. */
extern const struct vblk_media shadow_disk_media;

/* One bounded step of making it. 1: more to do; 0: it is there, or there is none; -1: no memory is
 * left for it. */
MUST_CHECK int shadow_disk_make(struct vm *vm);

/* One bounded step of giving it back: true while there is more. */
bool shadow_disk_free(struct vm *vm);
