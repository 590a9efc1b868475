/* SPDX-License-Identifier: MIT */
/*
 * Shadow page tables and the walker under whatever a guest can do to its own tables: stores of any
 * entry, writes of satp, every form of sfence.vma, accesses of any kind from any mode, devices that
 * write into tables, everything given up. The processor is the TLB model, which forgets nothing.
 *
 * What an access may give is stated once more in lib/allowed.h. Of two things Candor promises more,
 * and is held to it: a page fault is what the tables say now, and A and D are set in the one entry
 * that an access that is allowed goes by.
 *
 * The input's first byte chooses the machine; the rest is cut into records of 6 bytes.
 */
#include <string.h>

#include "allowed.h"
#include "arch/arch.h"
#include "core/audit.h"
#include "core/vm.h"
#include "csr.h"
#include "host.h"
#include "mem/frame.h"
#include "shadow_machine.h"
#include "sv39.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"
#include "virt/walk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    RECORD_BYTES = 6,
    TRIES_MAX = 256,
    FENCE_STEPS_MAX = 4096,
    CHECK_EVERY = 16,
    FEW_TABLES = 12,
    MARK_INDEX = 256, /* of a frame's word that says which it is, and is no valid entry */
    MARK_SHIFT = 2,
    GIGAPAGE_FRAME = 0x80000,
};

static const u32 slots[SLOTS] = {0, 1, 2, SV39_ENTRIES - 1};

/* ---- the processor */

static u64 satp_now(void)
{
    if (model.space == BARE)
        return 0;
    return SATP_SV39 | (u64)(model.space % ASIDS) << SATP_ASID_SHIFT |
           guest_frame(model.space / ASIDS);
}

/* As shadow_csr_changed and bare_view_changes do it. */
static void enter(bool anew)
{
    const struct vcpu_shadow *shadow = vcpu->shadow;
    u64 satp = satp_now();
    u8 view = SHADOW_VIEW_DIRECT;

    if (model.space == BARE)
        satp = model.in_u || !model.kernel ? SHADOW_BARE_USER : SHADOW_BARE_KERNEL;
    else if (model.in_u)
        view = (!model.kernel                ? SHADOW_VIEW_USER
                : model.status & MSTATUS_SUM ? SHADOW_VIEW_KERNEL_SUM
                                             : SHADOW_VIEW_KERNEL) |
               (model.status & MSTATUS_MXR ? SHADOW_VIEW_MXR : 0);
    if (anew || shadow->satp != satp || shadow->view != view)
        shadow_space_enter(vcpu, satp, view);
}

static void mode_set(bool kernel, u64 status)
{
    model.kernel = kernel;
    model.status = status;
    enter(false);
}

/* SUM and MXR. With its kernel in U-mode MXR changes rarely, for all shadows are given up then. */
static u64 status_of(u32 bits)
{
    u64 mxr = bits & 2 ? MSTATUS_MXR : 0;

    if (model.in_u && (bits & 0x1c) != 0)
        mxr = model.status & MSTATUS_MXR;
    return (bits & 1 ? MSTATUS_SUM : 0) | mxr;
}

/* What the hardware, which runs a guest's kernel in U-mode or not, makes of a leaf of its tables.
 */
static bool hardware_lets(u64 entry, u64 right)
{
    const u64 status = model.status;
    bool kernel = model.kernel, fine;

    if (model.in_u) {
        model.kernel = false;
        model.status = 0;
    }
    fine = lets(entry, 0, right);
    model.kernel = kernel;
    model.status = status;
    return fine;
}

static u64 frame_of_machine(u64 entry)
{
    const struct frame *frame = frame_get(mfn(sv39_frame(entry)));

    if (frame == NULL || frame->type != FRAME_DATA || frame->vm != vm->id)
        broken("a leaf leads to a frame that is not its machine's");
    return frame->gfn;
}

/* An access with the faults on its way; `faulted`: there was one that it got over. */
static enum outcome go(const struct access *access, bool *faulted, u64 *frame)
{
    const struct guest_access how = {access->right, model.status, model.kernel};
    const gva_t address = gva(access->address);

