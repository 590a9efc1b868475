/* SPDX-License-Identifier: MIT */
/*
 * Traps of an unmodified guest whose kernel runs in S-mode: page faults, the instructions that
 * mstatus.TVM and TW make trap, and accesses to devices, which are page faults to where no memory
 * is.
 *
 * What is not Candor's to handle reaches the guest's kernel as its processor would have raised it.
 */
#include "arch/arch_names.h"
#include "arch/arch_shadow.h"
#include "core/sched.h"
#include "core/vm.h"
#include "csr.h"
#include "virt/shadow/csr_table.h"
#include "virt/shadow/decode.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

static void reflect(struct vcpu *vcpu, u32 cause, u64 value)
{
    vcpu->counts.upcalls++;
    if (!arch_vcpu_upcall(vcpu, cause, value))
        vm_end_fault(vcpu, arch_entry_name(cause), value);
}

static void skip(struct vcpu *vcpu, const struct instruction *instruction)
{
    arch_vcpu_registers(vcpu)[REGISTER_PC] += instruction->bytes;
}

/* x0 is not stored: its place holds the pc. */
static u64 register_read(struct vcpu *vcpu, u8 number)
{
    return number == 0 ? 0 : arch_vcpu_registers(vcpu)[number];
}

static void register_write(struct vcpu *vcpu, u8 number, u64 value)
{
    if (number != 0)
        arch_vcpu_registers(vcpu)[number] = value;
}

/* ---- page faults ---- */

/* The number that this access's fault has: page faults are 12, 13, 15, access faults 1, 5, 7. */
static u32 fault_cause(u64 right, bool page)
{
    if (right == SV39_X)
        return page ? CAUSE_FETCH_PAGE : CAUSE_FETCH_ACCESS;
    if (right == SV39_W)
        return page ? CAUSE_STORE_PAGE : CAUSE_STORE_ACCESS;
    return page ? CAUSE_LOAD_PAGE : CAUSE_LOAD_ACCESS;
}

/* What a device's registers are accessed by. */
static bool plain_access(const struct instruction *instruction)
{
    return !instruction->floating &&
           (instruction->kind == INSTRUCTION_LOAD || instruction->kind == INSTRUCTION_STORE);
}

static u64 extended(const struct instruction *instruction, u64 value)
{
    u32 spare_bits = 64 - 8u * instruction->size;

    return instruction->sign_extend ? (u64)((i64)(value << spare_bits) >> spare_bits)
                                    : value << spare_bits >> spare_bits;
}

/* An access to where no memory is. */
static void device_access(struct vcpu *vcpu, const struct virt_trap *trap, u64 right, gpa_t address)
{
    struct vm_shadow *shadow = vcpu->vm->shadow;
    struct instruction instruction;
    u32 word;
    u64 value;

    if (right != SV39_X &&
        guest_fetch(vcpu->vm, shadow->guest_satp, arch_vcpu_pc(vcpu), trap->kernel, &word) &&
        instruction_decode(word, &instruction) && plain_access(&instruction)) {
        if (instruction.kind == INSTRUCTION_LOAD) {
            if (vdev_bus_read(&shadow->machine.bus, address.value, instruction.size, &value)) {
                register_write(vcpu, instruction.rd, extended(&instruction, value));
                skip(vcpu, &instruction);
                return;
            }
        } else if (vdev_bus_write(&shadow->machine.bus, address.value, instruction.size,
                              register_read(vcpu, instruction.rs2))) {
            skip(vcpu, &instruction);
            return;
        }
    }
    reflect(vcpu, fault_cause(right, false), trap->value);
}

