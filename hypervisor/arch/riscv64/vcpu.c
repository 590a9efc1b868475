/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's registers: stored and loaded when the hart changes from one vCPU to another, and changed
 * as the hardware would have done it for traps that Candor hands on.
 *
 * Everything a guest in S-mode can write is switched, floating point whatever FS says: a guest
 * could turn FS on and read another's values.
 */
#include "arch/arch.h"
#include "boot.h"
#include "candor_abi.h"
#include "core/hart.h"
#include "core/vm.h"
#include "csr.h"
#include "debug/trace.h"
#include "mem/frame.h"
#include "string.h"

/* Exceptions that a guest may take directly. Access faults, illegal instructions and its own calls
 * stay. */
#define DIRECT_CAUSES                                                                   \
    (BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_LOAD_MISALIGNED) | \
     BIT(CAUSE_STORE_MISALIGNED) | BIT(CAUSE_ECALL_U) | BIT(CAUSE_FETCH_PAGE) |         \
     BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE))
/* What Candor raises for a guest. */
#define INTERRUPT_LINES (BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER) | BIT(IRQ_S_EXTERNAL))
#define STVEC_BASE (~3UL)
#define MODE_IN_MPP(mode) ((u64)(mode) << MSTATUS_MPP_SHIFT)

static bool loaded_here(const struct vcpu *vcpu)
{
    return arch_hart()->loaded == vcpu;
}

/* An empty slot must match no argument, however wild: it names a root that belongs to the next
 * slot. */
static void fast_root_clear(struct vcpu *vcpu, u64 slot)
{
    vcpu->arch.roots[slot] = (struct fast_root){(slot + 1) % FAST_ROOTS * FRAME_BYTES, 0};
}

/* Likewise: no address lies in the region of all ones. */
static void fast_table_clear(struct vcpu *vcpu, u64 slot)
{
    vcpu->arch.tables[slot] = (struct fast_table){0, UINT64_MAX, 0, 0};
}

void arch_vcpu_reset(struct vcpu *vcpu, gva_t entry, u64 argument0, u64 argument1)
{
    const struct vm *vm = vcpu->vm;
    u64 satp = vcpu->arch.satp;

    memset(&vcpu->arch, 0, sizeof(vcpu->arch));
    memset(&vcpu->saved, 0, sizeof(vcpu->saved));
    vcpu->arch.x[REGISTER_PC] = entry.value;
    vcpu->arch.x[REGISTER_A0] = argument0;
    vcpu->arch.x[REGISTER_A1] = argument1;
    vcpu->arch.p2m_base = vm->p2m.base_gfn;
    vcpu->arch.p2m_count = vm->p2m.frames_count;
    vcpu->arch.p2m_entries = (u64)vm->p2m.entries;
    vcpu->arch.frame_table = (u64)frame_get(frame_open_base) -
                             (u64)frame_open_base.number * sizeof(struct frame);
    for (u64 i = 0; i < FAST_ROOTS; i++)
        fast_root_clear(vcpu, i);
    for (u64 i = 0; i < FAST_TABLES; i++)
        fast_table_clear(vcpu, i);
    arch_vcpu_fast_paths(vcpu, vm->fast_paths);
    vcpu->arch.satp = satp;
    vcpu->saved.mstatus = MODE_IN_MPP(MODE_S);
    vcpu->saved.stimecmp = TIME_NEVER;
    vcpu->saved.menvcfg = MENVCFG_STCE | MENVCFG_ADUE;
    vcpu->saved.mcounteren = COUNTEREN_TIME |
                             (vm->counters_raw ? COUNTEREN_CYCLE | COUNTEREN_INSTRET : 0);
}

static void vcpu_store(struct vcpu *vcpu)
{
    struct arch_vcpu_saved *saved = &vcpu->saved;

    saved->mstatus = csr_read(mstatus) & (MSTATUS_GUEST_FIELDS | MSTATUS_MPP);
    saved->stvec = csr_read(stvec);
    saved->sscratch = csr_read(sscratch);
    saved->sepc = csr_read(sepc);
    saved->scause = csr_read(scause);
    saved->stval = csr_read(stval);
    saved->sie = csr_read(sie);
    saved->sip = csr_read(mip) & INTERRUPT_LINES;
    saved->scounteren = csr_read(scounteren);
    saved->senvcfg = csr_read(senvcfg);
    saved->stimecmp = machine.has_sstc ? csr_read(stimecmp) : TIME_NEVER;
    saved->medeleg = csr_read(medeleg);
    saved->mcounteren = csr_read(mcounteren);
    csr_set(mstatus, MSTATUS_FS);
    cpu_fp_save(saved);
}

