/* SPDX-License-Identifier: MIT */
/*
 * A small world for tests of the core: a machine in memory, and VMs started from a bundle as Candor
 * would.
 */
#pragma once

#include "core/vcpu.h"
#include "core/vm.h"

enum {
    WORLD_MEMORY = 96 << 20,
    WORLD_VM_MEMORY = 8 << 20,
    WORLD_POOL = 2 << 20,
    WORLD_SHOWN_BYTES = 4096,
};

#define WORLD_POOL_BASE VM_MEMORY_BASE
#define WORLD_IMAGE (VM_MEMORY_BASE + WORLD_POOL)

/* What an image in the bundle is like; zero fields mean the usual. */
struct world_image {
    u64 memory_bytes;
    u32 note_version; /* instead of CANDOR_ABI_VERSION */
    bool no_note;
    bool no_image; /* its record says so */
    u64 pool_base, pool_bytes;
    u64 code_at, data_at; /* guest-physical places of its two segments */
    u64 entry;
    u64 initrd_bytes;
    bool bounced;
    bool later;    /* not started */
    u32 disk_slot; /* from 1; of the fake disks */
    bool unlinked; /* virtual addresses are not those of the direct map */
};

/* Machine and `count` VMs named vm1, vm2, ...; runs them until each is RUNNING or OFF. images may
 * be NULL. */
void world_start(u32 count, const struct world_image *images);

/* Gives VMs turns until none is being built or ended. */
void world_settle(void);

/* The lines that Candor printed since world_start. */
extern char world_log[];

/* What guests wrote to the console, as far as there is room, and what is typed there and not read
 * yet. A test empties and sets them. */
extern char world_shown[WORLD_SHOWN_BYTES];
extern const char *world_typed;

/* With which status the machine was powered off; -1: not yet. */
extern int world_status;

/* A guest-physical address of VM `vm`: the n-th frame of its pool (0 is the boot root), or of its
 * plain memory. */
static inline gpa_t world_pool(u32 n)
{
    return gpa(WORLD_POOL_BASE + (u64)n * FRAME_BYTES);
}

static inline gpa_t world_data(u32 n)
{
    return gpa(WORLD_IMAGE + 0x100000 + (u64)n * FRAME_BYTES);
}

/* The bytes of a guest's memory. */
void *world_bytes(const struct vm *vm, gpa_t address);

/* The audit's violations. */
u64 world_audit(void);
