/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: its memory, its vCPUs, its life.
 *
 * Life: BUILDING (memory taken and zeroed, image loaded: in steps, in the VM's own turns), RUNNING,
 * ENDING (everything given back, in steps), then OFF, or BUILDING again after a reboot. A VM that
 * cannot be built goes through ENDING as well. An OFF one can be started again, or taken away with
 * its record, its p2m and its port of the console.
 *
 * Who knows a VM: vms[], its vCPU while it is not OFF (the run queues), the frames that it owns,
 * and the console. vms[] changes on the console's hart alone, where the monitor runs and input is
 * handed on; a VM that is OFF is known to that hart only, so it may take it away. Other harts look
 * at their own VM's entry of vms[], or at all while the machine is stopped (audit). An identifier
 * is given out again, the lowest first; `serial` tells one VM from the next with the same.
 */
#pragma once

#include "bundle_reader.h"
#include "elf.h"

#include "core/vcpu.h"
#include "debug/console.h"
#include "driver/disk.h"
#include "mem/p2m.h"

struct virt_ops;
struct vm_shadow;

enum {
    VMS_MAX = BUNDLE_VMS_MAX,
    REBOOT_LINES_MAX = 4, /* told one by one; then one line a second tells of all */
};

enum { PV_DIRECT_MAP_GIB = 64 };

/* What to do where memory is short, for a person. */
#define MEMORY_CURE "give it less (mem=), or the machine more (--mem)"

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

/* The ring of its disk (virt/pv/ring.c). */
struct pv_ring {
    struct disk_ring *page; /* in machine memory; NULL: none is attached */
    gpa_t base;
    u32 taken;                   /* requests, answered or on their way */
    u32 answered;                /* of them */
    u64 ids[DISK_TRANSFERS_MAX]; /* the guest's, by the driver's number */
};

/* The pv path's part of a VM. */
struct vm_pv {
    u64 pool_base; /* guest-physical */
    u64 pool_bytes;
    u64 start_info;     /* guest-physical */
    u32 roots;          /* that it has made, each with an address-space identifier */
    u32 phase;          /* enum pv_phase: how far building has come */
    u64 cursor;         /* within the phase */
    bool shares_tables; /* a table has been linked at two places */
    bool releasing;     /* of ENDING: pool frames up to the cursor are released */
    u32 map_tables; /* direct-map tables by machine frame, a list through struct frame.gfn; 0: end
                     */
    mfn_t direct_map[PV_DIRECT_MAP_GIB]; /* its level-1 tables, one for each GiB of memory */
    struct pv_ring ring;
};

/* Translations of a VM's that a call has changed, and other vCPUs may remember. */
enum vm_stale {
    STALE_NONE = 0,
    STALE_ROOT = 1, /* of one root, `stale_root` */
    STALE_ALL = 2,
};

struct vm {
    u16 id;     /* from 1 on; also the index in vms[] plus 1, and the number of its port */
    u32 serial; /* how many VMs had been made, itself included */
    char name[BUNDLE_NAME_BYTES];
    u64 name_hash;
    u32 state;      /* enum vm_state; atomic */
    u8 exit;        /* enum vm_exit: set when it stops running */
    u32 end_wanted; /* enum vm_exit: its next turn ends it so; any hart, atomically */
    u32 reboots;
    u32 reboots_untold; /* since the last line that told of them */
    u32 reboot_lines;   /* that may come now, at reboots_told; one more each second */
    u64 reboots_told;
    bool paused;  /* its vCPUs get no turns while it is RUNNING; any hart may set it */
    bool leaving; /* it shall be taken away when it is OFF: no reason to power the machine off */
    bool flushed; /* of ENDING: no hart holds a translation any more */
    u32 step;     /* frames that it has taken */
    u32 returned; /* of ENDING: frames that it has given back */
    mfn_t chunk;  /* of BUILDING: where its next frames come from */
    u64 made_at;
    u64 started_at;
    struct bundle_vm_view config;
    struct console_port console;
    const struct virt_ops *virt;
    bool traps_bounced;
    bool counters_raw;
    bool fast_paths; /* the assembly may serve calls itself: both ways must behave alike */
    struct p2m p2m;
    struct vm_image image;
    struct disk *disk; /* NULL: it has none */
    struct vm_pv pv;
    struct vm_shadow *shadow; /* the shadow path's part; NULL on another */
    u32 calls_taken;          /* vm_calls_lock(); guards tables, the disk's ring, who is started */
    u32 calls_first;          /* the hart, by index plus 1, that is to have it next; 0: any */
    u8 stale;                 /* enum vm_stale; under that lock */
    mfn_t stale_root;
    u32 vcpu_count;
    struct vcpu vcpus[];
};

/* By id - 1; NULL: none. No VM has an id above vm_count. See above for who may look. */
extern struct vm *vms[VMS_MAX];
extern u32 vm_count;

/* Everything went well so far: every record of the bundle that should become a VM did, and none has
 * ended for a fault or a failure. Part of the machine's exit status; any hart, atomically. */
extern bool vm_all_good;

/* VMs that are not OFF. Atomic. */
extern u32 vm_live;

/* Powers the machine off: status 0 if vm_all_good, else 1. */
void vm_power_off(void);

/*
 * Ends a VM: its vCPUs never run guest code again, and its next turns give everything back. Reboots
 * it afterwards if `why` says so. In the VM's own turn that is so on return; called from elsewhere,
 * by any hart, it is so when its turn comes, which comes soon. A VM that reboots and is ended
 * meanwhile stays off. A no-op when it is OFF, or already about to end.
 */
void vm_end(struct vm *vm, enum vm_exit why);

/* A running VM's vCPUs get no turns until it is resumed; what it has asked for waits. Time goes on
   for it. Ending or rebooting it resumes it. Any hart may call them. */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/* Whether none of its vCPUs has its turn now: when it is paused, it stays so. Any hart may ask. */
bool vm_stands(struct vm *vm);

/* Its weight, of those that share a hart with it (1 to BUNDLE_WEIGHT_MAX), if the policy has
   weights; it keeps it when it reboots. Any hart may call it. */
void vm_set_weight(struct vm *vm, u32 weight);

/* Ends a VM for a fault of its guest and prints one line: name, what, the pc, the address
 * concerned. */
void vm_end_fault(struct vcpu *vcpu, const char *what, u64 address);

/* In a vCPU's turn: ends its VM if another hart wants that; leaves the guest for good if it ends.
 */
void vm_serve(struct vcpu *vcpu);

/*
 * One vCPU of a VM at a time makes a call that changes what they have in common. While it waits for
 * that, and while it has it, a hart serves the flushes that others want of it: so whoever has it
 * may wait for other harts. A hart that has waited for a millisecond goes before those that come
 * again and again. Not a lock by core/lock.h: it is taken with none held.
 */
void vm_calls_lock(struct vm *vm);

/* Every vCPU of the VM has dropped what became stale, or will before it is in its guest, or in that
   space, again. */
void vm_calls_flush(struct vcpu *vcpu);

/* That, and gives it back. */
void vm_calls_unlock(struct vcpu *vcpu);

/* The vCPU of that number, or NULL. */
struct vcpu *vm_vcpu(struct vm *vm, u64 number);

/* Whether a vCPU can be started: HC_OK; HC_EXISTS: it runs; HC_DENIED: the VM ends. Under
   vm_calls_lock(), as is starting it, with its registers and its space as they should be. Not the
   first. */
int vm_vcpu_startable(struct vcpu *vcpu);
void vm_start_vcpu(struct vcpu *vcpu);

/* In the vCPU's turn: it is OFF afterwards. Not the first, whose turns are the VM's own. */
void vm_stop_vcpu(struct vcpu *vcpu);

/* One bounded step of building or ending (at most some 20,000 instructions), in the VM's own turn.
 */
void vm_step(struct vm *vm);

/* A VM that is OFF, or new: its turns build it from now on. */
void vm_build(struct vm *vm);

/* Frames of its memory. */
u32 vm_frames(const struct vm *vm);
