/* SPDX-License-Identifier: MIT */
/*
 * The calls of tables.h: finding and making shadow tables, filling them, keeping them in step.
 */
#include "virt/shadow/tables.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "csr.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "string.h"
#include "virt/shadow/shadow.h"

enum {
    WRITER_NONE = 0,
    WRITER_MANY = ~0u,
    TABLES_FOR_BYTES = 64 << 10, /* of guest memory: one shadow table */
    TABLES_MIN = 256,
    TABLES_MAX = 16384,
    TABLES_FIRST = 8, /* taken beforehand, so that there is always a way on */
    FILL_TABLES = SV39_LEVELS,
    SETTLED_A_STEP = 2, /* guest tables brought back in step by one trap */
    RELEASED_A_STEP = 64,
    HASH_MULTIPLIER = 0x9e3779b1,
    HASH_SHIFT = 16,
};

#define LEAF_RIGHTS ((u64)(SV39_R | SV39_W | SV39_X | SV39_U))

static u64 *entries_of(const struct shadow_table *table)
{
    return arch_frame_bytes(mfn(table->frame));
}

static u32 index_of(const struct shadow_tables *shadow, const struct shadow_table *table)
{
    return (u32)(table - shadow->tables);
}

/* ---- guest frames ---- */

/* What is known of a guest frame; NULL: it is not the VM's memory. */
static struct shadow_frame *frame_of(struct shadow_tables *shadow, const struct vm *vm, u64 guest)
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

/* The writable leaf of a frame that its `writer` names; NULL: it is not there any more. */
static u64 *writer_leaf(struct shadow_tables *shadow, const struct vm *vm, u64 guest, u32 writer)
{
    u32 place = writer - 1;
    const struct shadow_table *table = &shadow->tables[place / SV39_ENTRIES];
    u64 *leaf = &entries_of(table)[place % SV39_ENTRIES];
    const u64 wanted = SV39_V | SV39_W;

    if (table->level != 0 || (*leaf & wanted) != wanted ||
        sv39_frame(*leaf) != p2m_lookup(&vm->p2m, guest).number)
        return NULL;
    return leaf;
}

/* ---- tables ---- */

static u32 bucket_of(const struct shadow_tables *shadow, u64 guest, u32 level, u32 rights)
{
    u32 key = (u32)guest * 4 + level + rights;

    return (u32)(key * HASH_MULTIPLIER >> HASH_SHIFT) & (shadow->bucket_count - 1);
}

static struct shadow_table *table_find(const struct shadow_tables *shadow, u64 guest, u32 level,
                                       u32 rights)
{
    u32 at = shadow->buckets[bucket_of(shadow, guest, level, rights)];

    while (at != 0) {
        struct shadow_table *table = &shadow->tables[at - 1];

        if (table->gfn == guest && table->level == level && table->rights == rights)
            return table;
        at = table->next;
    }
    return NULL;
}

/* Whether `count` more tables can be made. Takes no memory but the tables' own. */
static bool tables_reserve(struct vm *vm, u32 count)
{
    struct shadow_tables *shadow = &vm->shadow->tables;

    if (shadow->free_count >= count)
        return true;
    for (u32 i = shadow->tables_used; i < shadow->tables_used + count; i++) {
        mfn_t frame;

        if (i >= shadow->tables_max)
            return false;
        if (shadow->tables[i].frame != 0)
            continue;
        frame = frame_table_alloc(vm->id, 0);
        if (!mfn_valid(frame))
            return false;
        frame_get(frame)->type = FRAME_SHADOW;
        frame_get(frame)->gfn = i;
        shadow->tables[i].frame = frame.number;
    }
    return true;
}

/* A new one, which tables_reserve has made sure of. */
static struct shadow_table *table_make(struct shadow_tables *shadow, u64 guest, u32 level,
                                       u32 rights)
{
    u16 *bucket = &shadow->buckets[bucket_of(shadow, guest, level, rights)];
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
    table->gfn = guest;
    table->level = (u8)level;
    table->rights = (u8)rights;
    table->links = 0;
    table->first = SV39_ENTRIES;
    table->end = 0;
    table->next = *bucket;
    *bucket = (u16)(index + 1);
    memset(entries_of(table), 0, FRAME_BYTES);
    shadow->counts.tables++;
    return table;
}

static struct shadow_table *table_named_by(const struct shadow_tables *shadow, u64 link)
{
    return &shadow->tables[frame_get(mfn(sv39_frame(link)))->gfn];
}

static void entry_set(struct shadow_table *table, u32 index, u64 entry)
{
    entries_of(table)[index] = entry;
    table->first = (u16)min((u32)table->first, index);
    table->end = (u16)max((u32)table->end, index + 1);
}

