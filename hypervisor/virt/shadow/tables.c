/* SPDX-License-Identifier: MIT */
/*
 * The calls of tables.h: finding and making shadow tables, filling them, keeping them in step.
 */
#include "virt/shadow/tables.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "csr.h"
#include "mem/frame.h"
#include "string.h"
#include "virt/shadow/records.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"

enum {
    FILL_TABLES = SV39_LEVELS,
    SETTLED_A_STEP = 128,  /* entries compared by one trap */
    SETTLED_A_PIECE = 32,  /* places looked at in one piece; */
    SETTLED_FOR_PIECE = 4, /* the empty ones count as so many entries, all together, */
    SETTLED_FOR_TABLE = 8, /* and the way to one of the guest's tables as so many */
    MIRRORS_A_FENCE = 40,  /* looked at by a fence for one page: with more it is one for all, */
    SETTLED_BESIDES = 48,  /* and that compares so many entries then */
    FORGOTTEN_MOST = 16,   /* fills in a row whose way cannot be remembered */
};

#define LEAF_RIGHTS ((u64)(SV39_R | SV39_W | SV39_X | SV39_U))

/* What a table of that view shows of a leaf's rights; 0: nothing at all. */
static u64 rights_shown(u32 view, u64 rights)
{
    bool users = (rights & SV39_U) != 0, mxr = (view & SHADOW_VIEW_MXR) != 0;

    view &= ~(u32)SHADOW_VIEW_MXR;
    if (view == SHADOW_VIEW_DIRECT)
        return rights;
    if (users ? view == SHADOW_VIEW_KERNEL : view == SHADOW_VIEW_USER)
        return 0;
    if (mxr && (rights & SV39_X))
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
        shadow->stale = true;
        arch_translation_drop_all();
    }
    if (vcpu->shadow->several)
        shadow_flush_others(vcpu);
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

/* The table of a space's root, made if need be. False: all shadows had to be given up for it, and
 * the space was entered then. */
OUT_OF_LINE static bool root_make(struct vcpu *vcpu, struct shadow_space *space,
                                  const struct shadow_key *key)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    struct shadow_table *root;

    if (!shadow_tables_reserve(vcpu->vm, 1)) {
        shadow_drop_all(vcpu);
        return false;
    }
    if (key->rights == 0 && !protect(vcpu, key->gfn))
        return false;
    root = shadow_table_find(shadow, key);
    if (root == NULL)
        root = shadow_table_make(shadow, key);
    space->root = shadow_table_index(shadow, root);
    return true;
}

void shadow_space_enter(struct vcpu *vcpu, u64 satp, u8 view)
{
    struct vcpu_shadow *own = vcpu->shadow;
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    const struct shadow_key key = root_key(satp, view);
    struct shadow_space *space = &shadow->spaces[shadow->last[view]];

    own->satp = satp;
    own->view = view;
    shadow->clock++;
    if (shadow_space_is(space, satp, view)) {
        shadow->counts.spaces_found++;
        space->entered = shadow->clock;
    } else {
        space = shadow_space_find(vcpu, satp, view);
    }
    own->space = shadow->last[view];
    if ((space->root >= shadow->tables_used ||
         !shadow_table_is(&shadow->tables[space->root], &key)) &&
        !root_make(vcpu, space, &key))
        return;
    own->root = space->root;
    own->id_shared = space->id == 0;
    own->started = true;
    arch_space_install(vcpu, mfn(shadow->tables[space->root].frame), space->id);
}

void shadow_drop_all(struct vcpu *vcpu)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    shadow_tables_empty(vcpu);
    shadow_flush_others(vcpu);
    shadow_memos_forget(vcpu);
    shadow->generation++;
    /* One record a time, so that none is left of when the generation was last this one. */
    (void)shadow_frame_of(shadow, vcpu->vm,
                          vcpu->vm->p2m.base_gfn + shadow->generation % shadow->frames_count);
    shadow->counts.drops++;
    for (u32 i = 0; i < shadow->tables_used; i++) {
        if (shadow->tables[i].rights == 0)
            (void)protect(vcpu, shadow->tables[i].gfn); /* nothing can be written yet */
    }
    shadow_space_enter(vcpu, vcpu->shadow->satp, vcpu->shadow->view);
    arch_translation_drop_all();
}

/* ---- out of step, and back ---- */

static bool mirrored_and_used(const struct vm *vm, u64 guest)
{
    const struct shadow_tables *shadow = &vm->shadow->tables;
    struct shadow_table *table = NULL;

    while ((table = shadow_mirror_next(shadow, guest, table)) != NULL) {
        if (table->links > 0 || shadow_root_of_any(vm, shadow_table_index(shadow, table)))
            return true;
    }
    return false;
}

