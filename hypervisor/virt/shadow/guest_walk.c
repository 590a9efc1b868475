/* SPDX-License-Identifier: MIT */
#include "virt/shadow/guest_walk.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "csr.h"
#include "mem/guest_memory.h"

enum { SIGN_SHIFT = 25 };

u64 *guest_table_entry(const struct vm *vm, u64 frame, u32 index)
{
    mfn_t machine = p2m_lookup(&vm->p2m, frame);

    return mfn_valid(machine) ? (u64 *)arch_frame_bytes(machine) + index : NULL;
}

static bool allowed(u64 leaf, const struct guest_access *access)
{
    u64 right = access->right;

    if (leaf & SV39_U) {
        if (access->kernel && (right == SV39_X || (access->status & MSTATUS_SUM) == 0))
            return false;
    } else if (!access->kernel) {
        return false;
    }
    if (right == SV39_R && (access->status & MSTATUS_MXR))
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

/* The entry that names no further table: the leaf, or what stops the walk. */
static inline enum guest_walk_result walk_end(u64 *place, u32 level, gva_t address,
                                              const struct guest_access *access,
                                              struct guest_translation *found)
{
    u64 span = 1UL << (FRAME_SHIFT + SV39_INDEX_BITS * level);
    u64 entry = READ_ONCE(*place);
    u64 wanted = entry | SV39_A | (access->right == SV39_W ? SV39_D : 0);

    if (guest_entry_bad(entry, level) || !sv39_is_leaf(entry) || !allowed(entry, access))
        return GUEST_WALK_PAGE_FAULT;
    if (wanted != entry) {
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

enum guest_walk_result guest_walk(const struct vm *vm, const struct guest_path *path, u64 satp,
                                  gva_t address, const struct guest_access *access,
                                  struct guest_translation *found)
{
    u64 *place = path->entries;
    u64 table = satp & SATP_PPN_MASK;

    if (place != NULL && path->span == address.value >> GUEST_SPAN_SHIFT && path->satp == satp) {
        found->tables[0] = path->tables[0];
        found->tables[1] = path->tables[1];
        found->remembered = true;
        return walk_end(place + sv39_index(address, 0), 0, address, access, found);
    }
    found->remembered = false;
    if ((satp & SATP_SV39) == 0) {
        walk_bare(address, found);
        return GUEST_WALK_OK;
    }
    if ((u64)((i64)(address.value << SIGN_SHIFT) >> SIGN_SHIFT) != address.value)
        return GUEST_WALK_PAGE_FAULT;
    for (u32 level = SV39_ROOT_LEVEL; level > 0; level--) {
        u64 entry;

        place = guest_table_entry(vm, table, sv39_index(address, level));
        if (place == NULL)
            return GUEST_WALK_ACCESS_FAULT;
        entry = READ_ONCE(*place);
        if (!guest_entry_links(entry))
            return walk_end(place, level, address, access, found);
        table = sv39_frame(entry);
        found->tables[level - 1] = table;
    }
    place = guest_table_entry(vm, table, sv39_index(address, 0));
    if (place == NULL)
        return GUEST_WALK_ACCESS_FAULT;
    return walk_end(place, 0, address, access, found);
}

/* The page that holds `pc`. */
static bool code_find(struct vm *vm, struct guest_memo *memo, u64 satp, u64 pc, bool kernel)
{
    struct guest_code *code = &memo->code;
    const struct guest_access access = {.right = SV39_X, .kernel = kernel};
    u64 page = ALIGN_DOWN(pc, (u64)FRAME_BYTES);
    struct guest_translation found;
    int error;

    if (code->bytes != NULL && code->page == page && code->satp == satp && code->kernel == kernel)
        return true;
    code->bytes = NULL;
    if (guest_walk(vm, &memo->path, satp, gva(page), &access, &found) != GUEST_WALK_OK)
        return false;
    *code = (struct guest_code){satp, page, guest_bytes(vm, found.physical, false, &error), kernel};
    return code->bytes != NULL;
}

bool guest_fetch(struct vm *vm, struct guest_memo *memo, u64 satp, u64 pc, bool kernel, u32 *word)
{
    enum { HALF_BYTES = 2, HALF_BITS = 16, LONG = 3 };

    *word = 0;
    for (u32 i = 0; i < 2; i++) {
        u64 at = pc + i * HALF_BYTES;
        u16 half;

        if (!code_find(vm, memo, satp, at, kernel))
            return false;
        half = READ_ONCE(*(const u16 *)(const void *)&memo->code.bytes[at % FRAME_BYTES]);
        *word |= (u32)half << (i * HALF_BITS);
        if ((half & LONG) != LONG)
            break;
    }
    return true;
}