static void entry_clear(struct shadow_tables *shadow, const struct shadow_table *table, u64 *entry)
{
    if (*entry != 0 && table->level > 0)
        table_named_by(shadow, *entry)->links--;
    *entry = 0;
}

/* Gives up one table that nothing names. */
static void table_drop(struct shadow_tables *shadow, struct shadow_table *table)
{
    u16 *at = &shadow->buckets[bucket_of(shadow, table->gfn, table->level, table->rights)];
    u64 *entries = entries_of(table);

    while (*at != index_of(shadow, table) + 1)
        at = &shadow->tables[*at - 1].next;
    *at = table->next;
    for (u32 i = table->first; i < table->end; i++)
        entry_clear(shadow, table, &entries[i]);
    table->level = SV39_LEVELS; /* no writable leaf is looked for here */
    table->next = (u16)shadow->free;
    shadow->free = index_of(shadow, table) + 1;
    shadow->free_count++;
}

/* ---- spaces ---- */

static u64 space_key(u64 satp)
{
    return satp & SATP_SV39 ? satp : satp & SHADOW_BARE_USER;
}

/* The hardware's identifier for a space. */
static u16 space_id(struct shadow_tables *shadow, u64 satp)
{
    struct shadow_space *space;

    for (u32 i = 0; i < SHADOW_SPACES; i++) {
        if (shadow->spaces[i].id != 0 && shadow->spaces[i].satp == satp) {
            shadow->counts.spaces_found++;
            return shadow->spaces[i].id;
        }
    }
    shadow->counts.spaces_missed++;
    space = &shadow->spaces[shadow->space_next];
    shadow->space_next = (shadow->space_next + 1) % SHADOW_SPACES;
    if (space->id == 0)
        space->id = space_id_alloc();
    else
        space->satp = 0;
    /* The identifier had another space's translations; or there is none, and all share 0. */
    if (space->satp == 0)
        arch_translation_drop_all();
    space->satp = satp;
    return space->id;
}

/* Makes a guest frame unwritable, which is not out of step. False: all shadows had to be given up for it. */
static bool protect(struct vcpu *vcpu, u64 guest)
{
    struct vm *vm = vcpu->vm;
    struct shadow_tables *shadow = &vm->shadow->tables;
    struct shadow_frame *frame = frame_of(shadow, vm, guest);
    u64 *leaf;

    if (frame == NULL || frame->state == SHADOW_IN_STEP)
        return true;
    if (frame->writer == WRITER_MANY) {
        shadow_drop_all(vcpu);
        return false;
    }
    leaf = frame->writer != WRITER_NONE ? writer_leaf(shadow, vm, guest, frame->writer) : NULL;
    if (leaf != NULL) {
        *leaf &= ~(u64)SV39_W;
        arch_translation_drop_all();
    }
    frame->writer = WRITER_NONE;
    frame->state = SHADOW_IN_STEP;
    return true;
}

/* The root that mirrors the guest's satp, made if need be. */
static struct shadow_table *root_find(struct vcpu *vcpu, u64 key)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    bool bare = (key & SATP_SV39) == 0;
    u64 guest = bare ? 0 : key & SATP_PPN_MASK;
    u32 rights = SV39_R | SV39_W | SV39_X | (key == SHADOW_BARE_USER ? SV39_U : 0);
    struct shadow_table *root = table_find(shadow, guest, SV39_ROOT_LEVEL, bare ? rights : 0);

    return root != NULL ? root : table_make(shadow, guest, SV39_ROOT_LEVEL, bare ? rights : 0);
}

void shadow_space_enter(struct vcpu *vcpu, u64 satp)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    u64 key = space_key(satp);
    struct shadow_table *root;

    shadow->satp = key;
    if (!tables_reserve(vcpu->vm, 1)) {
        shadow_drop_all(vcpu);
        return;
    }
    if ((key & SATP_SV39) && !protect(vcpu, key & SATP_PPN_MASK))
        return;
    root = root_find(vcpu, key);
    shadow->root = index_of(shadow, root);
    arch_space_install(vcpu, mfn(root->frame), space_id(shadow, key));
}

void shadow_drop_all(struct vcpu *vcpu)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    memset(shadow->buckets, 0, shadow->bucket_count * sizeof(shadow->buckets[0]));
    shadow->tables_used = 0;
    shadow->free = 0;
    shadow->free_count = 0;
    shadow->loose_count = 0;
    shadow->generation++;
    shadow->counts.drops++;
    shadow_space_enter(vcpu, shadow->satp);
    arch_translation_drop_all();
}

