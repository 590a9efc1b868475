/* SPDX-License-Identifier: MIT */
#include "tlb.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "host.h"
#include "mem/frame.h"
#include "sv39.h"

enum { TLB_ENTRIES = 1 << 16 };

/* What was read at `level` on the way to `page`: a link, or (level 0 or a superpage) a leaf. */
struct tlb_entry {
    u64 page; /* the address, cut to what an entry of that level covers */
    u64 entry;
    u16 space_id;
    u8 level;
    bool leaf;
    u8 hart; /* whose TLB it is in */
};

static struct tlb_entry tlb[TLB_ENTRIES];
static u32 tlb_used;

static u64 covered(gva_t address, u32 level)
{
    return address.value >> (FRAME_SHIFT + SV39_INDEX_BITS * level);
}

static struct tlb_entry *find(u16 space_id, gva_t address, u32 level)
{
    for (u32 i = 0; i < tlb_used; i++) {
        if (tlb[i].hart == host_hart && tlb[i].space_id == space_id && tlb[i].level == level &&
            tlb[i].page == covered(address, level))
            return &tlb[i];
    }
    return NULL;
}

static u64 table_read(mfn_t table, u32 index)
{
    return ((const u64 *)arch_frame_bytes(table))[index];
}

/* The entry of a level on the way to `address`, remembered or read now; 0: not valid. */
static u64 step(u16 space_id, mfn_t table, gva_t address, u32 level)
{
    struct tlb_entry *known = find(space_id, address, level);
    u64 entry;

    if (known != NULL)
        return known->entry;
    entry = table_read(table, sv39_index(address, level));
    if ((entry & SV39_V) == 0)
        return 0;
    if (tlb_used < TLB_ENTRIES)
        tlb[tlb_used++] = (struct tlb_entry){
            covered(address, level), entry,        space_id, (u8)level,
            sv39_is_leaf(entry),     (u8)host_hart};
    return entry;
}

bool tlb_translate(u16 space_id, mfn_t root, gva_t address, u64 *leaf)
{
    mfn_t table = root;

    for (u32 level = SV39_LEVELS; level-- > 0;) {
        u64 entry = step(space_id, table, address, level);

        if (entry == 0)
            return false;
        if (sv39_is_leaf(entry)) {
            *leaf = entry;
            return true;
        }
        table = mfn(sv39_frame(entry));
    }
    return false;
}

void tlb_drop(gva_t page)
{
    u32 kept = 0;

    for (u32 i = 0; i < tlb_used; i++) {
        if (tlb[i].hart != host_hart || !tlb[i].leaf || tlb[i].page != covered(page, tlb[i].level))
            tlb[kept++] = tlb[i];
    }
    tlb_used = kept;
}

void tlb_drop_all(void)
{
    u32 kept = 0;

    for (u32 i = 0; i < tlb_used; i++) {
        if (tlb[i].hart != host_hart)
            tlb[kept++] = tlb[i];
    }
    tlb_used = kept;
}

void tlb_reset(void)
{
    tlb_used = 0;
}

u32 tlb_count(void)
{
    return tlb_used;
}

/* The root that has an identifier now; MFN_NONE without one. */
static mfn_t root_of(u16 space_id)
{
    for (u32 i = frame_open_base.number; i < frame_open_end.number; i++) {
        const struct frame *frame = frame_get(mfn(i));

        if (frame->type == FRAME_TABLE && frame->level == SV39_ROOT_LEVEL &&
            frame->space_id == space_id)
            return mfn(i);
    }
    return MFN_NONE;
}

/* Whether a vCPU of that VM could use what this hart remembers: it comes back without a flush. */
static bool usable(u16 vm, u32 hart)
{
    const struct hart *last = vms[vm - 1]->vcpus[0].ran_on;

    return last == NULL || last == &harts[hart];
}

static bool safe(const struct tlb_entry *known, u16 vm)
{
    const struct frame *target = frame_get(mfn(sv39_frame(known->entry)));

    if (target == NULL || target->vm != vm)
        return false;
    if (known->leaf)
        return target->type == FRAME_DATA || (known->entry & SV39_W) == 0;
    return (target->type == FRAME_TABLE || target->type == FRAME_DIRECT_MAP) &&
           target->level + 1 == known->level;
}

/* What the tables say now at that level; 0 where the walk does not get there. */
static u64 now(mfn_t root, const struct tlb_entry *known)
{
    mfn_t table = root;

    for (u32 level = SV39_LEVELS; level-- > 0;) {
        gva_t address = gva(known->page << (FRAME_SHIFT + SV39_INDEX_BITS * known->level));
        u64 entry = table_read(table, sv39_index(address, level));

        if (level == known->level || entry == 0 || sv39_is_leaf(entry))
            return level == known->level ? entry : 0;
        table = mfn(sv39_frame(entry));
    }
    return 0;
}

struct tlb_verdict tlb_check(void)
{
    return tlb_check_by(root_of);
}

struct tlb_verdict tlb_check_by(mfn_t (*find_root)(u16 space_id))
{
    struct tlb_verdict verdict = {0, 0};

    for (u32 i = 0; i < tlb_used; i++) {
        mfn_t root = find_root(tlb[i].space_id);

        if (!mfn_valid(root) || !usable(frame_get(root)->vm, tlb[i].hart))
            continue;
        if (!safe(&tlb[i], frame_get(root)->vm))
            verdict.unsafe++;
        if (now(root, &tlb[i]) != tlb[i].entry)
            verdict.stale++;
    }
    return verdict;
}
