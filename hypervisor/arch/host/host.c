/* SPDX-License-Identifier: MIT */
/*
 * arch.h on a Linux host. Nothing here is clever: a processor reduced to what the core asks of it.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "core/sched.h"
#include "core/vm.h"
#include "debug/backtrace.h"
#include "debug/trace.h"
#include "mem/frame.h"
#include "sv39.h"
#include "tlb.h"

enum {
    HOST_CAUSE_FETCH_MISALIGNED = 0, /* the numbers of RISC-V, so that tests read alike */
    HOST_CAUSE_BREAKPOINT = 3,
    HOST_CAUSE_LOAD_MISALIGNED = 4,
    HOST_CAUSE_STORE_MISALIGNED = 6,
    HOST_CAUSE_USER_CALL = 8,
    HOST_CAUSE_FETCH_PAGE = 12,
    HOST_CAUSE_LOAD_PAGE = 13,
    HOST_CAUSE_STORE_PAGE = 15,
    HOST_SPACE_IDS = 1 << 16,
};

u8 *host_memory;
u64 host_time;
u32 host_hart;
u64 host_timers[HARTS_MAX];
u32 host_code_changes;
u32 host_dozes;
jmp_buf *host_asleep;
u32 host_space_ids = HOST_SPACE_IDS;
struct machine machine;

void host_start(u64 memory_bytes)
{
    free(host_memory);
    host_memory = calloc(1, memory_bytes);
    if (host_memory == NULL)
        abort();
    host_time = 1000;
    for (u32 i = 0; i < HARTS_MAX; i++) {
        host_timers[i] = TIME_NEVER;
        harts[i] = (struct hart){.index = i};
    }
    host_hart = 0;
    host_space_ids = HOST_SPACE_IDS;
    tlb_reset();
    machine = (struct machine){.hart_count = 1,
                               .memory_base = HOST_MEMORY_BASE,
                               .memory_bytes = memory_bytes,
                               .timebase_hz = 10000000,
                               .has_sstc = true};
    hart_count = 1;
    harts_idle = 0;
    hart_init(0, 0);
    hart_go_online(&harts[0]);
    memset(vms, 0, sizeof(vms));
    vm_count = 0;
    vm_live = 0;
    vm_all_good = true;
}

/* ---- harts and time ---- */

struct hart *arch_hart(void)
{
    return &harts[host_hart];
}

void host_add_hart(void)
{
    const u32 before = host_hart;

    host_hart = hart_count++;
    hart_init(host_hart, host_hart);
    hart_go_online(&harts[host_hart]);
    host_hart = before;
}

void host_run_on(u32 index)
{
    host_hart = index;
    arch_hart_poll();
}

void arch_hart_wake(struct hart *hart)
{
    (void)hart;
}

void arch_hart_poll(void)
{
    if (READ_ONCE(arch_hart()->mail) != 0)
        hart_serve_mail(arch_hart());
    if (host_timer <= host_time) {
        host_timer = TIME_NEVER;
        sched_tick(arch_hart());
    }
}

/* Time passes until the timer. */
void arch_hart_sleep(void)
{
    if (host_timer == TIME_NEVER) {
        if (host_asleep == NULL)
            abort();
        longjmp(*host_asleep, 1);
    }
    host_time = max(host_time, host_timer);
    arch_hart_poll();
}

void arch_hart_doze(void)
{
    host_dozes++;
}

/* Who waits lets the other harts flush, as they would meanwhile. */
void arch_relax(void)
{
    const u32 waiting = host_hart;

    for (host_hart = 0; host_hart < hart_count; host_hart++) {
        if (host_hart != waiting)
            hart_serve_flush(arch_hart());
    }
    host_hart = waiting;
}

u64 arch_time_now(void)
{
    return host_time;
}

void arch_timer_set(u64 deadline)
{
    host_timer = deadline;
}

/* ---- vCPUs ---- */

void arch_vcpu_reset(struct vcpu *vcpu, gva_t entry, u64 argument0, u64 argument1)
{
    vcpu->arch = (struct arch_vcpu){.pc = entry.value,
                                    .arguments = {argument0, argument1},
                                    .kernel = true,
                                    .masked = true,
                                    .deadline = TIME_NEVER,
                                    .root = vcpu->arch.root,
                                    .space_id = vcpu->arch.space_id};
}

void arch_vcpu_switch(struct vcpu *from, struct vcpu *to)
{
    if (to != NULL)
        to->arch.loads++;
    trace_switch(from, to);
}

void arch_vcpu_fast_paths(struct vcpu *vcpu, bool on)
{
    (void)vcpu;
    (void)on;
}

