/* SPDX-License-Identifier: MIT */
/*
 * Traps of an unmodified guest: page faults, accesses to devices, which are page faults to where no
 * memory is, and the instructions that mstatus.TVM and TW make trap in S-mode. What traps besides
 * for a kernel in U-mode is in kernel_in_u.c.
 *
 * What is not Candor's to handle reaches the guest's kernel as its processor would have raised it.
 */
#include "arch/arch_names.h"
#include "arch/arch_shadow.h"
#include "core/sched.h"
#include "core/vm.h"
#include "virt/shadow/records.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

void shadow_reflect(struct vcpu *vcpu, u32 cause, u64 value)
{
    vcpu->counts.upcalls++;
    record_reflected(cause, value);
    if (vcpu->shadow->kernel_in_u)
        shadow_trap_enter(vcpu, cause, value);
    else if (!arch_vcpu_upcall(vcpu, cause, value))
        vm_end_fault(vcpu, arch_entry_name(cause), value);
}

/* x0 is not stored: its place holds the pc. */
u64 shadow_register(struct vcpu *vcpu, u8 number)
{
    return number == 0 ? 0 : arch_vcpu_registers(vcpu)[number];
}

void shadow_register_set(struct vcpu *vcpu, u8 number, u64 value)
{
    if (number != 0)
        arch_vcpu_registers(vcpu)[number] = value;
}

static void skip(struct vcpu *vcpu, const struct instruction *instruction)
{
    arch_vcpu_registers(vcpu)[REGISTER_PC] += instruction->bytes;
}

static bool fetch(struct vcpu *vcpu, bool kernel, u32 *word)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    return guest_fetch(vcpu->vm, &shadow->memo, shadow->csrs.satp, arch_vcpu_pc(vcpu), kernel,
                       word);
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

/* Of an access that begins in memory only the rest faults, and no device is asked for a part. */
static bool begins_at(struct vcpu *vcpu, const struct instruction *instruction, u64 value)
{
    return shadow_register(vcpu, instruction->rs1) + (u64)instruction->offset == value;
}

static u64 extended(const struct instruction *instruction, u64 value)
{
    u32 spare_bits = 64 - 8u * instruction->size;

    return instruction->sign_extend ? (u64)((i64)(value << spare_bits) >> spare_bits)
                                    : value << spare_bits >> spare_bits;
}

/* An instruction has been executed for the guest. */
static void emulated(struct vcpu *vcpu, const struct instruction *instruction, u32 word)
{
    struct vcpu_shadow *shadow = vcpu->shadow;
    u64 value = arch_vcpu_pc(vcpu);
    u32 effects;

    vcpu->vm->shadow->counts.emulated[instruction->kind]++;
    if (arch_hart()->trace_level != TRACE_DETAIL)
        return;
    if (instruction->kind == INSTRUCTION_CSR &&
        !csr_access(&shadow->csrs, instruction->csr, MODE_S, CSR_READ, 0, &value, &effects))
        return; /* it was illegal, and is with the guest's kernel now */
    trace_write(TRACE_EMULATE, word, value);
}

/* An access to where no memory is. */
OUT_OF_LINE static void device_access(struct vcpu *vcpu, bool kernel, u64 right, gpa_t address,
                                      u64 value)
{
    const struct vdev_bus *bus = &vcpu->vm->shadow->machine.bus;
    struct instruction instruction;
    bool done = false;
    u64 loaded;
    u32 word;

    if (right != SV39_X && fetch(vcpu, kernel, &word) && instruction_decode(word, &instruction) &&
        plain_access(&instruction) && begins_at(vcpu, &instruction, value)) {
        if (instruction.kind == INSTRUCTION_STORE) {
            done = vdev_bus_write(bus, address.value, instruction.size,
                                  shadow_register(vcpu, instruction.rs2));
            shadow_machine_written(vcpu);
        } else if (vdev_bus_read(bus, address.value, instruction.size, &loaded)) {
            shadow_register_set(vcpu, instruction.rd, extended(&instruction, loaded));
            done = true;
        }
    }
    if (done) {
        skip(vcpu, &instruction);
        emulated(vcpu, &instruction, word);
    } else {
        shadow_reflect(vcpu, fault_cause(right, false), value);
    }
}