    *faulted = false;
    for (u32 i = 0; i < TRIES_MAX; i++) {
        struct guest_translation found;
        enum guest_walk_result result;
        u64 entry;

        if (host_access(vcpu, address, 0, &entry) && hardware_lets(entry, access->right)) {
            *frame = frame_of_machine(entry);
            return DONE;
        }
        result = guest_walk(vm, &vcpu->shadow->memo.path, satp_now(), address, &how, &found);
        if (result != GUEST_WALK_OK)
            return result == GUEST_WALK_PAGE_FAULT ? PAGE_FAULT : ACCESS_FAULT;
        *faulted = true;
        *frame = found.physical.value >> FRAME_SHIFT;
        if (!in_memory(*frame))
            return NO_MEMORY;
        fill(address, &found, access->right == SV39_W);
    }
    broken("an access that is allowed faults without end");
}

/* ---- what must hold */

static void memory_is_as_told(void)
{
    for (u32 table = 0; table < TABLES; table++)
        for (u32 slot = 0; slot < SLOTS; slot++)
            if (guest_table(table)[slots[slot]] != model.entries[table][slot])
                broken("an entry of the guest's is not what was written there, with A and D");
}

/* A and D, of an access that was walked for. */
static void leaf_used(u32 table, u32 slot, u64 right)
{
    u64 bits = SV39_A | (right == SV39_W ? SV39_D : 0);

    if (table < TABLES && (model.entries[table][slot] & bits) != bits)
        entry_becomes(table, slot, model.entries[table][slot] | bits);
}

static struct access page_access(u32 page, u64 right)
{
    struct access access = {.right = right, .page = page};

    for (u32 level = 0; level < SV39_LEVELS; level++)
        access.address |= (u64)slots[slot_at(&access, level)]
                          << (FRAME_SHIFT + SV39_INDEX_BITS * level);
    access.address = (u64)((i64)(access.address << 25) >> 25);
    return access;
}

/* What the hardware could do without another fault. */
static void leaves_are_permitted(void)
{
    for (u32 i = 0; i < PAGES; i++) {
        struct access access = page_access(i, 0);
        u64 entry;

        if (!host_access(vcpu, gva(access.address), 0, &entry))
            continue;
        for (access.right = SV39_R; access.right <= SV39_X; access.right <<= 1)
            if (hardware_lets(entry, access.right) && !permitted(&access, frame_of_machine(entry)))
                broken("a shadow allows what no entry has allowed since the fence");
    }
}

static void check(void)
{
    const struct shadow_tables *shadow = &vm->shadow->tables;
    struct audit_result result;

    audit_run(&result);
    if (result.violations > 0)
        broken(result.first);
    if (shadow->tables_used > shadow->tables_made || shadow->tables_made > shadow->tables_max ||
        shadow->loose_count > SHADOW_LOOSE_MAX)
        broken("more tables than there may be");
    leaves_are_permitted();
}

/* ---- what a guest does */

/* Returns the frame that it reached, or 0. */
static u64 do_access(const struct access *access)
{
    u64 frame = 0, expected = 0;
    u32 table = TABLES, slot = 0;
    enum outcome now = walk_now(access, &expected, &table, &slot), outcome;
    bool faulted;

    outcome = go(access, &faulted, &frame);
    if (faulted ? now != DONE && now != NO_MEMORY : outcome != DONE && outcome != now)
        broken("the walk says something else than the tables");
    if (faulted)
        leaf_used(table, slot, access->right);
    if (outcome == DONE && !permitted(access, frame))
        broken("an access gives what no entry has allowed since the fence");
    if (outcome == NO_MEMORY && (now != outcome || frame != expected))
        broken("an access to no memory leads elsewhere than the tables");
    memory_is_as_told();
    return outcome == DONE ? frame : 0;
}