/* Gives up one mirror of a guest's table. False: there was none. */
static bool mirror_drop(struct vcpu *vcpu, u64 guest)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    struct shadow_table *table = shadow_mirror_next(shadow, guest, NULL);

    if (table == NULL)
        return false;
    shadow_table_drop(shadow, table);
    shadow->settling.mirror = 0;
    shadow->settling.entry = 0;
    shadow->stale = true;
    arch_translation_drop_all();
    return true;
}

/* Whether rights that were given once still are the guest's. W may be missing: D was set since, or
 * the page is a table in step. */
static bool rights_hold(u64 given, u64 rights)
{
    return (given & LEAF_RIGHTS & ~rights) == 0 &&
           ((given ^ rights) & (SV39_R | SV39_X | SV39_U)) == 0;
}

bool shadow_entry_holds(const struct vm *vm, const struct shadow_table *table, u64 entry, u64 guest)
{
    const struct shadow_table *below;
    u64 rights;

    if (guest_entry_bad(guest, table->level))
        return false;
    rights = rights_shown(table->view, guest_leaf_rights(guest));
    if (table->level == 0)
        return sv39_frame(entry) == p2m_lookup(&vm->p2m, sv39_frame(guest)).number &&
               rights_hold(entry, rights);
    below = shadow_table_named(&vm->shadow->tables, entry);
    return below->gfn == sv39_frame(guest) && sv39_is_leaf(guest) == (below->rights != 0) &&
           rights_hold(below->rights, below->rights != 0 ? rights : 0);
}

/* Clears the entries [first, end) that hold no more. Returns how many were compared. */
static u32 entries_settle(struct shadow_tables *shadow, const struct vm *vm,
                          const struct shadow_table *table, u32 first, u32 end)
{
    u64 *entries = shadow_entries(table);
    const u64 *guest = guest_table_entry(vm, table->gfn, 0);
    u32 compared = 0;

    for (u32 i = max(first, (u32)table->first); i < min(end, (u32)table->end); i++) {
        if (entries[i] == 0)
            continue;
        compared++;
        if (!shadow_entry_holds(vm, table, entries[i], READ_ONCE(guest[i])))
            shadow_entry_clear(shadow, table, &entries[i]);
    }
    return compared;
}

static void loose_remove(struct shadow_tables *shadow, u64 guest)
{
    for (u32 i = 0; i < shadow->loose_count; i++) {
        if (shadow->loose[i] == guest) {
            shadow->loose[i] = shadow->loose[--shadow->loose_count];
            return;
        }
    }
}

/* Begins to bring the last guest table out of step back, if none is begun. False: all shadows had
 * to be given up for it. */
static bool settle_begin(struct vcpu *vcpu)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    u64 guest = shadow->loose[shadow->loose_count - 1];

    if (shadow->settling.begun)
        return true;
    shadow_frame_of(shadow, vcpu->vm, guest)->state = SHADOW_PLAIN;
    if (!protect(vcpu, guest))
        return false;
    shadow->settling = (struct shadow_settling){.begun = true, .gfn = guest};
    return true;
}

/* Compares more entries of the table that was begun, for so much work; at the end of its last
 * shadow it is in step. */
static void settle_go_on(struct shadow_tables *shadow, const struct vm *vm, u32 *work)
{
    struct shadow_settling *at = &shadow->settling;
    const struct shadow_table *table = at->mirror != 0 ? &shadow->tables[at->mirror - 1]
                                                       : shadow_mirror_next(shadow, at->gfn, NULL);

    while (table != NULL && *work > 0) {
        u32 first = max(at->entry, (u32)table->first);
        u32 done = SETTLED_FOR_PIECE +
                   entries_settle(shadow, vm, table, first, first + SETTLED_A_PIECE);

        *work -= min(*work, done);
        at->entry = first + SETTLED_A_PIECE;
        if (at->entry >= table->end) {
            table = shadow_mirror_next(shadow, at->gfn, table);
            at->entry = 0;
        }
    }
    at->mirror = table != NULL ? shadow_table_index(shadow, table) + 1 : 0;
    if (table != NULL)
        return;
    loose_remove(shadow, at->gfn);
    at->begun = false;
    shadow->counts.settled++;
}

/* Brings guest tables back in step until only `most` are not, or so much work is done. False: all
 * shadows had to be given up. */
static bool settle_down_to(struct vcpu *vcpu, u32 most, u32 work)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    shadow->forgotten = 0;
    while (shadow->loose_count > most && work > 0) {
        if (!settle_begin(vcpu))
            return false;
        work -= min(work, (u32)SETTLED_FOR_TABLE);
        settle_go_on(shadow, vcpu->vm, &work);
    }
    arch_translation_drop_all();
    return true;
}

