/* SPDX-License-Identifier: MIT */
/* Where the spaces of an unmodified guest stand, and which identifiers of the hardware's they have.
 */
#include "arch/arch.h"
#include "core/vm.h"
#include "csr.h"
#include "mem/space_id.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"

enum { SPACE_PLACES = 8 }; /* where a space may stand, from its hash on */
_Static_assert((u32)BUNDLE_VCPUS_MAX <= SPACE_PLACES, "one is left by the other vCPUs");

/* Makes a place one of another space's. Without an identifier of its own that shares 0, and is
 * found no more. */
static void space_take(struct shadow_tables *shadow, struct shadow_space *space, u64 satp, u8 view)
{
    u16 id = space->id != 0 ? space->id : space_id_alloc();

    *space = (struct shadow_space){satp, id != 0 ? shadow->clock : 0, 0, id, view};
    shadow->stale = true;
    shadow->counts.spaces_missed++;
    arch_translation_drop_all(); /* the identifier may have had another space's translations */
}

/* Another vCPU is in the space that stands there. */
static bool space_used(const struct vcpu *vcpu, u32 place)
{
    const struct vm *vm = vcpu->vm;

    for (u32 i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu *other = &vm->vcpus[i];

        if (other != vcpu && other->shadow->started && other->shadow->space == place)
            return true;
    }
    return false;
}

/* Of the places from `first` on, that of the space not entered for the longest time, which no other
 * vCPU is in: there are more places than vCPUs. */
static u32 place_to_take(const struct vcpu *vcpu, u32 first)
{
    const struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    u32 oldest = first % shadow->spaces_max;
    u64 since = ~0UL;

    for (u32 i = 0; i < SPACE_PLACES; i++) {
        u32 place = (first + i) % shadow->spaces_max;

        if (shadow->spaces[place].entered < since && !space_used(vcpu, place)) {
            since = shadow->spaces[place].entered;
            oldest = place;
        }
    }
    return oldest;
}

/* Where a space stands, or else the first place that is free, or that can be taken. What stands
 * somewhere has nothing free before it. */
OUT_OF_LINE static u32 space_place(const struct vcpu *vcpu, u64 satp, u8 view)
{
    const struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    u32 first = shadow_hash(satp ^ satp >> SATP_ASID_SHIFT << 2 ^ view, SHADOW_SPACES);

    for (u32 i = 0; i < SPACE_PLACES; i++) {
        u32 place = (first + i) % shadow->spaces_max;
        const struct shadow_space *space = &shadow->spaces[place];

        if (space->entered == 0 || shadow_space_is(space, satp, view))
            return place;
    }
    return place_to_take(vcpu, first);
}

struct shadow_space *shadow_space_find(struct vcpu *vcpu, u64 satp, u8 view)
{
    struct shadow_tables *shadow = &vcpu->vm->shadow->tables;
    u32 place = space_place(vcpu, satp, view);
    struct shadow_space *space = &shadow->spaces[place];

    shadow->last[view] = (u8)place;
    if (shadow_space_is(space, satp, view)) {
        shadow->counts.spaces_found++;
        space->entered = shadow->clock;
    } else {
        space_take(shadow, space, satp, view);
    }
    return space;
}
