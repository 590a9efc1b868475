/* SPDX-License-Identifier: MIT */
#include "virt/shadow/table_store.h"

#include "core/vm.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "string.h"
#include "virt/shadow/shadow.h"

enum {
    TABLES_FOR_BYTES = 64 << 10, /* of guest memory: one shadow table */
    TABLES_MIN = 256,
    TABLES_MAX = 16384,
    TABLES_FIRST = 10,     /* taken beforehand: an instruction can touch four far pages */
    CLEARED_A_STEP = 4096, /* of struct shadow_frame */
    RELEASED_A_STEP = 64,
    FILLED_BESIDE = 32, /* pages of a large leaf that come with one of them */
    HASH_MULTIPLIER = 0x9e3779b1,
    HASH_SHIFT = 16,
};

u32 shadow_hash(u64 key, u32 count)
{
    return (u32)key * (u32)HASH_MULTIPLIER >> HASH_SHIFT & (count - 1);
}

/* ---- guest frames ---- */

struct shadow_frame *shadow_frame_of(struct shadow_tables *shadow, const struct vm *vm, u64 guest)
{
    struct shadow_frame *frame;
    u64 place = guest - vm->p2m.base_gfn;

    if (place >= shadow->frames_count)
        return NULL;
    frame = &shadow->frames[place];
    if (frame->generation != shadow->generation)
        *frame = (struct shadow_frame){.generation = shadow->generation};
    return frame;
}

u64 *shadow_writer_leaf(const struct shadow_tables *shadow, mfn_t to, u32 writer)
{
    u32 place = writer - 1;
    const struct shadow_table *table = &shadow->tables[place / SV39_ENTRIES];
    u64 *leaf = &shadow_entries(table)[place % SV39_ENTRIES];
    const u64 wanted = SV39_V | SV39_W;

    if (table->level != 0 || (*leaf & wanted) != wanted || sv39_frame(*leaf) != to.number)
        return NULL;
    return leaf;
}

/* ---- tables ---- */

/* All that mirror or spread the same frame stand in one bucket. */
static u16 *bucket_of(const struct shadow_tables *shadow, u64 guest)
{
    return &shadow->buckets[shadow_hash(guest, shadow->bucket_count)];
}

struct shadow_table *shadow_table_find(const struct shadow_tables *shadow,
                                       const struct shadow_key *key)
{
    u32 at = *bucket_of(shadow, key->gfn);

    while (at != 0) {
        struct shadow_table *table = &shadow->tables[at - 1];

        if (shadow_table_is(table, key))
            return table;
        at = table->next;
    }
    return NULL;
}

struct shadow_table *shadow_mirror_next(const struct shadow_tables *shadow, u64 guest,
                                        const struct shadow_table *last)
{
    u32 at = last == NULL ? *bucket_of(shadow, guest) : last->next;

    while (at != 0) {
        struct shadow_table *table = &shadow->tables[at - 1];

        if (table->gfn == guest && table->rights == 0)
            return table;
        at = table->next;
    }
    return NULL;
}

bool shadow_tables_reserve(struct vm *vm, u32 count)
{
    struct shadow_tables *shadow = &vm->shadow->tables;

    if (shadow->free_count >= count || shadow->tables_used + count <= shadow->tables_made)
        return true;
    for (u32 i = shadow->tables_made; i < shadow->tables_used + count; i++) {
        mfn_t frame;

        if (i >= shadow->tables_max)
            return false;
        frame = frame_table_alloc(vm->id, 0);
        if (!mfn_valid(frame))
            return false;
        frame_get(frame)->type = FRAME_SHADOW;
        frame_get(frame)->gfn = i;
        shadow->tables[i].frame = frame.number;
        shadow->tables_made = i + 1;
    }
    return true;
}

struct shadow_table *shadow_table_make(struct shadow_tables *shadow, const struct shadow_key *key)
{
    u16 *bucket = bucket_of(shadow, key->gfn);
    u32 index = shadow->tables_used;
    struct shadow_table *table;

