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
#include "virt/shadow/records.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"

enum {
    FILL_TABLES = SV39_LEVELS,
    SPAN_SHIFT = FRAME_SHIFT + SV39_INDEX_BITS, /* what a table of level 0 translates */
    SETTLED_A_STEP = 2,                         /* guest tables brought back in step by one trap */
};

#define LEAF_RIGHTS ((u64)(SV39_R | SV39_W | SV39_X | SV39_U))

/* What a table of that view shows of a leaf's rights; 0: nothing at all. */
static u64 rights_shown(const struct shadow_tables *shadow, u32 view, u64 rights)
{
    bool users = (rights & SV39_U) != 0;

    if (view == SHADOW_VIEW_DIRECT)
        return rights;
    if (users ? view == SHADOW_VIEW_KERNEL : view == SHADOW_VIEW_USER)
        return 0;
    if (shadow->mxr && (rights & SV39_X))
        rights |= SV39_R;
    if (users && view == SHADOW_VIEW_KERNEL_SUM)
        rights &= ~(u64)SV39_X;
    return rights & (SV39_R | SV39_X) ? rights | SV39_U : 0;
}

/* ---- spaces ---- */

/* Makes a guest frame unwritable, unless it is out of step. False: all shadows had to be given up
 * for it. */
static bool protect(struct vcpu *vcpu, u64 guest)
{
    struct vm *vm = vcpu->vm;
    struct shadow_tables *shadow = &vm->shadow->tables;
    struct shadow_frame *frame = shadow_frame_of(shadow, vm, guest);
    u64 *leaf;

    if (frame == NULL || frame->state != SHADOW_PLAIN)
        return true;
    if (frame->writer == SHADOW_WRITER_MANY) {
        shadow_drop_all(vcpu);
        return false;
    }
    leaf = frame->writer != SHADOW_WRITER_NONE
               ? shadow_writer_leaf(shadow, p2m_lookup(&vm->p2m, guest), frame->writer)
               : NULL;
    if (leaf != NULL) {
        *leaf &= ~(u64)SV39_W;
        arch_translation_drop_all();
    }
    frame->writer = SHADOW_WRITER_NONE;
    frame->state = SHADOW_IN_STEP;
    return true;
}

/* What the root of a space mirrors, or spreads. */
static struct shadow_key root_key(u64 satp, u8 view)
{
    u8 all = SV39_R | SV39_W | SV39_X;

    if (satp & SATP_SV39)
        return (struct shadow_key){.gfn = satp & SATP_PPN_MASK, SV39_ROOT_LEVEL, 0, view};
    if (satp == SHADOW_BARE_USER)
        all |= SV39_U;
    return (struct shadow_key){.gfn = 0, SV39_ROOT_LEVEL, all, SHADOW_VIEW_DIRECT};
}

/* The place of a space, with an identifier of the hardware's that no other space has. */
static struct shadow_space *space_find(struct shadow_tables *shadow, u64 satp, u8 view)
{
    u64 key = satp ^ satp >> SATP_ASID_SHIFT << 2 ^ view;
    struct shadow_space *space = &shadow->spaces[shadow_hash(key, SHADOW_SPACES)];

    if (space->used && space->satp == satp && space->view == view) {
        shadow->counts.spaces_found++;
        return space;
    }
    shadow->counts.spaces_missed++;
    if (space->id == 0)
        space->id = space_id_alloc();
    space->used = space->id != 0; /* without one it shares 0, and is found no more */
    space->satp = satp;
    space->view = view;
    space->root = 0;
    arch_translation_drop_all(); /* the identifier may have had another space's translations */
    return space;
}

void shadow_space_enter(struct vcpu *vcpu, u64 satp, enum shadow_view view)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    const struct shadow_key key = root_key(satp, (u8)view);
    struct shadow_space *space;

    shadow->satp = satp;
    shadow->view = (u8)view;
    if (!shadow_tables_reserve(vcpu->vm, 1)) {
        shadow_drop_all(vcpu);
        return;
    }
    if (key.rights == 0 && !protect(vcpu, key.gfn))
        return;
    space = space_find(shadow, satp, (u8)view);
    if (space->root >= shadow->tables_used ||
        !shadow_table_is(&shadow->tables[space->root], &key)) {
        struct shadow_table *root = shadow_table_find(shadow, &key);

        space->root = shadow_table_index(shadow,
                                         root != NULL ? root : shadow_table_make(shadow, &key));
    }
    shadow->root = space->root;
    arch_space_install(vcpu, mfn(shadow->tables[shadow->root].frame), space->id);
}

void shadow_drop_all(struct vcpu *vcpu)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    memset(shadow->buckets, 0, shadow->bucket_count * sizeof(shadow->buckets[0]));
    shadow->tables_used = 0;
    shadow->free = 0;
    shadow->free_count = 0;
    shadow->loose_count = 0;
    shadow->unlinked++;
    shadow->generation++;
    shadow->counts.drops++;
    shadow_space_enter(vcpu, shadow->satp, shadow->view);
    arch_translation_drop_all();
}