/* Without translation a kernel in S-mode and its users need different tables all the same. */
static bool bare_view_changes(struct vcpu *vcpu, const struct vcpu_shadow *shadow, bool kernel)
{
    u64 wanted = kernel ? SHADOW_BARE_KERNEL : SHADOW_BARE_USER;

    if ((shadow->csrs.satp & SATP_MODE) != 0 || shadow->kernel_in_u || shadow->satp == wanted)
        return false;
    shadow_space_enter(vcpu, wanted, SHADOW_VIEW_DIRECT);
    return true;
}

OUT_OF_LINE static void page_fault(struct vcpu *vcpu, bool kernel, u64 right, u64 address)
{
    struct vm *vm = vcpu->vm;
    struct vcpu_shadow *shadow = vcpu->shadow;
    const struct guest_access access = {
        .right = right,
        .status = shadow->kernel_in_u ? shadow->csrs.sstatus : arch_vcpu_translation_rights(vcpu),
        .kernel = kernel,
    };
    struct guest_translation found;
    enum guest_walk_result result;
    mfn_t frame;

    if (bare_view_changes(vcpu, shadow, kernel))
        return;
    result = guest_walk(vm, &shadow->memo.path, shadow->csrs.satp, gva(address), &access, &found);
    if (result != GUEST_WALK_OK) {
        vm->shadow->counts.faults++;
        shadow_reflect(vcpu, fault_cause(right, result == GUEST_WALK_PAGE_FAULT), address);
        return;
    }
    frame = p2m_lookup(&vm->p2m, found.physical.value >> FRAME_SHIFT);
    if (mfn_valid(frame))
        shadow_fill(vcpu, gva(address), &found, frame, right == SV39_W);
    else
        device_access(vcpu, kernel, right, found.physical, address);
}

/* ---- instructions ---- */

/* Another space is entered with nothing out of step (tables.h): until then the guest executes a
 * write of satp again and again. */
void shadow_csr(struct vcpu *vcpu, const struct instruction *instruction, u32 mode)
{
    struct vcpu_shadow *shadow = vcpu->shadow;
    u64 operand = instruction->csr_immediate ? instruction->rs1
                                             : shadow_register(vcpu, instruction->rs1);
    u64 old;
    u32 effects;

    if (instruction->csr == CSR_SATP && instruction->csr_op != CSR_READ && mode == MODE_S &&
        shadow_fence_all(vcpu))
        return;
    if (!csr_access(&shadow->csrs, instruction->csr, mode, instruction->csr_op, operand, &old,
                    &effects)) {
        u32 word = 0;

        (void)fetch(vcpu, mode == MODE_S, &word);
        shadow_reflect(vcpu, CAUSE_ILLEGAL, word);
        return;
    }
    vcpu->vm->shadow->counts.csrs[CSR_SLOT(instruction->csr)]++;
    shadow_register_set(vcpu, instruction->rd, old);
    skip(vcpu, instruction);
    shadow_csr_changed(vcpu, effects);
}

void shadow_fence(struct vcpu *vcpu, const struct instruction *instruction)
{
    struct vm_shadow *shadow = vcpu->vm->shadow;
    u64 address = shadow_register(vcpu, instruction->rs1), settled = shadow->tables.counts.settled;
    bool page = instruction->rs1 != 0;

    vcpu->counts.flushes++;
    if (page ? shadow_fence_page(vcpu, gva(address)) : shadow_fence_all(vcpu))
        return;
    shadow->counts
        .fences[(page ? SHADOW_FENCE_PAGE : 0) | (instruction->rs2 != 0 ? SHADOW_FENCE_ASID : 0)]++;
    record_fence(address, shadow->tables.counts.settled - settled);
    skip(vcpu, instruction);
}

void shadow_wait(struct vcpu *vcpu, const struct instruction *instruction)
{
    skip(vcpu, instruction);
    if (!shadow_interrupt_waits(vcpu))
        sched_sleep(vcpu, TIME_NEVER);
}

/* Of a kernel in S-mode only what TVM and TW make trap; everything else is as illegal as the
 * hardware said. */