    if (shadow->free != 0) {
        index = shadow->free - 1;
        shadow->free = shadow->tables[index].next;
        shadow->free_count--;
    } else {
        shadow->tables_used++;
    }
    table = &shadow->tables[index];
    *table = (struct shadow_table){.frame = table->frame,
                                   .next = *bucket,
                                   .gfn = key->gfn,
                                   .level = key->level,
                                   .rights = key->rights,
                                   .view = key->view,
                                   .first = SV39_ENTRIES};
    *bucket = (u16)(index + 1);
    memset(shadow_entries(table), 0, FRAME_BYTES);
    shadow->counts.tables++;
    return table;
}

struct shadow_table *shadow_table_named(const struct shadow_tables *shadow, u64 link)
{
    return &shadow->tables[frame_get(mfn(sv39_frame(link)))->gfn];
}

void shadow_entry_set(struct shadow_table *table, u32 index, u64 entry)
{
    shadow_entries(table)[index] = entry;
    if (index < table->first)
        table->first = (u16)index;
    if (index >= table->end)
        table->end = (u16)(index + 1);
}

void shadow_entry_clear(struct shadow_tables *shadow, const struct shadow_table *table, u64 *entry)
{
    if (*entry != 0 && table->level > 0) {
        shadow_table_named(shadow, *entry)->links--;
        shadow->unlinked++;
    }
    shadow->stale = true;
    *entry = 0;
}

void shadow_table_fill_beside(const struct vm *vm, struct shadow_table *table, u32 index)
{
    struct shadow_tables *shadow = &vm->shadow->tables;
    u32 first = ALIGN_DOWN(index, (u32)FILLED_BESIDE), end = first + FILLED_BESIDE;
    u32 place = 1 + shadow_table_index(shadow, table) * SV39_ENTRIES;
    u64 rights = SV39_V | table->rights, *entries = shadow_entries(table);

    for (u32 i = first; i < end; i++) {
        struct shadow_frame *frame = shadow_frame_of(shadow, vm, table->gfn + i);
        mfn_t to = p2m_lookup(&vm->p2m, table->gfn + i);

        if (entries[i] != 0 || frame == NULL || !mfn_valid(to) || frame->state != SHADOW_PLAIN ||
            frame->writer != SHADOW_WRITER_NONE)
            continue;
        entries[i] = sv39_leaf(to, rights);
        if (rights & SV39_W)
            frame->writer = place + i;
    }
    table->first = min(table->first, (u16)first);
    table->end = max(table->end, (u16)end);
}

void shadow_table_drop(struct shadow_tables *shadow, struct shadow_table *table)
{
    u16 *at = bucket_of(shadow, table->gfn);
    u64 *entries = shadow_entries(table);

    while (*at != shadow_table_index(shadow, table) + 1)
        at = &shadow->tables[*at - 1].next;
    *at = table->next;
    for (u32 i = table->first; i < table->end; i++)
        shadow_entry_clear(shadow, table, &entries[i]);
    table->level = SV39_LEVELS; /* no writable leaf is looked for here */
    table->next = (u16)shadow->free;
    shadow->free = shadow_table_index(shadow, table) + 1;
    shadow->free_count++;
}

/* Two tables change their places in the store, and those whose root they are know it. */
static void tables_swap(struct vm *vm, u32 first, u32 second)
{
    struct shadow_tables *shadow = &vm->shadow->tables;
    struct shadow_table kept = shadow->tables[first];

    shadow->tables[first] = shadow->tables[second];
    shadow->tables[second] = kept;
    frame_get(mfn(shadow->tables[first].frame))->gfn = first;
    frame_get(mfn(shadow->tables[second].frame))->gfn = second;
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        u32 *root = &vm->vcpus[i].shadow->root;

        *root = *root == first ? second : *root == second ? first : *root;
    }
}

/* Nothing is in it, and nothing names it. */
static void table_keep(struct shadow_tables *shadow, u32 index)
{
    struct shadow_table *table = &shadow->tables[index];
    u16 *bucket = bucket_of(shadow, table->gfn);
    u64 *entries = shadow_entries(table);

    for (u32 i = table->first; i < table->end; i++)
        WRITE_ONCE(entries[i], 0);
    table->first = SV39_ENTRIES;
    table->end = 0;
    table->links = 0;
    table->next = *bucket;
    *bucket = (u16)(index + 1);
}