/* What the hart holds while no vCPU is loaded: nothing that could wake it or leak. */
static const struct arch_vcpu_saved nobody = {
    .stimecmp = TIME_NEVER,
    .menvcfg = MENVCFG_STCE | MENVCFG_ADUE,
};

static void vcpu_load(const struct arch_vcpu_saved *saved)
{
    static u32 reservation_target;
    u32 ignored;

    csr_set(mstatus, MSTATUS_FS);
    cpu_fp_load(saved);
    csr_write(mstatus, saved->mstatus | MSTATUS_TVM | MSTATUS_TW | MSTATUS_UXL_64);
    csr_write(stvec, saved->stvec);
    csr_write(sscratch, saved->sscratch);
    csr_write(sepc, saved->sepc);
    csr_write(scause, saved->scause);
    csr_write(stval, saved->stval);
    csr_write(scounteren, saved->scounteren);
    csr_write(senvcfg, saved->senvcfg);
    if (machine.has_sstc) {
        csr_write(stimecmp, saved->stimecmp);
        csr_write(menvcfg, saved->menvcfg);
    }
    csr_write(medeleg, saved->medeleg);
    csr_write(mcounteren, saved->mcounteren);
    csr_clear(mip, INTERRUPT_LINES);
    csr_set(mip, saved->sip);
    csr_write(sie, saved->sie);
    /* A store-conditional ends whatever reservation the last guest held. */
    __asm__ volatile("sc.w %0, zero, (%1)" : "=r"(ignored) : "r"(&reservation_target) : "memory");
}

void arch_vcpu_switch(struct vcpu *from, struct vcpu *to)
{
    if (from != NULL)
        vcpu_store(from);
    if (to != NULL) {
        to->arch.hart = (u64)arch_hart();
        to->arch.stack_top = (u64)(hart_stacks[arch_hart()->index] + HART_STACK_BYTES);
    }
    csr_write(satp, to != NULL ? to->arch.satp : 0);
    vcpu_load(to != NULL ? &to->saved : &nobody);
    trace_switch(from, to);
}

void arch_vcpu_fast_paths(struct vcpu *vcpu, bool on)
{
    vcpu->arch.extension = CANDOR_EXTENSION;
    vcpu->arch.entry_offset = on && vcpu->vm->vcpu_count == 1 ? TRAP_ENTRY_FAST_BYTES : 0;
}

/* ---- interrupts ---- */

void arch_vcpu_doorbell(struct vcpu *vcpu)
{
    if (loaded_here(vcpu))
        csr_set(mip, BIT(IRQ_S_SOFT));
    else
        vcpu->saved.sip |= BIT(IRQ_S_SOFT);
}

u64 arch_vcpu_deadline(struct vcpu *vcpu)
{
    u64 sie = loaded_here(vcpu) ? csr_read(sie) : vcpu->saved.sie;

    if (!machine.has_sstc || (vcpu->arch.timer_by_sie && (sie & BIT(IRQ_S_TIMER)) == 0))
        return TIME_NEVER;
    return loaded_here(vcpu) ? csr_read(stimecmp) : vcpu->saved.stimecmp;
}

bool arch_vcpu_interrupted(struct vcpu *vcpu, u64 now)
{
    u64 sip = loaded_here(vcpu) ? csr_read(mip) : vcpu->saved.sip;

    return (sip & (BIT(IRQ_S_SOFT) | BIT(IRQ_S_EXTERNAL))) != 0 || arch_vcpu_deadline(vcpu) <= now;
}

/* ---- traps of the loaded vCPU ---- */

u64 arch_vcpu_pc(const struct vcpu *vcpu)
{
    return vcpu->arch.x[REGISTER_PC];
}

bool arch_cause_is_kernels(u32 cause)
{
    return (DIRECT_CAUSES & BIT(cause)) != 0;
}

bool arch_vcpu_trap_entry_dead(struct vcpu *vcpu)
{
    u64 entry = csr_read(stvec) & STVEC_BASE;

    /* The kernel's own fault: user code may jump there as often as it likes, and the entry does
     * run. */
    return vcpu->arch.x[REGISTER_PC] == entry && csr_read(sepc) == entry &&
           (csr_read(mstatus) & MSTATUS_SPP) != 0;
}

