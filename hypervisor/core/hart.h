/* SPDX-License-Identifier: MIT */
/*
 * A hart: one of the machine's processors. Each has its own run queue, stack and mailbox;
 * arch_hart() gives the one that executes.
 */
#pragma once

#include "list.h"

#include "core/lock.h"
#include "core/machine.h"

struct vcpu;

/* What a hart may be asked to do by another: bits of its mailbox. */
enum hart_mail {
    HART_MAIL_RESCHEDULE = 1, /* the run queue has changed */
    HART_MAIL_FLUSH = 2,      /* drop every translation */
};

struct hart {
    u32 index;       /* position in harts[]; 0 is the hart that booted */
    u64 hardware_id; /* as the device tree and the interrupt controllers name it */
    bool online;
    u64 mail;         /* enum hart_mail bits; any hart sets them, the owner takes them; atomic */
    u64 flushes_done; /* how often HART_MAIL_FLUSH was served; read by others */

    /* The owner alone: */
    struct vcpu *current; /* whose turn it is; NULL while there is none */
    struct vcpu *loaded;  /* whose state the processor's registers hold; may outlast its turn */
    bool reschedule;      /* `current` is to be chosen anew */
    u64 slice_end;
    u64 idle_since;
    u64 idle_time;
    u8 locks_held[LOCK_LEVELS];
    u64 trace_next;   /* while nothing is loaded: where the next trace record goes */
    u64 *trace_place; /* where that is held now: here, or in the vCPU that is loaded */

    struct lock queue_lock;
    /* Under queue_lock: */
    struct list_node ready;    /* vCPUs that wait for their turn, next first */
    struct list_node sleeping; /* vCPUs in yield_idle, earliest wake-up first */
};

extern struct hart harts[HARTS_MAX];
extern u32 hart_count;

/* Makes the entry of hart `index` usable. Called once for each hart by the boot hart. */
void hart_init(u32 index, u64 hardware_id);

/* Leaves mail with another hart and wakes it. Never for the caller's own hart. Does not wait. */
void hart_send(struct hart *hart, u64 mail);

/* Serves this hart's mailbox. */
void hart_serve_mail(struct hart *hart);

/* Drops every translation on every hart that is online; returns when all have. Takes no lock; the
   caller holds none. Serves its own mailbox while it waits. */
void hart_flush_all(void);