/* Any entry: a link, a page, a large one, one that leaves memory; any bits. */
static u64 any_entry(const u8 *record)
{
    u64 frame = guest_frame(record[3] % DATA), bits = record[4];

    switch (record[3] >> 5) {
    case 0:
        return 0;
    case 1:
    case 2:
    case 3:
        return guest_frame(record[3] % TABLES) << 10 | (bits & SV39_G) | SV39_V;
    case 4:
        frame = GIGAPAGE_FRAME + (record[3] & 1) * CHUNK_FRAMES + (record[3] & 4);
        break;
    case 5:
        frame = record[3] & 1 ? frame | 1UL << (20 + record[3] % 16) : frame;
        bits |= (u64)record[5] << (record[3] & 2 ? 54 : 8);
        break;
    default:
        bits |= record[5] & 1 ? SV39_V | SV39_A | SV39_R : 0;
    }
    return (frame & ((1UL << 44) - 1)) << 10 | bits;
}

static void put(u64 frame, u32 slot, u64 value)
{
    u32 table = table_of(frame);

    if (table == TABLES)
        return;
    guest_table(table)[slots[slot]] = value;
    entry_becomes(table, slot, value);
}

/* The kernel writes to a table, by its window or without translation. */
static void store(const u8 *record)
{
    u32 table = record[1] % TABLES;
    const struct access access = {
        .address = (guest_frame(table) << FRAME_SHIFT) + (model.space == BARE ? 0 : WINDOW),
        .right = SV39_W,
        .windows = true,
    };
    bool kernel = model.kernel;

    mode_set(true, model.status);
    put(do_access(&access), record[2] % SLOTS, any_entry(record));
    mode_set(kernel, model.status);
}

/* Any access; a store writes an entry where it leads. */
static void touch(const u8 *record)
{
    static const u64 rights[] = {SV39_R, SV39_W, SV39_X, SV39_W};
    struct access access = page_access(record[1] % PAGES, rights[record[2] & 3]);
    u64 frame;

    if (record[1] == 0xff) {
        access.address ^= 1UL << 45;
        access.wrong = true;
    }
    mode_set((record[2] & 4) != 0, record[2] & 8 ? status_of(record[5]) : model.status);
    frame = do_access(&access);
    if (access.right == SV39_W)
        put(frame, record[5] % SLOTS, any_entry(record));
}

/* One in eight is interrupted after its first step. */
static void fence(const u8 *record)
{
    bool of_page = (record[1] & 1) != 0, of_space = (record[1] & 2) != 0;
    u32 page = record[2] % PAGES, steps = 0;

    if ((record[1] & 0x1d) == 0x1c && shadow_fence_all(vcpu))
        return;
    if (of_page)
        shadow_fence_page(vcpu, gva(page_access(page, 0).address));
    while (!of_page && shadow_fence_all(vcpu))
        if (++steps == FENCE_STEPS_MAX)
            broken("a fence without end");
    model.now++;
    for (u32 space = 0; space < SPACES; space++) {
        if (of_space && space % ASIDS != record[3] % ASIDS)
            continue;
        model.fenced[space][page] = model.now;
        if (!of_page)
            memset(model.seen[space], 0, sizeof(model.seen[space]));
    }
    see_all();
}

static void change_space(u32 space)
{
    u32 steps = 0;

    while (shadow_fence_all(vcpu))
        if (++steps == FENCE_STEPS_MAX)
            broken("a fence without end");
    for (u32 i = 0; i < TABLES * SLOTS; i++)
        see_the_last_of(i / SLOTS, i % SLOTS);
    model.space = space;
    vcpu->shadow->csrs.satp = satp_now();
    enter(true);
    see_all();
}

/* A disk or the firmware writes into memory, of which shadow_written is told. */
static void written_by_a_device(const u8 *record)
{
    u32 slot = record[2] % SLOTS;
    u64 at = guest_frame(record[1] % TABLES);

    put(at, slot, any_entry(record));
    shadow_written(vcpu, gpa((at << FRAME_SHIFT) + slots[slot] * sizeof(u64)),
                   sizeof(u64) + (u64)(record[5] & 3) * FRAME_BYTES / 2);
}

