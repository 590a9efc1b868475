/* SPDX-License-Identifier: MIT */
/*
 * The store of a VM's shadow tables, and what is known of its guest frames: finding, making and
 * dropping them. What they mean is tables.c's.
 */
#pragma once

#include "arch_vcpu.h"
#include "virt/shadow/tables.h"

struct shadow_key {
    u64 gfn;
    u8 level;
    u8 rights;
    u8 view;
};

enum { SHADOW_WRITER_NONE = 0, SHADOW_WRITER_MANY = ~0u };

static inline u64 *shadow_entries(const struct shadow_table *table)
{
    return arch_frame_bytes(mfn(table->frame));
}

static inline u32 shadow_table_index(const struct shadow_tables *shadow,
                                     const struct shadow_table *table)
{
    return (u32)(table - shadow->tables);
}

static inline bool shadow_table_is(const struct shadow_table *table, const struct shadow_key *key)
{
    return table->gfn == key->gfn && table->level == key->level && table->rights == key->rights &&
           table->view == key->view;
}

/* A place among `count`, a power of 2. */
u32 shadow_hash(u64 key, u32 count);

/* What is known of a guest frame; NULL: it is not the VM's memory. */
struct shadow_frame *shadow_frame_of(struct shadow_tables *shadow, const struct vm *vm, u64 guest);

/* The writable leaf of a frame that its `writer` names; NULL: it is not there any more. */
u64 *shadow_writer_leaf(const struct shadow_tables *shadow, mfn_t to, u32 writer);

struct shadow_table *shadow_table_find(const struct shadow_tables *shadow,
                                       const struct shadow_key *key);

/* The mirrors of a guest table, one after the other: NULL begins, NULL ends. */
struct shadow_table *shadow_mirror_next(const struct shadow_tables *shadow, u64 guest,
                                        const struct shadow_table *last);

/* Whether `count` more tables can be made. Takes no memory but the tables' own. */
bool shadow_tables_reserve(struct vm *vm, u32 count);

/* A new one, empty, which shadow_tables_reserve has made sure of. */
struct shadow_table *shadow_table_make(struct shadow_tables *shadow, const struct shadow_key *key);

/* The table that an entry above level 0 links. */
struct shadow_table *shadow_table_named(const struct shadow_tables *shadow, u64 link);

void shadow_entry_set(struct shadow_table *table, u32 index, u64 entry);
void shadow_entry_clear(struct shadow_tables *shadow, const struct shadow_table *table, u64 *entry);

/* A kernel goes through its memory by large leaves: with one page of the leaf that a lowest table
 * spreads come those beside it, as far as nothing is known of them. (What has a writable leaf would
 * have a second, and `writer` names one.) */
void shadow_table_fill_beside(const struct vm *vm, struct shadow_table *table, u32 index);

/* Gives up all tables but those that are roots of other vCPUs than this one: they become the first,
 * with nothing in them. Nobody has a translation by what was in the tables when they are made
 * again: the caller sees to it. */
void shadow_tables_empty(struct vcpu *vcpu);

/* Gives up one table that nothing links. The caller drops the translations. */
void shadow_table_drop(struct shadow_tables *shadow, struct shadow_table *table);

/* Whether a space stands there. */
static inline bool shadow_space_is(const struct shadow_space *space, u64 satp, u8 view)
{
    return space->satp == satp && space->view == view && space->entered != 0;
}

/* A space that is not its view's last, with an identifier of the hardware's that no other space has
 * (spaces.c). */
struct shadow_space *shadow_space_find(struct vcpu *vcpu, u64 satp, u8 view);

/* Of several vCPUs (together.c). What was taken away is so for all of them on return; and nobody
 * remembers a way through the guest's tables. */
void shadow_flush_others(struct vcpu *vcpu);
void shadow_memos_forget(const struct vcpu *vcpu);

/* Whether a table, by its index, is the root that some vCPU uses. */
bool shadow_root_of_any(const struct vm *vm, u32 table);

/* Whether a shadow's entry still is what its guest's says (tables.c). */
bool shadow_entry_holds(const struct vm *vm, const struct shadow_table *table, u64 entry,
                        u64 guest);
