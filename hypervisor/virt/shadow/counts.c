/* SPDX-License-Identifier: MIT */
#include "virt/shadow/counts.h"

#include "core/vm.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

static const char *const fence_names[SHADOW_FENCE_FORMS] = {
    [SHADOW_FENCE_ALL] = "all",
    [SHADOW_FENCE_PAGE] = "page",
    [SHADOW_FENCE_ASID] = "asid",
    [SHADOW_FENCE_PAGE_ASID] = "page+asid",
};

/* Of the tables, in the order in which they are shown. */
static const struct {
    const char *name;
    size_t field; /* offset in struct shadow_counts */
} table_counts[] = {
    {"fills", offsetof(struct shadow_counts, fills)},
    {"tables", offsetof(struct shadow_counts, tables)},
    {"table-writes", offsetof(struct shadow_counts, loosened)},
    {"settled", offsetof(struct shadow_counts, settled)},
    {"all-dropped", offsetof(struct shadow_counts, drops)},
    {"spaces-found", offsetof(struct shadow_counts, spaces_found)},
    {"spaces-missed", offsetof(struct shadow_counts, spaces_missed)},
};

void shadow_counts_reset(struct vm *vm)
{
    vm->shadow->counts = (struct shadow_trap_counts){0};
    vm->shadow->tables.counts = (struct shadow_counts){0};
}

static u64 table_count(const struct vm *vm, u32 number)
{
    const u8 *counts = (const u8 *)&vm->shadow->tables.counts;

    return *(const u64 *)(const void *)(counts + table_counts[number].field);
}

bool shadow_count(const struct vm *vm, u32 number, struct virt_count *count)
{
    const struct shadow_trap_counts *counts = &vm->shadow->counts;

    if (number < INSTRUCTION_KINDS) {
        *count = (struct virt_count){"emulated", instruction_name((enum instruction_kind)number),
                                     counts->emulated[number]};
        return true;
    }
    number -= INSTRUCTION_KINDS;
    if (number < CSR_SLOTS) {
        *count = (struct virt_count){"csrs", csr_slot_name(number), counts->csrs[number]};
        return true;
    }
    number -= CSR_SLOTS;
    if (number < SHADOW_FENCE_FORMS) {
        *count = (struct virt_count){"fences", fence_names[number], counts->fences[number]};
        return true;
    }
    number -= SHADOW_FENCE_FORMS;
    if (number == 0) {
        *count = (struct virt_count){"shadows", "guest-faults", counts->faults};
        return true;
    }
    number--;
    if (number >= ARRAY_SIZE(table_counts))
        return false;
    *count = (struct virt_count){"shadows", table_counts[number].name, table_count(vm, number)};
    return true;
}
