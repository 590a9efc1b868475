/* SPDX-License-Identifier: MIT */
/*
 * The shadow path's part of a VM: full virtualization of an unmodified guest, whose kernel runs in
 * S-mode. satp, sfence.vma and wfi trap and are emulated; its page faults enter Candor first, which
 * keeps the tables that the hardware walks; everything else is the guest's own.
 */
#pragma once

#include "core/hypercall.h"
#include "virt/shadow/machine.h"
#include "virt/shadow/tables.h"

struct vcpu;
struct virt_trap;
struct virt_walk;

enum shadow_phase {
    SHADOW_IMAGE = 0,  /* the segments are copied, some pages a step */
    SHADOW_INITRD = 1,
    SHADOW_START = 2, /* device tree, devices, registers */
};

struct vm_shadow {
    u32 phase;      /* enum shadow_phase */
    u64 cursor;     /* within the phase */
    u64 tree;       /* where its device tree stands, guest-physical */
    u64 guest_satp; /* as the guest reads it */
    struct shadow_tables tables;
    struct shadow_machine machine;
};

/* virt_ops.trap (traps.c) */
void shadow_trap(struct vcpu *vcpu, const struct virt_trap *trap);

/* virt_ops.events: of the console, and of a timer that no stimecmp drives (machine.c). */
void shadow_events(struct vcpu *vcpu, u64 events);

/* virt_ops.walk */
void shadow_walk(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk);

/* virt_ops.firmware_has and firmware_call (firmware.c) */
bool shadow_firmware_has(u64 extension);
struct hc_result shadow_firmware_call(struct vcpu *vcpu, u64 extension, u64 function,
                                      const u64 *arguments);