void arch_vcpu_doorbell(struct vcpu *vcpu)
{
    vcpu->arch.doorbell = true;
}

bool arch_vcpu_interrupted(struct vcpu *vcpu, u64 now)
{
    return vcpu->arch.doorbell || vcpu->arch.deadline <= now;
}

u64 arch_vcpu_deadline(struct vcpu *vcpu)
{
    return vcpu->arch.deadline;
}

bool arch_vcpu_trap_entry_dead(struct vcpu *vcpu)
{
    return vcpu->arch.trap_entry != 0 && vcpu->arch.pc == vcpu->arch.trap_entry &&
           vcpu->arch.trap_pc == vcpu->arch.trap_entry;
}

u64 arch_vcpu_pc(const struct vcpu *vcpu)
{
    return vcpu->arch.pc;
}

bool arch_cause_is_kernels(u32 cause)
{
    const u64 causes = BIT(HOST_CAUSE_FETCH_MISALIGNED) | BIT(HOST_CAUSE_BREAKPOINT) |
                       BIT(HOST_CAUSE_LOAD_MISALIGNED) | BIT(HOST_CAUSE_STORE_MISALIGNED) |
                       BIT(HOST_CAUSE_USER_CALL) | BIT(HOST_CAUSE_FETCH_PAGE) |
                       BIT(HOST_CAUSE_LOAD_PAGE) | BIT(HOST_CAUSE_STORE_PAGE);

    return (causes >> cause & 1) != 0;
}

u64 arch_vcpu_trap_register(struct vcpu *vcpu, gva_t entry, u64 causes)
{
    vcpu->arch.trap_entry = entry.value;
    vcpu->arch.direct_causes = vcpu->vm->traps_bounced ? 0 : causes;
    return vcpu->arch.direct_causes;
}

bool arch_vcpu_upcall(struct vcpu *vcpu, u32 cause, u64 value)
{
    struct arch_vcpu *arch = &vcpu->arch;

    if (arch->trap_entry == 0 || (arch->kernel && arch->pc == arch->trap_entry))
        return false;
    arch->trap_pc = arch->pc;
    arch->trap_cause = cause;
    arch->trap_value = value;
    arch->pc = arch->trap_entry;
    arch->kernel = true;
    arch->masked = true;
    return true;
}

void arch_vcpu_trap_return(struct vcpu *vcpu, u64 register6, u64 register7)
{
    vcpu->arch.pc = vcpu->arch.trap_pc;
    vcpu->arch.kernel = false;
    vcpu->arch.registers6_7[0] = register6;
    vcpu->arch.registers6_7[1] = register7;
}

/* ---- translations ---- */

u32 arch_space_ids(void)
{
    return host_space_ids;
}

void arch_space_install(struct vcpu *vcpu, mfn_t root, u16 space_id)
{
    vcpu->arch.root = root;
    vcpu->arch.space_id = space_id;
}

void arch_space_remove(struct vcpu *vcpu)
{
    vcpu->arch.root = mfn(0);
}

mfn_t arch_space_root(const struct vcpu *vcpu)
{
    return vcpu->arch.root;
}

void arch_space_remember_root(struct vcpu *vcpu, gpa_t name, mfn_t root, u16 space_id)
{
    (void)vcpu;
    (void)name;
    (void)root;
    (void)space_id;
}

void arch_space_remember_table(struct vcpu *vcpu, gpa_t name, gva_t address, mfn_t table)
{
    (void)vcpu;
    (void)name;
    (void)address;
    (void)table;
}

void arch_space_forget(struct vcpu *vcpu, gpa_t name)
{
    (void)vcpu;
    (void)name;
}

void arch_translation_drop(gva_t page)
{
    tlb_drop(page);
}

void arch_translation_drop_all(void)
{
    tlb_drop_all();
}

void arch_code_changed(void)
{
    host_code_changes++;
}

bool host_access(struct vcpu *vcpu, gva_t address, u64 wanted, u64 *entry)
{
    return tlb_translate(vcpu->arch.space_id, vcpu->arch.root, address, entry) &&
           (*entry & wanted) == wanted;
}

/* ---- what people read ---- */

const char *arch_entry_name(u32 cause)
{
    (void)cause;
    return "exception";
}

const char *arch_register_name(u32 place)
{
    (void)place;
    return NULL;
}

void arch_vcpu_where(const struct vcpu *vcpu, struct backtrace_start *where)
{
    *where = (struct backtrace_start){.pc = vcpu->arch.pc};
}

void arch_here(struct backtrace_start *where)
{
    *where = (struct backtrace_start){0};
}

u64 arch_instruction_count(void)
{
    return 0;
}

void arch_hart_halt(void)
{
    abort();
}
