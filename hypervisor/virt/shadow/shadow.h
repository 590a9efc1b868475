/* SPDX-License-Identifier: MIT */
/*
 * The shadow path's part of a VM: full virtualization of an unmodified guest, in one of two ways.
 *
 * Its kernel runs in S-mode (depriv=s): satp, sfence.vma and wfi trap and are emulated, its page
 * faults enter Candor first, which keeps the tables that the hardware walks; everything else is the
 * guest's own, in the hardware's registers.
 *
 * Or its kernel runs in U-mode, as on a processor without a mode to spare (depriv=u): every
 * privileged instruction traps, what S-mode has of registers is kept here, and which mode the guest
 * believes to be in is told by the view of the tables that it runs on.
 */
#pragma once

#include "bundle.h"
#include "core/hypercall.h"
#include "virt/shadow/counts.h"
#include "virt/shadow/csr_table.h"
#include "virt/shadow/machine.h"
#include "virt/shadow/tables.h"

struct vcpu;
struct virt_trap;
struct virt_walk;

enum shadow_phase {
    SHADOW_FRAMES = 0, /* what is known of guest frames is cleared */
    SHADOW_IMAGE = 1,  /* segments and initrd are copied, some pages a step */
    SHADOW_TABLES = 2, /* the least that it needs of them */
    SHADOW_START = 3,  /* device tree, devices, registers */
};

/* The shadow path's part of a vCPU: a processor as the guest knows it, and what it runs on. */
struct vcpu_shadow {
    bool several;           /* its VM has others */
    bool kernel_in_u;       /* depriv=u */
    bool sstc;              /* it has stimecmp */
    u32 mode;               /* MODE_S or MODE_U: where it believes to be; of depriv=u */
    struct guest_csrs csrs; /* of depriv=s only satp */
    struct guest_memo memo;
    struct shadow_recent recent;

    u64 satp;       /* the guest's, of the space in use, or SHADOW_BARE_* */
    u8 view;        /* enum shadow_view */
    bool id_shared; /* that space has no identifier of its own */
    bool started;   /* it uses a root; what follows holds */
    u32 root;       /* index of the table in use */
    u32 space;      /* where the space stands */

    u64 timer;      /* when its timer interrupt is due, where Candor raises that; TIME_NEVER: not */
    bool naps;      /* it sleeps because it was found spinning */
    u64 probe;      /* when it is looked at again, whether it spins; TIME_NEVER: at the next tick */
    u64 probed;     /* how long after the look before */
    bool external;  /* the level of its external interrupt */
    bool soft;      /* another vCPU sends it a software interrupt */
    bool suspended; /* by its firmware, until an interrupt */
};

/* The shadow path's part of a VM. */
struct vm_shadow {
    u32 phase;  /* enum shadow_phase */
    u64 cursor; /* within the phase */
    u64 tree;   /* where its device tree stands, guest-physical */

    struct shadow_tables tables;
    struct shadow_machine machine;
    struct shadow_trap_counts counts;
    u32 owner; /* the hart that is in shadow_lock: index plus 1; 0: none. Atomic */
    struct vcpu_shadow vcpus[BUNDLE_VCPUS_MAX];
};

/* From here on nobody else does anything for a vCPU of the VM, and what they have in common is this
 * hart's. False: it was already. See vm_calls_lock(), which it is; nothing with one vCPU. */
MUST_CHECK bool shadow_lock(struct vcpu *vcpu);

/* The end of that, with what shadow_lock returned. No hart remembers more of the guest's
 * translations afterwards than the shadows say. */
void shadow_unlock(struct vcpu *vcpu, bool taken);

/* The guest's kernel starts, with nothing mapped (traps.c). */
void shadow_cpu_start(struct vcpu *vcpu, u64 entry, u64 argument0, u64 argument1);

/* virt_ops.trap, and .enter, which delivers interrupts to a kernel in U-mode. */
void shadow_trap(struct vcpu *vcpu, const struct virt_trap *trap);
void shadow_enter(struct vcpu *vcpu);

/* An exception for the guest's kernel. */
void shadow_reflect(struct vcpu *vcpu, u32 cause, u64 value);

/* Of a kernel in U-mode: it is entered at its trap vector (kernel_in_u.c). */
void shadow_trap_enter(struct vcpu *vcpu, u64 cause, u64 value);

/* The mode that the guest believes to be in becomes this one (kernel_in_u.c). */
void shadow_mode_set(struct vcpu *vcpu, u32 mode);

/* What an instruction does that trapped because the kernel is in U-mode. False: it is illegal. */
bool shadow_emulate_in_u(struct vcpu *vcpu, const struct instruction *instruction);

/* What writing to a CSR has changed (enum csr_effect). */
void shadow_csr_changed(struct vcpu *vcpu, u32 effects);

/* Its interrupts and its timer, whichever way it runs (kernel_in_u.c). `line`: BIT(IRQ_S_TIMER) or
 * BIT(IRQ_S_EXTERNAL). */
void shadow_line_set(struct vcpu *vcpu, u64 line, bool raised);
void shadow_timer_set(struct vcpu *vcpu, u64 deadline);

/* What Candor has to do for it at some time has changed: its timer, its disk's work, a look at it.
 */
void shadow_timer_program(struct vcpu *vcpu);
void shadow_soft_interrupt(struct vcpu *vcpu);
bool shadow_interrupt_waits(struct vcpu *vcpu);

/* Of a kernel in U-mode: an interrupt that is due enters it. */
void shadow_interrupt_deliver(struct vcpu *vcpu);

/* Instructions that trap either way: fences, waiting, and writes of satp (traps.c). */
void shadow_fence(struct vcpu *vcpu, const struct instruction *instruction);
void shadow_wait(struct vcpu *vcpu, const struct instruction *instruction);
void shadow_csr(struct vcpu *vcpu, const struct instruction *instruction, u32 mode);
u64 shadow_register(struct vcpu *vcpu, u8 number);
void shadow_register_set(struct vcpu *vcpu, u8 number, u64 value);

/* virt_ops.tick: a kernel that branches to itself with its interrupts on is idle (idle.c); and what
 * its turn begins with. */
void shadow_tick(struct vcpu *vcpu);
void shadow_turn_begins(struct vcpu *vcpu);

/* virt_ops.written */
void shadow_written(struct vcpu *vcpu, gpa_t at, u64 bytes);

/* virt_ops.events: of the console, and of what shadow_timer_program asked for (machine.c). */
void shadow_events(struct vcpu *vcpu, u64 events);

/* virt_ops.walk and .audit */
void shadow_walk(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk);
void shadow_audit(const struct vm *vm);

/* virt_ops.firmware_has and firmware_call (firmware.c) */
bool shadow_firmware_has(u64 extension);
struct hc_result shadow_firmware_call(struct vcpu *vcpu, u64 extension, u64 function,
                                      const u64 *arguments);