void shadow_tables_empty(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    struct shadow_tables *shadow = &vm->shadow->tables;
    u32 kept = 0;

    memset(shadow->buckets, 0, shadow->bucket_count * sizeof(shadow->buckets[0]));
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu *other = &vm->vcpus[i];

        if (other == vcpu || !other->shadow->started || other->shadow->root < kept)
            continue;
        tables_swap(vm, kept, other->shadow->root);
        table_keep(shadow, kept++);
    }
    shadow->tables_used = kept;
    shadow->free = 0;
    shadow->free_count = 0;
    shadow->loose_count = 0;
    shadow->settling.begun = false;
    shadow->unlinked++;
    shadow->stale = true;
}

/* ---- beginning and end ---- */

static void run_free(void *run, u64 bytes)
{
    if (run != NULL)
        frame_run_free(run, bytes);
}

bool shadow_tables_init(struct vm *vm)
{
    struct shadow_tables *shadow = &vm->shadow->tables;
    u64 wanted = vm->config.memory_bytes / TABLES_FOR_BYTES;

    shadow->tables_max = (u32)min(max(wanted, (u64)TABLES_MIN), (u64)TABLES_MAX);
    shadow->bucket_count = 1;
    while (shadow->bucket_count < shadow->tables_max)
        shadow->bucket_count *= 2;
    shadow->frames_count = (u32)(vm->config.memory_bytes >> FRAME_SHIFT);
    shadow->tables = frame_run_take(shadow->tables_max * sizeof(shadow->tables[0]));
    shadow->buckets = frame_run_take(shadow->bucket_count * sizeof(shadow->buckets[0]));
    shadow->frames = frame_run_take(shadow->frames_count * sizeof(shadow->frames[0]));
    shadow->generation = 1;
    return shadow->tables != NULL && shadow->buckets != NULL && shadow->frames != NULL;
}

void shadow_tables_destroy(struct vm *vm)
{
    struct shadow_tables *shadow = &vm->shadow->tables;

    run_free(shadow->tables, shadow->tables_max * sizeof(shadow->tables[0]));
    run_free(shadow->buckets, shadow->bucket_count * sizeof(shadow->buckets[0]));
    run_free(shadow->frames, shadow->frames_count * sizeof(shadow->frames[0]));
}

bool shadow_tables_clear(struct vm *vm, u64 *cursor)
{
    struct shadow_tables *shadow = &vm->shadow->tables;
    u64 left = shadow->frames_count - *cursor;
    u64 some = min(left, (u64)CLEARED_A_STEP);

    memset(&shadow->frames[*cursor], 0, some * sizeof(shadow->frames[0]));
    *cursor += some;
    return some < left;
}

bool shadow_tables_ready(struct vm *vm)
{
    vm->shadow->tables.spaces_max = min(space_id_share(vm_count), (u32)SHADOW_SPACES);
    return vm->shadow->tables.spaces_max >= vm->vcpu_count &&
           shadow_tables_reserve(vm, TABLES_FIRST * vm->vcpu_count);
}

bool shadow_tables_release(struct vm *vm)
{
    struct shadow_tables *shadow = &vm->shadow->tables;

    for (u32 i = 0; i < SHADOW_SPACES; i++) {
        if (shadow->spaces[i].id != 0)
            space_id_free(shadow->spaces[i].id);
        shadow->spaces[i] = (struct shadow_space){0};
    }
    for (u32 i = 0; i < RELEASED_A_STEP; i++) {
        struct shadow_table *table = &shadow->tables[shadow->released];

        if (shadow->released == shadow->tables_made) {
            shadow->released = 0;
            shadow->tables_made = 0;
            shadow->tables_used = 0;
            shadow->free = 0;
            shadow->free_count = 0;
            return false;
        }
        frame_table_free(mfn(table->frame));
        table->frame = 0;
        shadow->released++;
    }
    return true;
}