/* Lets the guest write to one of its tables. False: something else had to be done first, and the
 * guest is to fault once more. */
OUT_OF_LINE static bool loosen(struct vcpu *vcpu, u64 guest)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    struct shadow_frame *frame = shadow_frame_of(shadow, vcpu->vm, guest);

    shadow_memos_forget(vcpu);
    if (!mirrored_and_used(vcpu->vm, guest)) {
        if (mirror_drop(vcpu, guest))
            return false;
        frame->state = SHADOW_PLAIN;
        return true;
    }
    if (shadow->settling.begun && shadow->settling.gfn == guest) {
        shadow->settling.begun = false; /* and all over again, later */
        frame->state = SHADOW_LOOSE;
        return true;
    }
    if (shadow->loose_count == SHADOW_LOOSE_MAX &&
        (!settle_down_to(vcpu, SHADOW_LOOSE_MAX - 1, SETTLED_A_STEP) ||
         shadow->loose_count == SHADOW_LOOSE_MAX))
        return false;
    shadow->loose[shadow->loose_count++] = guest;
    frame->state = SHADOW_LOOSE;
    shadow->counts.loosened++;
    return true;
}

bool shadow_fence_page(struct vcpu *vcpu, gva_t address)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    u32 unlinked = shadow->unlinked, mirrors = 0;

    guest_memo_forget(&vcpu->shadow->memo);
    for (u32 i = 0; i < shadow->loose_count; i++) {
        struct shadow_table *table = NULL;

        while ((table = shadow_mirror_next(shadow, shadow->loose[i], table)) != NULL) {
            u32 index = sv39_index(address, table->level);

            if (++mirrors > MIRRORS_A_FENCE)
                return settle_down_to(vcpu, 0, SETTLED_BESIDES);
            (void)entries_settle(shadow, vcpu->vm, table, index, index + 1);
        }
    }
    if (shadow->unlinked != unlinked)
        arch_translation_drop_all();
    else
        arch_translation_drop(address);
    return false;
}

bool shadow_fence_all(struct vcpu *vcpu)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    guest_memo_forget(&vcpu->shadow->memo);
    return settle_down_to(vcpu, 0, SETTLED_A_STEP) && shadow->loose_count > 0;
}

/* ---- filling ---- */

/* What stands below an entry of `table` on the way to `address`. */
static struct shadow_key below_key(const struct shadow_table *table,
                                   const struct guest_translation *found)
{
    u64 span_frames = 1UL << (SV39_INDEX_BITS * table->level);
    u8 level = (u8)(table->level - 1);
    u64 rights = table->rights;

    if (found->level < table->level)
        return (struct shadow_key){found->tables[level], level, 0, table->view};
    if (rights == 0)
        rights = rights_shown(table->view, guest_leaf_rights(found->leaf));
    return (struct shadow_key){ALIGN_DOWN(found->physical.value >> FRAME_SHIFT, span_frames), level,
                               (u8)rights, SHADOW_VIEW_DIRECT};
}

/* Whether the guest can write there without Candor, who will not learn of it. */
static bool is_plain(const struct vcpu *vcpu, u64 guest)
{
    const struct shadow_frame *frame = shadow_frame_of(&vcpu->vm->shadow->tables, vcpu->vm, guest);

    return frame != NULL && frame->state == SHADOW_PLAIN;
}

/* The table there, made and linked if need be. NULL: something else had to be done first, and the
   guest is to fault once more: also where the walk came through that table before it was protected,
   and another vCPU may have written to it since, and fenced. */
static struct shadow_table *descend(struct vcpu *vcpu, struct shadow_table *table, gva_t address,
                                    const struct guest_translation *found)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    const struct shadow_key key = below_key(table, found);
    u32 index = sv39_index(address, table->level);
    u64 *entry = &shadow_entries(table)[index];
    bool walked_before = key.rights == 0 && vcpu->shadow->several && is_plain(vcpu, key.gfn);
    struct shadow_table *below;

    if (*entry != 0) {
        below = shadow_table_named(shadow, *entry);
        if (shadow_table_is(below, &key))
            return below;
        shadow_entry_clear(shadow, table, entry);
        arch_translation_drop_all();
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
    return walked_before ? NULL : below;
}

static bool in_step(const struct vcpu *vcpu, u64 guest)
{
    const struct shadow_frame *frame = shadow_frame_of(&vcpu->vm->shadow->tables, vcpu->vm, guest);

    return frame != NULL && frame->state == SHADOW_IN_STEP;
}

