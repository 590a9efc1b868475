/* SPDX-License-Identifier: MIT */
#include "virt/shadow/counts.h"

#include "core/vm.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

#define EMULATED(name, kind)                                                              \
    {                                                                                     \
        "emulated", name, offsetof(struct vm_shadow, counts.emulated[INSTRUCTION_##kind]) \
    }
#define FENCE(name, form)                                                              \
    {                                                                                  \
        "fences", name, offsetof(struct vm_shadow, counts.fences[SHADOW_FENCE_##form]) \
    }
#define TABLES(name, field)                                              \
    {                                                                    \
        "shadows", name, offsetof(struct vm_shadow, tables.counts.field) \
    }

/* All but the CSRs. Who reads a machine's memory from outside finds it by its name, and what
 * follows (tools/candorlib/outside.py). */
const struct shadow_counted shadow_counted[] = {
    EMULATED("load", LOAD),
    EMULATED("store", STORE),
    EMULATED("lr", LOAD_RESERVED),
    EMULATED("sc", STORE_CONDITIONAL),
    EMULATED("atomic", ATOMIC),
    EMULATED("csr", CSR),
    EMULATED("sret", SRET),
    EMULATED("mret", MRET),
    EMULATED("wfi", WFI),
    EMULATED("sfence.vma", SFENCE_VMA),
    EMULATED("fence", FENCE),
    EMULATED("fence.i", FENCE_I),
    EMULATED("ecall", ECALL),
    EMULATED("ebreak", EBREAK),
    FENCE("all", ALL),
    FENCE("page", PAGE),
    FENCE("asid", ASID),
    FENCE("page+asid", PAGE_ASID),
    {"shadows", "guest-faults", offsetof(struct vm_shadow, counts.faults)},
    TABLES("fills", fills),
    TABLES("tables", tables),
    TABLES("table-writes", loosened),
    TABLES("settled", settled),
    TABLES("all-dropped", drops),
    TABLES("spaces-found", spaces_found),
    TABLES("spaces-missed", spaces_missed),
};

const u64 shadow_counted_in_vm[] = {offsetof(struct vm, shadow),
                                    offsetof(struct vm, vcpus) + offsetof(struct vcpu, counts)};

void shadow_counts_reset(struct vm *vm)
{
    vm->shadow->counts = (struct shadow_trap_counts){0};
    vm->shadow->tables.counts = (struct shadow_counts){0};
}

bool shadow_count(const struct vm *vm, u32 number, struct virt_count *count)
{
    const u8 *shadow = (const u8 *)vm->shadow;
    u32 slot = number - (u32)ARRAY_SIZE(shadow_counted);

    if (number < ARRAY_SIZE(shadow_counted)) {
        const struct shadow_counted *counted = &shadow_counted[number];

        *count = (struct virt_count){counted->group, counted->name,
                                     *(const u64 *)(const void *)(shadow + counted->place)};
        return true;
    }
    if (slot >= CSR_SLOTS)
        return false;
    *count = (struct virt_count){"csrs", csr_slot_name(slot), vm->shadow->counts.csrs[slot]};
    return true;
}
