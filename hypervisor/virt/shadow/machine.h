/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine that an unmodified guest finds: devices where QEMU's `virt` has them, as its
 * device tree says (tools/candorlib/devicetree.py).
 */
#pragma once

#include "vdev/vblk.h"
#include "vdev/vdev.h"
#include "vdev/vfinisher.h"
#include "vdev/vplic.h"
#include "vdev/vrtc.h"
#include "vdev/vuart.h"

struct vcpu;
struct vm;

struct shadow_machine {
    struct vdev_bus bus;
    struct vplic plic;
    struct vuart uart;
    struct vfinisher finisher;
    struct vrtc rtc;
    struct vblk disk; /* on the bus of a VM that has one */
    bool over_tables; /* it has written over tables of the guest: all shadows are to be given up */
};

/* Puts the devices of a VM on its bus, as after power on. */
void shadow_machine_start(struct vm *vm);

/* The guest has written to a device: what that began goes on in its next turns. */
void shadow_machine_written(struct vcpu *vcpu);