/* Remembers the way to a lowest table of the guest's, if nobody can change it without Candor, and
 * the shadow that goes with it. For what was not there before a guest need not fence: where tables
 * stay out of step for many fills they are compared unasked. False: the guest is to fault again. */
static bool remember(struct vcpu *vcpu, gva_t address, const struct guest_translation *found,
                     struct shadow_table *table)
{
    struct vcpu_shadow *own = vcpu->shadow;
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;

    if (!in_step(vcpu, own->satp & SATP_PPN_MASK) || !in_step(vcpu, found->tables[1])) {
        if (++shadow->forgotten < FORGOTTEN_MOST)
            return true;
        (void)shadow_fence_all(vcpu);
        return false;
    }
    own->memo.path = (struct guest_path){
        own->satp,
        address.value >> GUEST_SPAN_SHIFT,
        guest_table_entry(vcpu->vm, found->tables[0], 0),
        {found->tables[0], found->tables[1]},
    };
    own->recent = (struct shadow_recent){own->root, shadow->unlinked, table};
    return true;
}

/* The table for the leaf of `address`; NULL as above. */
OUT_OF_LINE static struct shadow_table *leaf_table(struct vcpu *vcpu, gva_t address,
                                                   const struct guest_translation *found)
{
    struct shadow_table *table = &vcpu->vm->shadow->tables.tables[vcpu->shadow->root];

    if (!shadow_tables_reserve(vcpu->vm, FILL_TABLES)) {
        shadow_drop_all(vcpu);
        return NULL;
    }
    while (table != NULL && table->level > 0)
        table = descend(vcpu, table, address, found);
    if (table != NULL && found->level == 0)
        return remember(vcpu, address, found, table) ? table : NULL;
    if (table != NULL && shadow_entries(table)[sv39_index(address, 0)] == 0)
        shadow_table_fill_beside(vcpu->vm, table, sv39_index(address, 0));
    return table;
}

/* The same, if the way there is remembered. */
static struct shadow_table *recent_table(const struct vcpu *vcpu,
                                         const struct guest_translation *found)
{
    const struct shadow_recent *recent = &vcpu->shadow->recent;

    return found->remembered && recent->root == vcpu->shadow->root &&
                   recent->unlinked == vcpu->vm->shadow->tables.unlinked
               ? recent->table
               : NULL;
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

/* Whether the old entry allowed something that the new one does not. */
static bool taken_away(u64 old, u64 entry)
{
    return old != 0 && old != entry && (old | SV39_W) != entry;
}

void shadow_fill(struct vcpu *vcpu, gva_t address, const struct guest_translation *found, mfn_t to,
                 bool write)
{
    const struct vm *vm = vcpu->vm;
    struct shadow_tables *shadow = &vm->shadow->tables;
    u64 guest = found->physical.value >> FRAME_SHIFT;
    struct shadow_frame *frame = shadow_frame_of(shadow, vm, guest);
    struct shadow_table *table = recent_table(vcpu, found);
    u32 index = sv39_index(address, 0);
    u64 rights, entry;

    if (table == NULL)
        table = leaf_table(vcpu, address, found);
    if (table == NULL || (write && frame->state == SHADOW_IN_STEP && !loosen(vcpu, guest)))
        return;
    rights = table->rights != 0 ? table->rights
                                : rights_shown(table->view, guest_leaf_rights(found->leaf));
    if (frame->state == SHADOW_IN_STEP)
        rights &= ~(u64)SV39_W;
    entry = sv39_leaf(to, SV39_V | rights);
    if (taken_away(shadow_entries(table)[index], entry))
        shadow->stale = true;
    shadow_entry_set(table, index, entry);
    if (rights & SV39_W)
        writer_note(shadow, frame, to,
                    1 + shadow_table_index(shadow, table) * SV39_ENTRIES + index);
    shadow->counts.fills++;
    record_fill(vcpu, address, found, entry);
    arch_translation_drop(address);
}

bool shadow_tables_in(struct vm *vm, gpa_t at, u64 bytes)
{
    struct shadow_tables *shadow = &vm->shadow->tables;

    for (u64 done = 0; done < bytes; done += FRAME_BYTES - (at.value + done) % FRAME_BYTES) {
        u64 guest = (at.value + done) >> FRAME_SHIFT;
        const struct shadow_frame *frame = shadow_frame_of(shadow, vm, guest);

        if (frame != NULL && frame->state == SHADOW_IN_STEP)
            return true;
    }
    return false;
}

void shadow_written(struct vcpu *vcpu, gpa_t at, u64 bytes)
{
    bool taken = shadow_lock(vcpu);

    if (shadow_tables_in(vcpu->vm, at, bytes))
        shadow_drop_all(vcpu);
    shadow_unlock(vcpu, taken);
}