/* ---- out of step, and back ---- */

static bool mirrored_and_used(struct shadow_tables *shadow, u64 guest)
{
    struct shadow_table *table = NULL;

    while ((table = shadow_mirror_next(shadow, guest, table)) != NULL) {
        if (table->links > 0 || shadow_table_index(shadow, table) == shadow->root)
            return true;
    }
    return false;
}

static void mirrors_drop(struct shadow_tables *shadow, u64 guest)
{
    struct shadow_table *table;

    while ((table = shadow_mirror_next(shadow, guest, NULL)) != NULL)
        shadow_table_drop(shadow, table);
}

bool shadow_entry_holds(const struct vm *vm, const struct shadow_table *table, u64 entry, u64 guest)
{
    const struct shadow_tables *shadow = &vm->shadow->tables;
    const struct shadow_table *below;
    u64 rights;

    if (guest_entry_bad(guest, table->level))
        return false;
    rights = rights_shown(shadow, table->view, guest_leaf_rights(guest));
    if (table->level == 0)
        return sv39_frame(entry) == p2m_lookup(&vm->p2m, sv39_frame(guest)).number &&
               (entry & LEAF_RIGHTS & ~rights) == 0 &&
               ((entry ^ rights) & (SV39_R | SV39_X | SV39_U)) == 0;
    below = shadow_table_named(shadow, entry);
    return below->gfn == sv39_frame(guest) && below->rights == (sv39_is_leaf(guest) ? rights : 0);
}

/* Clears the entries [first, end) that hold no more. True if a link was among them. */
static bool entries_settle(struct shadow_tables *shadow, const struct vm *vm,
                           const struct shadow_table *table, u32 first, u32 end)
{
    u64 *entries = shadow_entries(table);
    const u64 *guest = guest_table_entry(vm, table->gfn, 0);
    bool unlinked = false;

    for (u32 i = max(first, (u32)table->first); i < min(end, (u32)table->end); i++) {
        if (entries[i] == 0 || shadow_entry_holds(vm, table, entries[i], READ_ONCE(guest[i])))
            continue;
        shadow_entry_clear(shadow, table, &entries[i]);
        unlinked = table->level > 0;
    }
    return unlinked;
}

/* Brings one guest table back in step. False: all shadows had to be given up. */
static bool settle(struct vcpu *vcpu, u64 guest)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    struct shadow_table *table = NULL;

    shadow_frame_of(shadow, vcpu->vm, guest)->state = SHADOW_PLAIN;
    if (!protect(vcpu, guest))
        return false;
    while ((table = shadow_mirror_next(shadow, guest, table)) != NULL)
        entries_settle(shadow, vcpu->vm, table, 0, SV39_ENTRIES);
    shadow->counts.settled++;
    return true;
}

/* Lets the guest write to one of its tables. False: all shadows were given up for it. */
OUT_OF_LINE static bool loosen(struct vcpu *vcpu, u64 guest)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    struct shadow_frame *frame = shadow_frame_of(shadow, vcpu->vm, guest);

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

    guest_memo_forget(&vcpu->vm->shadow->memo);
    for (u32 i = 0; i < shadow->loose_count; i++) {
        struct shadow_table *table = NULL;

        while ((table = shadow_mirror_next(shadow, shadow->loose[i], table)) != NULL) {
            u32 index = sv39_index(address, table->level);

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

    guest_memo_forget(&vcpu->vm->shadow->memo);
    for (u32 i = 0; i < SETTLED_A_STEP && shadow->loose_count > 0; i++) {
        if (!settle(vcpu, shadow->loose[shadow->loose_count - 1]))
            return false;
        shadow->loose_count--;
    }
    arch_translation_drop_all();
    return shadow->loose_count > 0;
}

/* ---- filling ---- */

/* What stands below an entry of `table` on the way to `address`. */
static struct shadow_key below_key(const struct shadow_tables *shadow,
                                   const struct shadow_table *table,
                                   const struct guest_translation *found)
{
    u64 span_frames = 1UL << (SV39_INDEX_BITS * table->level);
    u8 level = (u8)(table->level - 1);
    u64 rights = table->rights;

    if (found->level < table->level)
        return (struct shadow_key){found->tables[level], level, 0, table->view};
    if (rights == 0)
        rights = rights_shown(shadow, table->view, guest_leaf_rights(found->leaf));
    return (struct shadow_key){ALIGN_DOWN(found->physical.value >> FRAME_SHIFT, span_frames), level,
                               (u8)rights, SHADOW_VIEW_DIRECT};
}

/* The table there, made and linked if need be. NULL: something else had to be done first, and the
   guest is to fault once more. */
static struct shadow_table *descend(struct vcpu *vcpu, struct shadow_table *table, gva_t address,
                                    const struct guest_translation *found)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    const struct shadow_key key = below_key(shadow, table, found);
    u32 index = sv39_index(address, table->level);
    u64 *entry = &shadow_entries(table)[index];
    struct shadow_table *below;

    if (*entry != 0) {
        below = shadow_table_named(shadow, *entry);
        if (shadow_table_is(below, &key))
            return below;
        shadow_entry_clear(shadow, table, entry);
        arch_translation_drop_all();
    }
    if (found->remembered) {
        guest_memo_forget(&vcpu->vm->shadow->memo);
        return NULL;
    }
    below = shadow_table_find(shadow, &key);
    if (below != NULL && shadow->loose_count > 0) {
        (void)shadow_fence_all(vcpu);
        return NULL;
    }
    if (key.rights == 0 && !protect(vcpu, key.gfn))
        return NULL;
    if (below == NULL)
        below = shadow_table_make(shadow, &key);
    below->links++;
    shadow_entry_set(table, index, sv39_link(mfn(below->frame)));
    return below;
}