/* ---- out of step, and back ---- */

static bool mirrored_and_used(struct shadow_tables *shadow, u64 guest)
{
    for (u32 level = 0; level < SV39_LEVELS; level++) {
        const struct shadow_table *table = table_find(shadow, guest, level, 0);

        if (table != NULL && (table->links > 0 || index_of(shadow, table) == shadow->root))
            return true;
    }
    return false;
}

static void mirrors_drop(struct shadow_tables *shadow, u64 guest)
{
    for (u32 level = 0; level < SV39_LEVELS; level++) {
        struct shadow_table *table = table_find(shadow, guest, level, 0);

        if (table != NULL)
            table_drop(shadow, table);
    }
}

/* Whether a shadow's entry still is what the guest's says. */
static bool entry_holds(const struct shadow_tables *shadow, const struct vm *vm,
                        const struct shadow_table *table, u64 entry, u64 guest)
{
    const struct shadow_table *below;

    if (guest_entry_bad(guest, table->level))
        return false;
    if (table->level == 0)
        return sv39_frame(entry) == p2m_lookup(&vm->p2m, sv39_frame(guest)).number &&
               (entry & LEAF_RIGHTS & ~guest_leaf_rights(guest)) == 0 &&
               ((entry ^ guest) & (SV39_R | SV39_X | SV39_U)) == 0;
    below = table_named_by(shadow, entry);
    return below->gfn == sv39_frame(guest) &&
           below->rights == (sv39_is_leaf(guest) ? guest_leaf_rights(guest) : 0);
}

/* Clears the entries [first, end) that hold no more. True if a link was among them. */
static bool entries_settle(struct shadow_tables *shadow, const struct vm *vm,
                           const struct shadow_table *table, u32 first, u32 end)
{
    u64 *entries = entries_of(table);
    const u64 *guest = guest_table_entry(vm, table->gfn, 0);
    bool unlinked = false;

    for (u32 i = max(first, (u32)table->first); i < min(end, (u32)table->end); i++) {
        if (entries[i] == 0 || entry_holds(shadow, vm, table, entries[i], READ_ONCE(guest[i])))
            continue;
        entry_clear(shadow, table, &entries[i]);
        unlinked = table->level > 0;
    }
    return unlinked;
}

/* Brings one guest table back in step. False: all shadows had to be given up. */
static bool settle(struct vcpu *vcpu, u64 guest)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    frame_of(shadow, vcpu->vm, guest)->state = SHADOW_PLAIN;
    if (!protect(vcpu, guest))
        return false;
    for (u32 level = 0; level < SV39_LEVELS; level++) {
        const struct shadow_table *table = table_find(shadow, guest, level, 0);

        if (table != NULL)
            entries_settle(shadow, vcpu->vm, table, 0, SV39_ENTRIES);
    }
    shadow->counts.settled++;
    return true;
}

/* Lets the guest write to one of its tables. False: all shadows were given up for it. */
static bool loosen(struct vcpu *vcpu, u64 guest)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    struct shadow_frame *frame = frame_of(shadow, vcpu->vm, guest);

    if (!mirrored_and_used(shadow, guest)) {
        mirrors_drop(shadow, guest);
        frame->state = SHADOW_PLAIN;
        arch_translation_drop_all();
        return true;
    }
    if (shadow->loose_count == SHADOW_LOOSE_MAX) {
        if (!settle(vcpu, shadow->loose[0]))
            return false;
        shadow->loose[0] = shadow->loose[--shadow->loose_count];
        arch_translation_drop_all();
    }
    shadow->loose[shadow->loose_count++] = guest;
    frame->state = SHADOW_LOOSE;
    shadow->counts.loosened++;
    return true;
}

void shadow_fence_page(struct vcpu *vcpu, gva_t address)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    bool unlinked = false;

    for (u32 i = 0; i < shadow->loose_count; i++) {
        for (u32 level = 0; level < SV39_LEVELS; level++) {
            const struct shadow_table *table = table_find(shadow, shadow->loose[i], level, 0);
            u32 index = sv39_index(address, level);

            if (table != NULL)
                unlinked |= entries_settle(shadow, vcpu->vm, table, index, index + 1);
        }
    }
    if (unlinked)
        arch_translation_drop_all();
    else
        arch_translation_drop(address);
}

bool shadow_fence_all(struct vcpu *vcpu)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    for (u32 i = 0; i < SETTLED_A_STEP && shadow->loose_count > 0; i++) {
        if (!settle(vcpu, shadow->loose[shadow->loose_count - 1]))
            return false;
        shadow->loose_count--;
    }
    arch_translation_drop_all();
    return shadow->loose_count > 0;
}

