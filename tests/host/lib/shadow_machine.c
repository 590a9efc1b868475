/* SPDX-License-Identifier: MIT */
#include "shadow_machine.h"

#include "arch/arch.h"
#include "check.h"
#include "core/audit.h"
#include "core/vm.h"
#include "host.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum {
    MEMORY = 24 << 20,
    VM_MEMORY = 4 << 20,
    VM_FRAMES = VM_MEMORY / FRAME_BYTES,
};

struct vm *vm;
struct vcpu *vcpu;

u64 guest_frame(u32 n)
{
    return (VM_MEMORY_BASE >> FRAME_SHIFT) + 8 + n;
}

u64 *guest_table(u32 n)
{
    return guest_table_entry(vm, guest_frame(n), 0);
}

static void memory_make(void)
{
    for (u32 chunk = 0; chunk < VM_MEMORY / CHUNK_BYTES; chunk++) {
        mfn_t first = frame_chunk_alloc(vm->id);

        assert_true(mfn_valid(first));
        for (u32 i = 0; i < CHUNK_FRAMES; i++) {
            mfn_t frame = mfn(first.number + i);
            gfn_t guest = gfn(vm->p2m.base_gfn + chunk * CHUNK_FRAMES + i);

            *frame_get(frame) = (struct frame){
                .type = FRAME_DATA, .vm = vm->id, .gfn = guest.number};
            p2m_set(&vm->p2m, guest, frame, false);
        }
    }
}

void machine_add(void)
{
    static const struct virt_ops tables_alone = {.name = "tables", .audit = shadow_audit};
    u64 cursor = 0;

    vm = frame_run_alloc(sizeof(struct vm) + sizeof(struct vcpu));
    assert_non_null(vm);
    vms[vm_count++] = vm;
    vm->id = (u16)vm_count;
    vm->state = VM_RUNNING;
    vm->virt = &tables_alone;
    vm->vcpu_count = 1;
    vm->config.memory_bytes = VM_MEMORY;
    vcpu = &vm->vcpus[0];
    vcpu->vm = vm;
    vcpu->hart = arch_hart();
    assert_true(p2m_init(&vm->p2m, gfn(VM_MEMORY_BASE >> FRAME_SHIFT), VM_FRAMES));
    memory_make();
    vm->shadow = frame_run_alloc(sizeof(*vm->shadow));
    assert_non_null(vm->shadow);
    assert_true(shadow_tables_init(vm));
    while (shadow_tables_clear(vm, &cursor))
        ;
    assert_true(shadow_tables_ready(vm));
    shadow_drop_all(vcpu);
}

void machine_make(void)
{
    host_start(MEMORY);
    assert_true(frame_init(maddr(HOST_MEMORY_BASE), maddr(HOST_MEMORY_BASE + MEMORY)));
    assert_true(space_id_init(arch_space_ids()));
    machine_add();
}

void fill(gva_t address, const struct guest_translation *found, bool write)
{
    shadow_fill(vcpu, address, found, p2m_lookup(&vm->p2m, found->physical.value >> FRAME_SHIFT),
                write);
}

void windows_make(u32 roots)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D;

    for (u32 root = 0; root < roots; root++) {
        u32 index = sv39_index(gva(0xffffffe000000000UL + VM_MEMORY_BASE), SV39_ROOT_LEVEL);

        guest_table(root)[index] = (VM_MEMORY_BASE >> FRAME_SHIFT) << 10 | rights;
    }
}

void audit_holds(void)
{
    struct audit_result result;

    audit_run(&result);
    if (result.violations > 0)
        fail_msg("the audit: %s", result.first);
}