/* Candor reads an instruction: a page's frame as the hardware's own fetch would find it. */
static void fetch(const u8 *record)
{
    struct access access = page_access(record[1] % PAGES, SV39_X);
    bool kernel = (record[2] & 1) != 0;
    u64 expected = 0, before;
    u32 table = TABLES, slot = 0, word;
    enum outcome now;

    mode_set(kernel, model.status);
    now = walk_now(&access, &expected, &table, &slot);
    before = table < TABLES ? model.entries[table][slot] : 0;
    bool there = guest_fetch(vm, &vcpu->shadow->memo, satp_now(),
                             access.address + MARK_INDEX * sizeof(u64), kernel, &word);
    if (table < TABLES && guest_table(table)[slots[slot]] != before && now != PAGE_FAULT)
        leaf_used(table, slot, SV39_X);
    if (!there && now == DONE)
        broken("an instruction that can be executed cannot be read");
    if (there && !permitted(&access, word != 0 ? guest_frame((word >> MARK_SHIFT) - 1) : expected))
        broken("an instruction is read from where no entry has led since the fence");
    memory_is_as_told();
}

/* The monitor's look at an address says what the tables say now. */
static void look(const u8 *record)
{
    struct access access = page_access(record[1] % PAGES, SV39_R);
    struct virt_walk walk;
    u64 frame = 0;
    u32 table, slot;
    enum outcome now = walk_now(&access, &frame, &table, &slot);

    shadow_walk(vcpu, gva(access.address), &walk);
    if ((now == DONE || now == NO_MEMORY) &&
        (!walk.mapped || walk.physical.value >> FRAME_SHIFT != frame ||
         walk.owned != (now == DONE)))
        broken("walk says something else than the tables");
    memory_is_as_told();
}

static void obey(const u8 *record)
{
    switch (record[0] & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
        store(record);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        touch(record);
        break;
    case 9:
    case 10:
        fence(record);
        break;
    case 11:
        change_space(record[1] % (SPACES + 1));
        break;
    case 12:
        written_by_a_device(record);
        break;
    case 13:
        if (record[1] < 64)
            shadow_drop_all(vcpu);
        else
            look(record);
        break;
    case 14:
        fetch(record);
        break;
    default:
        mode_set((record[1] & 1) != 0, status_of(record[1] >> 1));
    }
}

/* ---- beginning and end */

/* Returns how many shadow tables there are really. */
static u32 start(u8 first)
{
    memset(&model, 0, sizeof(model));
    machine_make();
    windows_make(ROOTS);
    for (u32 i = 0; i < DATA; i++)
        guest_table(i)[MARK_INDEX] = (u64)(i + 1) << MARK_SHIFT;
    model.in_u = (first & 1) != 0;
    model.kernel = true;
    model.space = BARE;
    change_space(first & 4 ? BARE : 0);
    u32 tables_max = vm->shadow->tables.tables_max;
    if (first & 2)
        vm->shadow->tables.tables_max = FEW_TABLES;
    return tables_max;
}

static void end(u32 tables_max)
{
    while (shadow_tables_release(vm))
        ;
    vm->shadow->tables.tables_max = tables_max;
    shadow_tables_destroy(vm);
    for (u32 i = frame_open_base.number; i < frame_open_end.number; i++)
        if (frame_get(mfn(i))->type == FRAME_SHADOW)
            broken("a table's frame was not given back");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    static const u8 everything[RECORD_BYTES] = {0};
    u8 first = bytes > 0 ? data[0] : 0;
    u32 records = 0, tables_max = start(first);

    for (size_t at = 1; at + RECORD_BYTES <= bytes; at += RECORD_BYTES) {
        if (nearly_full())
            fence(everything);
        obey(data + at);
        if (++records % CHECK_EVERY == 0)
            check();
    }
    check();
    end(tables_max);
    return 0;
}