static void page_fault(struct vcpu *vcpu, const struct virt_trap *trap, u64 right)
{
    struct vm_shadow *shadow = vcpu->vm->shadow;
    struct guest_access access = {.right = right, .kernel = trap->kernel};
    struct guest_translation found;
    enum guest_walk_result result;
    u64 satp = shadow->guest_satp;

    arch_vcpu_translation_rights(vcpu, &access.sum, &access.mxr);
    if ((satp & SATP_MODE) == 0) {
        u64 view = trap->kernel ? SHADOW_BARE_KERNEL : SHADOW_BARE_USER;

        if (shadow->tables.satp != view) {
            shadow_space_enter(vcpu, view);
            return;
        }
    }
    result = guest_walk(vcpu->vm, satp, gva(trap->value), &access, &found);
    if (result != GUEST_WALK_OK)
        reflect(vcpu, fault_cause(right, result == GUEST_WALK_PAGE_FAULT), trap->value);
    else if (mfn_valid(p2m_lookup(&vcpu->vm->p2m, found.physical.value >> FRAME_SHIFT)))
        shadow_fill(vcpu, gva(trap->value), &found, right == SV39_W);
    else
        device_access(vcpu, trap, right, found.physical);
}

/* ---- instructions ---- */

/* Another mode than the two that there are is not taken, as on hardware without it. */
static void satp_write(struct vcpu *vcpu, u64 value)
{
    u64 mode = value & SATP_MODE;

    if (mode == 0)
        value = 0;
    else if (mode != SATP_SV39)
        return;
    vcpu->vm->shadow->guest_satp = value;
    shadow_space_enter(vcpu, value);
}

/* Another space is entered with nothing out of step (tables.h): until then the guest executes the
 * instruction again and again. */
static void emulate_satp(struct vcpu *vcpu, const struct instruction *instruction)
{
    u64 old = vcpu->vm->shadow->guest_satp;
    u64 operand = instruction->csr_immediate ? instruction->rs1
                                             : register_read(vcpu, instruction->rs1);
    u64 value = old;

    if (instruction->csr_op == CSR_WRITE)
        value = operand;
    else if (instruction->csr_op == CSR_SET)
        value |= operand;
    else if (instruction->csr_op == CSR_CLEAR)
        value &= ~operand;
    if (value != old && shadow_fence_all(vcpu))
        return;
    if (value != old)
        satp_write(vcpu, value);
    register_write(vcpu, instruction->rd, old);
    skip(vcpu, instruction);
}

static void emulate_fence(struct vcpu *vcpu, const struct instruction *instruction)
{
    vcpu->counts.flushes++;
    if (instruction->rs1 != 0)
        shadow_fence_page(vcpu, gva(register_read(vcpu, instruction->rs1)));
    else if (shadow_fence_all(vcpu))
        return;
    skip(vcpu, instruction);
}

static void emulate_wait(struct vcpu *vcpu, const struct instruction *instruction)
{
    skip(vcpu, instruction);
    if (!arch_vcpu_interrupted(vcpu, arch_time_now()))
        sched_sleep(vcpu, TIME_NEVER);
}

/* Only what TVM and TW make trap; everything else is as illegal as the hardware said. */
static void illegal_instruction(struct vcpu *vcpu, const struct virt_trap *trap)
{
    struct instruction instruction;
    u32 word = (u32)trap->value;

    if (!guest_fetch(vcpu->vm, vcpu->vm->shadow->guest_satp, arch_vcpu_pc(vcpu), trap->kernel,
                     &word) ||
        !trap->kernel || !instruction_decode(word, &instruction)) {
        reflect(vcpu, CAUSE_ILLEGAL, word);
        return;
    }
    if (instruction.kind == INSTRUCTION_CSR && instruction.csr == CSR_SATP)
        emulate_satp(vcpu, &instruction);
    else if (instruction.kind == INSTRUCTION_SFENCE_VMA)
        emulate_fence(vcpu, &instruction);
    else if (instruction.kind == INSTRUCTION_WFI)
        emulate_wait(vcpu, &instruction);
    else
        reflect(vcpu, CAUSE_ILLEGAL, word);
}

void shadow_trap(struct vcpu *vcpu, const struct virt_trap *trap)
{
    switch (trap->cause) {
    case CAUSE_FETCH_PAGE:
        page_fault(vcpu, trap, SV39_X);
        break;
    case CAUSE_LOAD_PAGE:
        page_fault(vcpu, trap, SV39_R);
        break;
    case CAUSE_STORE_PAGE:
        page_fault(vcpu, trap, SV39_W);
        break;
    case CAUSE_ILLEGAL:
        illegal_instruction(vcpu, trap);
        break;
    default:
        reflect(vcpu, trap->cause, trap->value);
        break;
    }
}