/* ---- filling ---- */

/* The table below an entry of `table` on the way to `address`. NULL: something else had to be done
   first, and the guest is to fault once more. */
static struct shadow_table *descend(struct vcpu *vcpu, struct shadow_table *table, gva_t address,
                                    const struct guest_translation *found)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    u32 level = table->level;
    u64 *entry = &entries_of(table)[sv39_index(address, level)];
    u64 span_frames = 1UL << (SV39_INDEX_BITS * level);
    bool spread = found->level >= level;
    u64 guest = spread ? ALIGN_DOWN(found->physical.value >> FRAME_SHIFT, span_frames)
                       : found->tables[level - 1];
    u32 rights = spread ? (u32)guest_leaf_rights(found->leaf) : 0;
    struct shadow_table *below;

    if (table->rights != 0)
        rights = table->rights;
    if (*entry != 0) {
        below = table_named_by(shadow, *entry);
        if (below->gfn == guest && below->rights == rights)
            return below;
        entry_clear(shadow, table, entry);
        arch_translation_drop_all();
    }
    below = table_find(shadow, guest, level - 1, rights);
    if (below != NULL && shadow->loose_count > 0) {
        (void)shadow_fence_all(vcpu);
        return NULL;
    }
    if (!spread && !protect(vcpu, guest))
        return NULL;
    if (below == NULL)
        below = table_make(shadow, guest, level - 1, rights);
    below->links++;
    entry_set(table, sv39_index(address, level), sv39_link(mfn(below->frame)));
    return below;
}

void shadow_fill(struct vcpu *vcpu, gva_t address, const struct guest_translation *found,
                 bool write)
{
    struct vm *vm = vcpu->vm;
    struct shadow_tables *shadow = &vm->shadow->tables;
    u64 guest = found->physical.value >> FRAME_SHIFT;
    mfn_t machine = p2m_lookup(&vm->p2m, guest);
    struct shadow_frame *frame = frame_of(shadow, vm, guest);
    struct shadow_table *table = &shadow->tables[shadow->root];
    u32 index = sv39_index(address, 0);
    u64 rights;
    u32 place;

    if (!tables_reserve(vm, FILL_TABLES)) {
        shadow_drop_all(vcpu);
        return;
    }
    while (table != NULL && table->level > 0)
        table = descend(vcpu, table, address, found);
    if (table == NULL)
        return;
    if (write && frame->state == SHADOW_IN_STEP && !loosen(vcpu, guest))
        return;
    rights = table->rights != 0 ? table->rights : guest_leaf_rights(found->leaf);
    if (frame->state == SHADOW_IN_STEP)
        rights &= ~(u64)SV39_W;
    entry_set(table, index, sv39_leaf(machine, SV39_V | rights));
    place = 1 + index_of(shadow, table) * SV39_ENTRIES + index;
    if ((rights & SV39_W) && frame->writer != place) {
        bool other = frame->writer == WRITER_MANY ||
                     (frame->writer != WRITER_NONE &&
                      writer_leaf(shadow, vm, guest, frame->writer) != NULL);

        frame->writer = other ? (u32)WRITER_MANY : place;
    }
    shadow->counts.fills++;
    arch_translation_drop(address);
}

/* ---- beginning and end ---- */

bool shadow_tables_init(struct vm *vm)
{
    struct shadow_tables *shadow = &vm->shadow->tables;
    u64 wanted = vm->config.memory_bytes / TABLES_FOR_BYTES;

    shadow->tables_max = (u32)min(max(wanted, (u64)TABLES_MIN), (u64)TABLES_MAX);
    shadow->bucket_count = 1;
    while (shadow->bucket_count < shadow->tables_max)
        shadow->bucket_count *= 2;
    shadow->frames_count = (u32)(vm->config.memory_bytes >> FRAME_SHIFT);
    shadow->tables = frame_run_alloc(shadow->tables_max * sizeof(shadow->tables[0]));
    shadow->buckets = frame_run_alloc(shadow->bucket_count * sizeof(shadow->buckets[0]));
    shadow->frames = frame_run_alloc(shadow->frames_count * sizeof(shadow->frames[0]));
    shadow->generation = 1;
    return shadow->tables != NULL && shadow->buckets != NULL && shadow->frames != NULL;
}

bool shadow_tables_ready(struct vm *vm)
{
    return tables_reserve(vm, TABLES_FIRST);
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

        if (shadow->released == shadow->tables_max || table->frame == 0) {
            shadow->released = 0;
            return false;
        }
        frame_table_free(mfn(table->frame));
        table->frame = 0;
        shadow->released++;
    }
    return true;
}