static bool emulate_in_s(struct vcpu *vcpu, const struct instruction *instruction)
{
    if (instruction->kind == INSTRUCTION_CSR && instruction->csr == CSR_SATP)
        shadow_csr(vcpu, instruction, MODE_S);
    else if (instruction->kind == INSTRUCTION_SFENCE_VMA)
        shadow_fence(vcpu, instruction);
    else if (instruction->kind == INSTRUCTION_WFI)
        shadow_wait(vcpu, instruction);
    else
        return false;
    return true;
}

OUT_OF_LINE static void illegal_instruction(struct vcpu *vcpu, bool kernel, u64 value)
{
    bool in_u = vcpu->shadow->kernel_in_u;
    struct instruction instruction;
    u32 word;

    if (!fetch(vcpu, kernel, &word)) {
        word = (u32)value;
    } else if (instruction_decode(word, &instruction) &&
               (in_u ? shadow_emulate_in_u(vcpu, &instruction)
                     : kernel && emulate_in_s(vcpu, &instruction))) {
        emulated(vcpu, &instruction, word);
        return;
    }
    shadow_reflect(vcpu, CAUSE_ILLEGAL, word);
}

static void trap_dispatch(struct vcpu *vcpu, const struct virt_trap *trap, bool kernel)
{
    switch (trap->cause) {
    case CAUSE_FETCH_PAGE:
        page_fault(vcpu, kernel, SV39_X, trap->value);
        break;
    case CAUSE_LOAD_PAGE:
        page_fault(vcpu, kernel, SV39_R, trap->value);
        break;
    case CAUSE_STORE_PAGE:
        page_fault(vcpu, kernel, SV39_W, trap->value);
        break;
    case CAUSE_ILLEGAL:
        illegal_instruction(vcpu, kernel, trap->value);
        break;
    case CAUSE_ECALL_U:
        if (kernel)
            arch_vcpu_firmware_call(vcpu);
        else
            shadow_reflect(vcpu, CAUSE_ECALL_U, 0);
        break;
    default:
        shadow_reflect(vcpu, trap->cause, trap->value);
        break;
    }
}

/* What was done for a kernel in U-mode may have let an interrupt in; where another turn is to
 * begin, shadow_enter sees to it. */
OUT_OF_LINE static void trap_in_u(struct vcpu *vcpu, const struct virt_trap *trap)
{
    trap_dispatch(vcpu, trap, vcpu->shadow->mode == MODE_S);
    if (!vcpu->hart->reschedule)
        shadow_interrupt_deliver(vcpu);
}

static inline void trap_alone(struct vcpu *vcpu, const struct virt_trap *trap)
{
    if (vcpu->shadow->kernel_in_u)
        trap_in_u(vcpu, trap);
    else
        trap_dispatch(vcpu, trap, trap->kernel);
}

OUT_OF_LINE static void trap_of_several(struct vcpu *vcpu, const struct virt_trap *trap)
{
    bool taken = shadow_lock(vcpu);

    trap_alone(vcpu, trap);
    shadow_unlock(vcpu, taken);
}

void shadow_trap(struct vcpu *vcpu, const struct virt_trap *trap)
{
    if (vcpu->shadow->several)
        trap_of_several(vcpu, trap);
    else
        trap_alone(vcpu, trap);
}

void shadow_cpu_start(struct vcpu *vcpu, u64 entry, u64 argument0, u64 argument1)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    arch_vcpu_reset(vcpu, gva(entry), argument0, argument1);
    guest_csrs_start(&shadow->csrs, shadow->sstc);
    shadow->timer = TIME_NEVER;
    shadow->probe = TIME_NEVER;
    shadow->naps = false;
    shadow->mode = MODE_S;
    shadow->soft = false;
    shadow->suspended = false;
    guest_memo_forget(&shadow->memo);
    if (shadow->kernel_in_u)
        arch_vcpu_kernel_in_u(vcpu);
    else
        arch_vcpu_kernel_in_s(vcpu, shadow->sstc);
    shadow_space_enter(vcpu, shadow->kernel_in_u ? SHADOW_BARE_USER : SHADOW_BARE_KERNEL,
                       SHADOW_VIEW_DIRECT);
}
