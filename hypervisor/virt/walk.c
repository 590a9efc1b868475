/* SPDX-License-Identifier: MIT */
/*
 * A walk of a guest's tables for a person: each entry, and why an access would fault (privileged
 * specification 4.3.2 and 4.4).
 *
 * It reads tables that the guest may be changing on another hart, so it follows an entry only to
 * tables that are there, and trusts no invariant: what it shows is what the hardware would find.
 */
#include "virt/walk.h"
#include "arch/arch.h"
#include "string.h"
#include "sv39.h"

enum { SIGN_SHIFT = 25, RESERVED_SHIFT = 54 };

static const char flag_letters[] = "vrwxugad";

static void show_flags(u64 entry, char *text)
{
    u32 i;

    for (i = 0; flag_letters[i] != '\0'; i++)
        text[i] = (entry >> i & 1) != 0 ? flag_letters[i] : '-';
    text[i] = '\0';
}

/* Why the hardware stops at this entry whatever the access; NULL: it does not. */
static const char *entry_fault(u64 entry, u32 level)
{
    u64 pages = 1UL << (SV39_INDEX_BITS * level);

    if ((entry & SV39_V) == 0 && level == 0)
        return "the page is not mapped (its entry is not valid)";
    if ((entry & SV39_V) == 0)
        return "no table is linked there (the last entry is not valid)";
    if (entry >> RESERVED_SHIFT != 0)
        return "reserved bits are set in the last entry";
    if ((entry & (SV39_R | SV39_W)) == SV39_W)
        return "the last entry says W without R, which is reserved";
    if (sv39_is_leaf(entry))
        return sv39_frame(entry) % pages != 0 ? "the superpage is not aligned" : NULL;
    if (level == 0)
        return "the last entry links a table, but it is of level 0";
    if (entry & (SV39_U | SV39_A | SV39_D))
        return "reserved bits are set in the last entry, which links a table";
    return NULL;
}

static void fault_all(struct virt_walk *walk, const char *why)
{
    walk->user = (struct virt_access){why, why, why};
    walk->kernel = walk->user;
}

/* What the leaf's bits allow, one access. */
static const char *missing(u64 leaf, u64 right, const struct virt_walk *walk)
{
    if ((leaf & right) == 0) {
        if (right == SV39_R)
            return "the page has no R (it may only be run; MXR in sstatus would allow it)";
        if (right == SV39_X)
            return "the page has no X";
        return walk->pool ? "the page is of the pool, which Candor alone writes"
                          : "the page has no W";
    }
    if ((leaf & SV39_A) == 0)
        return "A is clear in the leaf";
    if (right == SV39_W && (leaf & SV39_D) == 0)
        return "D is clear in the leaf";
    return NULL;
}

static void judge_leaf(u64 leaf, struct virt_walk *walk)
{
    static const char kernels[] = "it is the kernel's page (no U)";
    static const char sum[] = "it is a user page (U): only while SUM is set in sstatus";
    struct virt_access all = {missing(leaf, SV39_R, walk), missing(leaf, SV39_W, walk),
                              missing(leaf, SV39_X, walk)};

    if (leaf & SV39_U) {
        walk->user = all;
        walk->kernel = (struct virt_access){all.read != NULL ? all.read : sum,
                                            all.write != NULL ? all.write : sum,
                                            "it is a user page (U): a kernel never runs it"};
    } else {
        walk->user = (struct virt_access){kernels, kernels, kernels};
        walk->kernel = all;
    }
}

void walk_tables(const struct vm *vm, u64 root, gva_t address, const struct walk_frames *frames,
                 struct virt_walk *walk)
{
    u64 frame = root;

    memset(walk, 0, sizeof(*walk));
    if ((u64)((i64)(address.value << SIGN_SHIFT) >> SIGN_SHIFT) != address.value) {
        fault_all(walk, "bits 63 to 39 of the address do not repeat bit 38");
        return;
    }
    for (u32 level = SV39_LEVELS; level-- > 0;) {
        struct virt_walk_entry *at = &walk->entries[walk->count];
        u64 span = 1UL << (FRAME_SHIFT + SV39_INDEX_BITS * level);
        mfn_t table = frames->table(vm, frame);
        const char *why;

        if (!mfn_valid(table)) {
            fault_all(walk, frames->no_table);
            return;
        }
        *at = (struct virt_walk_entry){
            .level = level, .index = sv39_index(address, level), .table = mfn_to_maddr(table)};
        at->value = READ_ONCE(((const u64 *)arch_frame_bytes(table))[at->index]);
        show_flags(at->value, at->flags);
        walk->count++;
        why = entry_fault(at->value, level);
        if (why != NULL) {
            fault_all(walk, why);
            return;
        }
        if (sv39_is_leaf(at->value)) {
            walk->mapped = true;
            frames->name(vm, (sv39_frame(at->value) << FRAME_SHIFT) + (address.value & (span - 1)),
                         walk);
            judge_leaf(at->value, walk);
            return;
        }
        frame = sv39_frame(at->value);
    }
}
