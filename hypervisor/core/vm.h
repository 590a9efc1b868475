/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: its memory, its vCPUs, its life.
 *
 * Life: BUILDING (memory taken and zeroed, image loaded: in steps, in the VM's own turns), RUNNING,
 * ENDING (everything given back, in steps), then OFF, or BUILDING again after a reboot. A VM that
 * cannot be built goes through ENDING as well. The record itself and its p2m stay for the machine's
 * life.
 */
#pragma once

#include "bundle_reader.h"
#include "elf.h"

#include "core/lock.h"
#include "core/vcpu.h"
#include "debug/console.h"
#include "mem/p2m.h"

struct virt_ops;
struct vm_shadow;

enum {
    VMS_MAX = BUNDLE_VMS_MAX,
};

enum { PV_DIRECT_MAP_GIB = 64 };

#define VM_MEMORY_BASE 0x80000000UL

enum vm_state {
    VM_OFF = 0,
    VM_BUILDING = 1,
    VM_RUNNING = 2,
    VM_ENDING = 3,
};

/* Why a VM ended; what follows is decided by it. */
enum vm_exit {
    VM_EXIT_NONE = 0,
    VM_EXIT_SHUTDOWN = 1,
    VM_EXIT_REBOOT = 2,
    VM_EXIT_FAULT =
        3, /* of the guest, or an image that does not start; the machine's exit status shows it */
    VM_EXIT_FAILURE = 4, /* shut down by its kernel, which reports a failure: the same */
    VM_EXIT_KILLED = 5,  /* by the monitor */
};

/* Its image, checked (virt/image.h). */
struct vm_image {
    u64 entry; /* where it starts */
    u64 base;  /* the guest-physical range of its segments */
    u64 end;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    u32 segment_count;
    u64 initrd; /* guest-physical; page-aligned, up to the end of memory */
};

/* The pv path's part of a VM. */
struct vm_pv {
    u64 pool_base; /* guest-physical */
    u64 pool_bytes;
    u64 start_info; /* guest-physical */
    u32 roots;      /* that it has made, each with an address-space identifier */
    u32 phase;      /* enum pv_phase: how far building has come */
    u64 cursor;     /* within the phase */
    bool releasing; /* of ENDING: pool frames up to the cursor are released */
    u32 map_tables; /* direct-map tables by machine frame, a list through struct frame.gfn; 0: end
                     */
    mfn_t direct_map[PV_DIRECT_MAP_GIB]; /* its level-1 tables, one for each GiB of memory */
};

struct vm {
    u16 id; /* from 1 on; also the index in vms[] plus 1 */
    char name[BUNDLE_NAME_BYTES];
    u8 state;       /* enum vm_state */
    u8 exit;        /* enum vm_exit: set when it stops running */
    u32 end_wanted; /* enum vm_exit: its next turn ends it so; any hart, atomically */
    u32 reboots;
    bool paused;  /* its vCPUs get no turns while it is RUNNING; any hart may set it */
    bool faulted; /* ended for a fault at some time */
    bool flushed; /* of ENDING: no hart holds a translation any more */
    u32 step;     /* frames that it has taken */
    u32 returned; /* of ENDING: frames that it has given back */
    mfn_t chunk;  /* of BUILDING: where its next frames come from */
    u64 started_at;
    struct bundle_vm_view config;
    struct console_port console;
    const struct virt_ops *virt;
    bool traps_bounced;
    bool counters_raw;
    bool fast_paths; /* the assembly may serve calls itself */
    struct lock lock;
    struct p2m p2m;
    struct vm_image image;
    struct vm_pv pv;
    struct vm_shadow *shadow; /* the shadow path's part; NULL on another */
    u32 vcpu_count;
    struct vcpu vcpus[];
};

/* All VMs of the bundle that could be admitted, by id - 1. Constant after start-up. */
extern struct vm *vms[VMS_MAX];
extern u32 vm_count;

/* Whether every record of the bundle became a VM; part of the machine's exit status. */
extern bool vm_all_started;

/* Reads the bundle and makes a VM of every good record; each bad one is one line on the console. */
void vm_start_all(const void *bundle, u64 limit_bytes);

/* Powers the machine off if no VM is left: status 0 if every VM started and was shut down, else 1.
 */
void vm_check_last(void);

/*
 * Ends a VM: its vCPUs never run guest code again, and its next turns give everything back. Reboots
 * it afterwards if `why` says so. In the VM's own turn that is so on return; called from elsewhere,
 * by any hart, it is so when its turn comes, which comes soon. A VM that reboots and is ended from
 * elsewhere meanwhile stays off. A no-op when it is OFF, or already about to end.
 */
void vm_end(struct vm *vm, enum vm_exit why);

/* A running VM's vCPUs get no turns until it is resumed; what it has asked for waits. Time goes on
   for it. Ending or rebooting it resumes it. Any hart may call them. */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/* Ends a VM for a fault of its guest and prints one line: name, what, the pc, the address
 * concerned. */
void vm_end_fault(struct vcpu *vcpu, const char *what, u64 address);

/* In the VM's own turn: ends it if another hart wants that. */
void vm_serve(struct vm *vm);

/* One bounded step of building or ending (at most some 20,000 instructions), in the VM's own turn.
 */
void vm_step(struct vm *vm);

/* Turns the assembly's fast paths on or off for a VM: both ways must behave alike. */
void vm_set_fast_paths(struct vm *vm, bool on);
