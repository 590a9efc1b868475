/* SPDX-License-Identifier: MIT */
/*
 * How a VM is virtualized: each VM has one constant struct of operations, and only code below virt/
 * asks which.
 */
#pragma once

#include "core/hypercall.h"
#include "core/vcpu.h"
#include "mem/addr.h"

struct vm;

/* An exception of a guest that the hardware did not hand to the guest itself. */
struct virt_trap {
    u32 cause;   /* the architecture's number of the exception */
    bool kernel; /* raised by the guest's kernel, else by its user code */
    u64 value;   /* address or instruction, as the architecture says */
};

/* Why an access would fault; NULL: it would not. */
struct virt_access {
    const char *read;
    const char *write;
    const char *fetch;
};

enum { VIRT_WALK_LEVELS = 5, VIRT_FLAGS_BYTES = 16 };

/* One table entry on an address's way. */
struct virt_walk_entry {
    u32 level; /* 0: of pages */
    u32 index;
    maddr_t table;
    u64 value;
    char flags[VIRT_FLAGS_BYTES]; /* a letter for each that is set, '-' for the others */
};

/* What an address of a guest translates to now, and who may do what there. */
struct virt_walk {
    u32 count;
    struct virt_walk_entry entries[VIRT_WALK_LEVELS]; /* the root's first */
    bool mapped;
    maddr_t machine; /* if it is mapped */
    bool owned;      /* the machine frame is its VM's, seen at `physical` */
    bool pool;
    gpa_t physical;
    struct virt_access user, kernel;
};

/* One of the numbers that a path counts. */
struct virt_count {
    const char *group;
    const char *name; /* NULL: there is none with that number */
    u64 value;
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

    /* Gives back what admit took, also where that failed in its middle, and what outlives the VM's
     * being off, in bounded steps: true while there is more. NULL: there is nothing such. */
    bool (*discard)(struct vm *vm);

    /* Something besides the guest has written to its memory, in that vCPU's turn. NULL: that means
       nothing. */
    void (*written)(struct vcpu *vcpu, gpa_t at, u64 bytes);

    /* The hart's timer has interrupted it. NULL: that means nothing. */
    void (*tick)(struct vcpu *vcpu);

    /* Handles a trap: upcall, emulation, or the end of the VM. */
    void (*trap)(struct vcpu *vcpu, const struct virt_trap *trap);

    /* Something waits for the vCPU (enum candor_event bits). In its turn, or while it is loaded
     * nowhere. */
    void (*events)(struct vcpu *vcpu, u64 events);

    /* The vCPU is about to enter the guest: what waits for it is delivered. NULL: the hardware does
     * that. */
    void (*enter)(struct vcpu *vcpu);

    /* Whether its kernel may make Candor's own calls. */
    bool own_calls;

    /* The standard calls (SBI) that it has besides those of every guest; NULL: none. */
    bool (*firmware_has)(u64 extension);
    struct hc_result (*firmware_call)(struct vcpu *vcpu, u64 extension, u64 function,
                                      const u64 *arguments);

    /* Walks the space that the vCPU of a running VM uses, for people to look at. It changes nothing
     * and locks nothing: where the guest changes its tables meanwhile, it shows some of either. */
    void (*walk)(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk);

    /* What it has counted for a VM beside entries and calls, by number from 0: false: there is no
     * more. The counts of a group come one after the other. NULL: nothing. */
    bool (*count)(const struct vm *vm, u32 number, struct virt_count *count);

    /* Checks every invariant of a running VM's translations, while no guest runs (core/audit.h). */
    void (*audit)(const struct vm *vm);
};

/* The operations that a bundle's record asks for (enum bundle_virt), or NULL. */
const struct virt_ops *virt_find(u32 kind);