u64 arch_vcpu_trap_register(struct vcpu *vcpu, gva_t entry, u64 causes)
{
    u64 direct = vcpu->vm->traps_bounced ? 0 : causes & DIRECT_CAUSES;

    csr_write(stvec, entry.value);
    csr_write(medeleg, direct);
    return direct;
}

bool arch_vcpu_upcall(struct vcpu *vcpu, u32 cause, u64 value)
{
    u64 entry = csr_read(stvec) & STVEC_BASE;
    u64 pc = vcpu->arch.x[REGISTER_PC];
    u64 status = csr_read(mstatus);
    bool kernel = (status & MSTATUS_MPP) != MODE_IN_MPP(MODE_U);

    if (entry == 0 || (kernel && pc == entry))
        return false;
    csr_write(sepc, pc);
    csr_write(scause, cause);
    csr_write(stval, value);
    status &= ~(u64)(MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_MPP);
    status |= MODE_IN_MPP(MODE_S);
    if (kernel)
        status |= MSTATUS_SPP;
    if (status & MSTATUS_SIE)
        status |= MSTATUS_SPIE;
    csr_write(mstatus, status & ~(u64)MSTATUS_SIE);
    vcpu->arch.x[REGISTER_PC] = entry;
    return true;
}

void arch_vcpu_trap_return(struct vcpu *vcpu, u64 register6, u64 register7)
{
    u64 status = csr_read(mstatus);
    u64 mode = status & MSTATUS_SPP ? MODE_S : MODE_U;

    status &= ~(u64)(MSTATUS_SIE | MSTATUS_MPP | MSTATUS_SPP);
    if (status & MSTATUS_SPIE)
        status |= MSTATUS_SIE;
    csr_write(mstatus, status | MSTATUS_SPIE | MODE_IN_MPP(mode));
    vcpu->arch.x[REGISTER_PC] = csr_read(sepc);
    vcpu->arch.x[REGISTER_A6] = register6;
    vcpu->arch.x[REGISTER_A7] = register7;
}

/* ---- address spaces ---- */

static u64 satp_of(mfn_t root, u16 space_id)
{
    return SATP_SV39 | (u64)space_id << SATP_ASID_SHIFT | root.number;
}

u32 arch_space_ids(void)
{
    u64 satp = csr_read(satp);
    u64 all;

    csr_write(satp, satp | SATP_ASID_MASK << SATP_ASID_SHIFT);
    all = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
    csr_write(satp, satp);
    return (u32)all + 1;
}

void arch_space_install(struct vcpu *vcpu, mfn_t root, u16 space_id)
{
    const u64 satp = satp_of(root, space_id);

    WRITE_ONCE(vcpu->arch.satp, satp);
    if (loaded_here(vcpu))
        csr_write(satp, satp);
}

void arch_space_remove(struct vcpu *vcpu)
{
    WRITE_ONCE(vcpu->arch.satp, 0);
}

mfn_t arch_space_root(const struct vcpu *vcpu)
{
    return mfn(READ_ONCE(vcpu->arch.satp) & SATP_PPN_MASK);
}

void arch_space_remember_root(struct vcpu *vcpu, gpa_t name, mfn_t root, u16 space_id)
{
    struct fast_root *slot = &vcpu->arch.roots[name.value / FRAME_BYTES % FAST_ROOTS];

    *slot = (struct fast_root){name.value, satp_of(root, space_id)};
}

void arch_space_remember_table(struct vcpu *vcpu, gpa_t name, gva_t address, mfn_t table)
{
    u64 region = address.value / CHUNK_BYTES;
    struct fast_table *slot = &vcpu->arch.tables[(name.value / FRAME_BYTES + region) % FAST_TABLES];

    *slot = (struct fast_table){name.value, region, mfn_to_maddr(table).value, 0};
}

void arch_space_forget(struct vcpu *vcpu, gpa_t name)
{
    u64 slot = name.value / FRAME_BYTES % FAST_ROOTS;

    if (vcpu->arch.roots[slot].name == name.value)
        fast_root_clear(vcpu, slot);
    for (u64 i = 0; i < FAST_TABLES; i++)
        fast_table_clear(vcpu, i);
}

void arch_translation_drop(gva_t page)
{
    __asm__ volatile("sfence.vma %0" : : "r"(page.value) : "memory");
}

void arch_translation_drop_all(void)
{
    __asm__ volatile("sfence.vma" : : : "memory");
}

void arch_code_changed(void)
{
    __asm__ volatile("fence.i" : : : "memory");
}
