/* SPDX-License-Identifier: MIT */
/*
 * A virtual processor of a VM.
 *
 * Its life: OFF, then RUNNABLE (on a hart's queue, or running), SLEEPING (in yield_idle, on the
 * hart's list of sleepers), PAUSED (on no list, while its VM is paused) and back, OFF again when
 * its VM ends. It belongs to one hart, `hart`, whose queue_lock guards `hart`, `state`, `link`,
 * the times, the weight; the rest belongs to the vCPU's turn, wherever that is. It goes to another
 * hart only while no hart has it loaded.
 */
#pragma once

#include "candor_abi.h"
#include "list.h"

#include "arch_vcpu.h"

struct hart;
struct vcpu_shadow;
struct vm;

enum vcpu_state {
    VCPU_OFF = 0,
    VCPU_RUNNABLE = 1,
    VCPU_SLEEPING = 2,
    VCPU_PAUSED = 3,
};

/* Entries into the hypervisor are counted by cause: exceptions, then interrupts. */
enum {
    ENTRY_EXCEPTIONS = 32,
    ENTRY_CAUSES = 64,
};
_Static_assert(ARRAY_SIZE(((struct counters *)0)->entries) == ENTRY_CAUSES,
               "all causes are counted");
_Static_assert(ARRAY_SIZE(((struct counters *)0)->calls) >= HC_CALL_COUNT, "all calls are counted");

#define TIME_NEVER (~0ULL)

struct vcpu {
    struct arch_vcpu arch; /* these three first: the assembly reaches them with a load's offset */
    u64 trace_next;        /* while loaded: where its hart's next trace record goes */
    struct counters counts;
    struct arch_vcpu_saved saved;

    struct vm *vm;
    struct vcpu_shadow *shadow; /* the shadow path's part; NULL on another */
    u32 index;
    u8 state;            /* enum vcpu_state */
    u64 events_wanted;   /* sent and not yet shown in the shared page; any hart, atomically */
    struct hart *hart;   /* where it is, or is on its way to */
    struct hart *ran_on; /* where it was last loaded; NULL: nowhere since it was started */
    bool stale; /* another one has changed translations that its hart may remember; atomic */
    struct list_node link;

    u64 wake_time;              /* while SLEEPING: when to go on at the latest */
    u64 timer;                  /* given to timer_set; TIME_NEVER: none */
    struct shared_page *shared; /* the registered page, in machine memory; NULL: none */

    u64 state_since; /* when the last of the three times below was brought up to date */
    u64 running_time;
    u64 idle_time;
    u64 steal_time;
    u64 ran_lately;    /* of these, what fades within a second (sched_account.c) */
    u64 waited_lately; /* (of the steal time) */
    u64 owed;          /* for work aside (sched_aside), not paid yet; any hart, atomically */
    u32 weight;        /* changed by sched_set_weight */
    bool arrived;      /* it has not had a turn since it arrived where it is (sched_weighted.c) */
    u64 virtual_time;  /* sched_weighted.c */
    bool stopping;     /* it has called vcpu_stop: OFF before it is in its guest again */
};
