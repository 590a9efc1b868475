/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine that an unmodified guest finds: devices where QEMU's `virt` has them, as its
 * device tree says (tools/candorlib/devicetree.py).
 */
#pragma once

#include "vdev/vdev.h"
#include "vdev/vfinisher.h"
#include "vdev/vplic.h"
#include "vdev/vuart.h"

struct vm;

struct shadow_machine {
    struct vdev_bus bus;
    struct vplic plic;
    struct vuart uart;
    struct vfinisher finisher;
};

/* Puts the devices of a VM on its bus, as after power on. */
void shadow_machine_start(struct vm *vm);
