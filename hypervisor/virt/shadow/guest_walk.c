/* SPDX-License-Identifier: MIT */
#include "virt/shadow/guest_walk.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "csr.h"
#include "mem/guest_memory.h"
#include "string.h"

enum { SIGN_SHIFT = 25, RESERVED_SHIFT = 54 };

u64 *guest_table_entry(const struct vm *vm, u64 frame, u32 index)
{
    mfn_t machine = p2m_lookup(&vm->p2m, frame);

    return mfn_valid(machine) ? (u64 *)arch_frame_bytes(machine) + index : NULL;
}

u64 guest_leaf_rights(u64 entry)
{
    u64 rights = entry & (SV39_R | SV39_W | SV39_X | SV39_U);

    if ((entry & SV39_A) == 0)
        return 0;
    return entry & SV39_D ? rights : rights & ~(u64)SV39_W;
}

bool guest_entry_bad(u64 entry, u32 level)
{
    if ((entry & SV39_V) == 0 || (entry & (SV39_R | SV39_W)) == SV39_W ||
        entry >> RESERVED_SHIFT != 0)
        return true;
    if (sv39_is_leaf(entry))
        return sv39_frame(entry) % (1UL << (SV39_INDEX_BITS * level)) != 0;
    return level == 0 || (entry & (SV39_U | SV39_A | SV39_D)) != 0;
}

static bool allowed(u64 leaf, const struct guest_access *access)
{
    u64 right = access->right;

    if (leaf & SV39_U) {
        if (access->kernel && (right == SV39_X || !access->sum))
            return false;
    } else if (!access->kernel) {
        return false;
    }
    if (right == SV39_R && access->mxr)
        right |= SV39_X;
    return (leaf & right) != 0;
}

/* Without translation every address is physical, and whoever asks may do everything. */
static void walk_bare(gva_t address, struct guest_translation *found)
{
    *found = (struct guest_translation){
        .physical = gpa(address.value),
        .level = SV39_ROOT_LEVEL,
        .leaf = SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D,
    };
}

/* `access`: NULL for a look. */
static enum guest_walk_result walk(struct vm *vm, u64 satp, gva_t address,
                                   const struct guest_access *access,
                                   struct guest_translation *found)
{
    u64 table = satp & SATP_PPN_MASK;

    if ((satp & SATP_SV39) == 0) {
        walk_bare(address, found);
        return GUEST_WALK_OK;
    }
    if ((u64)((i64)(address.value << SIGN_SHIFT) >> SIGN_SHIFT) != address.value)
        return GUEST_WALK_PAGE_FAULT;
    for (u32 level = SV39_LEVELS; level-- > 0;) {
        u64 span = 1UL << (FRAME_SHIFT + SV39_INDEX_BITS * level);
        u64 *place = guest_table_entry(vm, table, sv39_index(address, level));
        u64 entry, wanted;

        if (place == NULL)
            return GUEST_WALK_ACCESS_FAULT;
        entry = READ_ONCE(*place);
        if (guest_entry_bad(entry, level))
            return GUEST_WALK_PAGE_FAULT;
        if (!sv39_is_leaf(entry)) {
            table = sv39_frame(entry);
            found->tables[level - 1] = table;
            continue;
        }
        if (access != NULL && !allowed(entry, access))
            return GUEST_WALK_PAGE_FAULT;
        wanted = entry | SV39_A | (access != NULL && access->right == SV39_W ? SV39_D : 0);
        if (access != NULL && wanted != entry) {
            /* Whoever changes it at the same time wins, and the guest faults here once more. */
            if (!__atomic_compare_exchange_n(place, &entry, wanted, false, __ATOMIC_SEQ_CST,
                                             __ATOMIC_SEQ_CST))
                wanted = entry;
            entry = wanted;
        }
        found->level = level;
        found->leaf = entry & SV39_FLAGS;
        found->physical = gpa((sv39_frame(entry) << FRAME_SHIFT) + (address.value & (span - 1)));
        return GUEST_WALK_OK;
    }
    return GUEST_WALK_PAGE_FAULT;
}

enum guest_walk_result guest_walk(struct vm *vm, u64 satp, gva_t address,
                                  const struct guest_access *access,
                                  struct guest_translation *found)
{
    return walk(vm, satp, address, access, found);
}

enum guest_walk_result guest_walk_look(struct vm *vm, u64 satp, gva_t address,
                                       struct guest_translation *found)
{
    return walk(vm, satp, address, NULL, found);
}

bool guest_fetch(struct vm *vm, u64 satp, u64 pc, bool kernel, u32 *word)
{
    enum { HALF_BYTES = 2, HALF_BITS = 16, LONG = 3 };
    const struct guest_access access = {.right = SV39_X, .kernel = kernel};
    struct guest_translation found;
    u16 half;

    *word = 0;
    for (u32 i = 0; i < 2; i++) {
        if (guest_walk(vm, satp, gva(pc + i * HALF_BYTES), &access, &found) != GUEST_WALK_OK ||
            guest_copy_in(vm, &half, found.physical, sizeof(half)) != HC_OK)
            return false;
        *word |= (u32)half << (i * HALF_BITS);
        if ((half & LONG) != LONG)
            break;
    }
    return true;
}
