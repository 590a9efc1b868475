/* SPDX-License-Identifier: MIT */
/*
 * An idle guest that does not say so: its kernel branches to itself, with its interrupts on. That
 * does nothing until an interrupt comes, so it need not be executed.
 *
 * The hart's timer finds it. A guest that was found is looked at again soon after it has woken, and
 * then ever later while it works: an interrupt that gave it nothing to do costs its neighbours
 * little.
 */
#include "arch/arch_shadow.h"
#include "core/machine.h"
#include "core/sched.h"
#include "core/vm.h"
#include "virt/shadow/shadow.h"

enum {
    PROBES_PER_SECOND_MOST = 10000, /* the first comes after this part of a second, each later */
    PROBES_PER_SECOND_LEAST = 100,  /* after twice the time; none after more than this */
};

/* An instruction that branches to itself, whatever the registers hold. */
static bool branches_to_itself(u32 word)
{
    enum { JAL_0 = 0x6f, C_J_0 = 0xa001, COMPRESSED_MASK = 0xffff, NOT_COMPRESSED = 3 };

    return (word & NOT_COMPRESSED) == NOT_COMPRESSED ? word == JAL_0
                                                     : (word & COMPRESSED_MASK) == C_J_0;
}

static bool spins(struct vcpu *vcpu)
{
    struct vcpu_shadow *shadow = vcpu->shadow;
    bool open = shadow->kernel_in_u
                    ? shadow->mode == MODE_S && (shadow->csrs.sstatus & MSTATUS_SIE) != 0
                    : arch_vcpu_kernel_open(vcpu);
    u32 word;

    return open &&
           guest_fetch(vcpu->vm, &shadow->memo, shadow->csrs.satp, arch_vcpu_pc(vcpu), true,
                       &word) &&
           branches_to_itself(word);
}

static void probe_after(struct vcpu *vcpu, u64 now, u64 span)
{
    struct vcpu_shadow *shadow = vcpu->shadow;
    bool more = span <= machine.timebase_hz / PROBES_PER_SECOND_LEAST;

    shadow->probed = span;
    shadow->probe = more ? now + span : TIME_NEVER;
    shadow_timer_program(vcpu);
}

void shadow_turn_begins(struct vcpu *vcpu)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    if (!shadow->naps)
        return;
    shadow->naps = false;
    probe_after(vcpu, arch_time_now(), machine.timebase_hz / PROBES_PER_SECOND_MOST);
}

void shadow_tick(struct vcpu *vcpu)
{
    struct vcpu_shadow *shadow = vcpu->shadow;
    u64 now = arch_time_now();
    bool taken;

    if (!sched_in_turn(vcpu))
        return;
    taken = shadow_lock(vcpu);
    if (spins(vcpu) && !shadow_interrupt_waits(vcpu)) {
        shadow->naps = true;
        shadow->probe = TIME_NEVER;
        shadow_timer_program(vcpu);
        sched_sleep(vcpu, TIME_NEVER);
    } else if (shadow->probe <= now) {
        probe_after(vcpu, now, 2 * shadow->probed);
    }
    shadow_unlock(vcpu, taken);
}
