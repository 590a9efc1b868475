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
    RETRIES = 256,
    MEMORY = 24 << 20,
    VM_MEMORY = 4 << 20,
    VM_FRAMES = VM_MEMORY / FRAME_BYTES,
};

struct vm *vm;
struct vcpu *vcpu;
u32 guest_root, guest_space;
bool guest_is_user;

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

    vm = frame_run_alloc(sizeof(struct vm) + 2 * sizeof(struct vcpu)); /* one, for most */
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
    vcpu->shadow = &vm->shadow->vcpus[0];
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

/* ---- what the guest does ---- */

u64 guest_satp(void)
{
    return SATP_SV39 | (u64)(guest_space + 1) << SATP_ASID_SHIFT | guest_frame(guest_root);
}

/* One access through what the hardware has, with the faults that it raises on the way. Returns the
   leaf that it went by, or 0. */
u64 guest_go(gva_t address, u64 right)
{
    const struct guest_access access = {.right = right, .kernel = !guest_is_user};
    struct guest_translation found;

    for (u32 i = 0; i < RETRIES; i++) {
        u64 entry;

        if (host_access(vcpu, address, right, &entry) && !(entry & SV39_U) == !guest_is_user)
            return entry;
        if (guest_walk(vm, &vcpu->shadow->memo.path, guest_satp(), address, &access, &found) !=
            GUEST_WALK_OK)
            return 0;
        if (!mfn_valid(p2m_lookup(&vm->p2m, found.physical.value >> FRAME_SHIFT)))
            return 0;
        fill(address, &found, right == SV39_W);
    }
    fail_msg("an access that is allowed faults without end");
    return 0;
}

/* The guest's kernel writes to its memory as QEMU's would: through a mapping of it, of which the
   shadow sees only that it is written. */
void guest_write(u32 table, u32 index, u64 value)
{
    const struct guest_translation found = {
        .physical = gpa(guest_frame(table) << FRAME_SHIFT),
        .level = SV39_ROOT_LEVEL,
        .leaf = SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D,
    };
    const gva_t window = gva(0xffffffe000000000UL + (guest_frame(table) << FRAME_SHIFT));
    u64 entry = 0;

    for (u32 i = 0; i < RETRIES && !host_access(vcpu, window, SV39_W, &entry); i++)
        fill(window, &found, true);
    assert_true(host_access(vcpu, window, SV39_W, &entry));
    assert_int_equal(sv39_frame(entry), p2m_lookup(&vm->p2m, guest_frame(table)).number);
    guest_table(table)[index] = value;
}

void guest_fence(void)
{
    while (shadow_fence_all(vcpu))
        ;
}

void guest_enter(u32 root, u32 space)
{
    guest_fence();
    guest_root = root;
    guest_space = space;
    shadow_space_enter(vcpu, guest_satp(), SHADOW_VIEW_DIRECT);
}

void guest_with_one_page(void)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;

    machine_make();
    windows_make(1);
    guest_table(0)[0] = guest_frame(3) << 10 | SV39_V;
    guest_table(3)[0] = guest_frame(4) << 10 | SV39_V;
    guest_table(4)[0] = guest_frame(20) << 10 | rights;
    guest_enter(0, 0);
    guest_is_user = true;
    assert_int_not_equal(guest_go(gva(0), SV39_W), 0);
}

void audit_holds(void)
{
    struct audit_result result;

    audit_run(&result);
    if (result.violations > 0)
        fail_msg("the audit: %s", result.first);
}
