/* SPDX-License-Identifier: MIT */
/*
 * How a VM is virtualized: each VM has one constant struct of operations, and only code below virt/
 * asks which.
 */
#pragma once

#include "core/vcpu.h"

struct vm;

/* An exception of a guest that the hardware did not hand to the guest itself. */
struct virt_trap {
    u32 cause;   /* the architecture's number of the exception */
    bool kernel; /* raised by the guest's kernel, else by its user code */
    u64 value;   /* address or instruction, as the architecture says */
};

struct virt_ops {
    const char *name;

    /* Looks at the image in the bundle before anything is made: NULL, or one clause why it cannot
     * start. */
    const char *(*admit)(struct vm *vm);

    /* One bounded step of building, after memory is there and zeroed. 1: more to do; 0: done, the
       vCPUs can run; negative: it cannot be built (the reason has been printed). */
    int (*build)(struct vm *vm);

    /* Gives back what build took beyond the VM's own memory, in bounded steps: true while there is
     * more. */
    bool (*release)(struct vm *vm);

    /* Handles a trap: upcall, emulation, or the end of the VM. */
    void (*trap)(struct vcpu *vcpu, const struct virt_trap *trap);
};

/* The operations that a bundle's record asks for (enum bundle_virt), or NULL. */
const struct virt_ops *virt_find(u32 kind);