/* The table for the leaf of `address`; NULL as above. */
OUT_OF_LINE static struct shadow_table *leaf_table(struct vcpu *vcpu, gva_t address,
                                                   const struct guest_translation *found)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    struct shadow_table *table = &shadow->tables[shadow->root];

    if (!shadow_tables_reserve(vcpu->vm, FILL_TABLES)) {
        shadow_drop_all(vcpu);
        return NULL;
    }
    while (table != NULL && table->level > 0)
        table = descend(vcpu, table, address, found);
    if (table != NULL && found->level == 0)
        shadow->recent = (struct shadow_recent){address.value >> SPAN_SHIFT, found->tables[0],
                                                shadow->root, shadow->unlinked, table};
    return table;
}

/* The same, if the last leaf went there too. */
static struct shadow_table *recent_table(const struct shadow_tables *shadow, gva_t address,
                                         const struct guest_translation *found)
{
    const struct shadow_recent *recent = &shadow->recent;

    if (recent->span != address.value >> SPAN_SHIFT || found->level != 0 ||
        recent->gfn != found->tables[0] || recent->root != shadow->root ||
        recent->unlinked != shadow->unlinked)
        return NULL;
    return recent->table;
}

/* Notes where a writable leaf of a frame is. */
static void writer_note(const struct shadow_tables *shadow, struct shadow_frame *frame, mfn_t to,
                        u32 place)
{
    if (frame->writer == place || frame->writer == SHADOW_WRITER_MANY)
        return;
    if (frame->writer != SHADOW_WRITER_NONE &&
        shadow_writer_leaf(shadow, to, frame->writer) != NULL)
        place = SHADOW_WRITER_MANY;
    frame->writer = place;
}

void shadow_fill(struct vcpu *vcpu, gva_t address, const struct guest_translation *found, mfn_t to,
                 bool write)
{
    const struct vm *vm = vcpu->vm;
    struct shadow_tables *shadow = &vm->shadow->tables;
    u64 guest = found->physical.value >> FRAME_SHIFT;
    struct shadow_frame *frame = shadow_frame_of(shadow, vm, guest);
    struct shadow_table *table = recent_table(shadow, address, found);
    u32 index = sv39_index(address, 0);
    u64 rights, entry;

    if (table == NULL)
        table = leaf_table(vcpu, address, found);
    if (table == NULL || (write && frame->state == SHADOW_IN_STEP && !loosen(vcpu, guest)))
        return;
    rights = table->rights != 0 ? table->rights
                                : rights_shown(shadow, table->view, guest_leaf_rights(found->leaf));
    if (frame->state == SHADOW_IN_STEP)
        rights &= ~(u64)SV39_W;
    entry = sv39_leaf(to, SV39_V | rights);
    shadow_entry_set(table, index, entry);
    if (rights & SV39_W)
        writer_note(shadow, frame, to,
                    1 + shadow_table_index(shadow, table) * SV39_ENTRIES + index);
    shadow->counts.fills++;
    record_fill(vm, address, found, entry);
    arch_translation_drop(address);
}

void shadow_written(struct vm *vm, gpa_t at, u64 bytes)
{
    struct shadow_tables *shadow = &vm->shadow->tables;

    for (u64 done = 0; done < bytes; done += FRAME_BYTES - (at.value + done) % FRAME_BYTES) {
        u64 guest = (at.value + done) >> FRAME_SHIFT;
        const struct shadow_frame *frame = shadow_frame_of(shadow, vm, guest);

        if (frame != NULL && frame->state == SHADOW_IN_STEP)
            shadow_drop_all(&vm->vcpus[0]);
    }
}
