/* SPDX-License-Identifier: MIT */
/* Sv39 tables (privileged specification 1.12, section 4.4): the entries, and who makes tables. C
   and assembly. */
#pragma once

#define PTE_V_BIT 0
#define PTE_KERNEL_LEAF_ALL \
    0xef /* D A G X W R V: the boot's own map, before there is a better one */
#define SATP_MODE_SV39_SHIFT 60
#define SATP_MODE_SV39 8

#ifndef __ASSEMBLER__

#include "kernel/addr.h"
#include "types.h"

enum pte_bits {
    PTE_V = 1 << PTE_V_BIT,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
    PTE_LEAF = PTE_R | PTE_W | PTE_X, /* any of them: not a link */
    PTE_PPN_SHIFT = 10,
};

enum sv39_geometry {
    SV39_ENTRIES = 512,
    SV39_INDEX_BITS = 9,
    SV39_USER_ENTRIES = SV39_ENTRIES / 2, /* of a root; the kernel's are above */
    SV39_LEVEL_ROOT = 2,
};

/* How much one entry of a level (2, 1, 0) maps. */
static inline u64 sv39_entry_bytes(int level)
{
    return (u64)PAGE_SIZE << (SV39_INDEX_BITS * level);
}

static inline u64 sv39_index(u64 address, int level)
{
    return (address >> (PAGE_SHIFT + SV39_INDEX_BITS * level)) & (SV39_ENTRIES - 1);
}

static inline u64 pte_make(pa_t page, u64 bits)
{
    return page >> PAGE_SHIFT << PTE_PPN_SHIFT | bits;
}

static inline pa_t pte_page(u64 pte)
{
    return pte >> PTE_PPN_SHIFT << PAGE_SHIFT;
}

/* The kernel's own root, from which every space's upper half is copied. */
extern pa_t sv39_kernel_root;

/* Map devices below memory and all of memory in the upper half, with the image's parts as their
   kind demands, taking table pages from *place upwards; and use that map. */
void sv39_init_kernel(pa_t memory_base, u64 memory_bytes, pa_t *place);

/* Use the kernel's root on this CPU. */
void sv39_use_kernel(void);

/* Find out how many ASIDs the hart has. Before the first switch to a space. */
void sv39_find_asids(void);

#endif
