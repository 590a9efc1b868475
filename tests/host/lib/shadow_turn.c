/* SPDX-License-Identifier: MIT */
#include "shadow_turn.h"

#include "arch/arch_shadow.h"
#include "check.h"
#include "core/sched.h"
#include "core/vm.h"
#include "shadow_machine.h"
#include "shadow_processor.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum { COMPRESSED = 2, NOT_COMPRESSED = 4, LONG = 3, VECTOR_FRAME = 31 };

static const struct virt_ops turns = {
    .name = "turns",
    .trap = shadow_trap,
    .enter = shadow_enter,
    .tick = shadow_tick,
    .written = shadow_written,
    .events = shadow_events,
    .audit = shadow_audit,
};

void turn_make(bool kernel_in_u)
{
    machine_make();
    guest_is_user = false;
    shadow_processor = (struct shadow_processor){0};
    shadow_processor_waits = shadow_processor_open = false;
    vm->virt = &turns;
    vcpu->shadow->kernel_in_u = kernel_in_u;
    vcpu->shadow->sstc = true;
    shadow_cpu_start(vcpu, TURN_CODE, 0, 0);
    vcpu->arch.trap_entry = guest_frame(VECTOR_FRAME) << FRAME_SHIFT;
    vcpu->timer = TIME_NEVER;
    vcpu->weight = 1;
    list_init(&vcpu->link);
    sched_start(vcpu);
    arch_hart()->reschedule = true;
    assert_ptr_equal(sched_next(arch_hart()), vcpu);
}

u32 *turn_code(void)
{
    return (u32 *)guest_table(TURN_CODE_FRAME);
}

u64 *turn_register(u32 number)
{
    return &arch_vcpu_registers(vcpu)[number];
}

bool turn_trap(u32 word, u32 cause, u64 value)
{
    const struct virt_trap trap = {.cause = cause, .kernel = !guest_is_user, .value = value};
    const u32 bytes = (word & LONG) == LONG ? NOT_COMPRESSED : COMPRESSED;

    *turn_code() = word;
    *turn_register(REGISTER_PC) = TURN_CODE;
    shadow_trap(vcpu, &trap);
    return arch_vcpu_pc(vcpu) == TURN_CODE + bytes;
}

bool turn_illegal(u32 word)
{
    return turn_trap(word, CAUSE_ILLEGAL, word);
}

bool turn_load(u32 word, u64 address)
{
    *turn_register(A0) = address;
    return turn_trap(word, CAUSE_LOAD_PAGE, address);
}

bool turn_store(u32 word, u64 address, u64 value)
{
    *turn_register(A0) = address;
    *turn_register(A1) = value;
    return turn_trap(word, CAUSE_STORE_PAGE, address);
}
