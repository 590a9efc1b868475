/* SPDX-License-Identifier: MIT */
/*
 * A hart: one of the machine's processors. Each has its own run queue, stack and mailbox;
 * arch_hart() gives the one that executes.
 */
#pragma once

#include "list.h"

#include "core/lock.h"
#include "core/machine.h"
#include "debug/backtrace.h"

struct vcpu;

/* What a hart may be asked to do by another: bits of its mailbox. */
enum hart_mail {
    HART_MAIL_RESCHEDULE = 1, /* the run queue has changed, or something waits for `current` */
};

struct hart {
    u32 index;       /* position in harts[]; 0 is the hart that booted */
    u64 hardware_id; /* as the device tree and the interrupt controllers name it */
    bool online;     /* atomic; set once, by its owner */

    /* Any hart, atomically: */
    u64 mail;              /* enum hart_mail bits; any hart sets them, the owner takes them */
    u64 flushes_wanted;    /* grows with each flush that another hart asks for */
    u64 flushes_done;      /* what flushes_wanted was before the owner's last flush */
    bool standing;         /* the owner stands still while another hart has stopped the machine */
    bool halted;           /* the owner stands for good: another hart has halted the machine */
    const void *waits_for; /* hart_wait(): what the owner is to be woken for; NULL: for nothing */
    u32 ready_count;       /* the length of `ready`; written under queue_lock, read without */

    /* The owner writes, others read it atomically: whose state the processor's registers hold. May
     * outlast its turn. It changes after that state has been stored. */
    struct vcpu *loaded;

    /* The owner alone: */
    bool reschedule; /* `current` is to be chosen anew */
    bool yielded;    /* and that one gave its turn away */
    u64 balance_at;  /* when it next looks for waiting vCPUs of other harts */
    u64 idle_time;
    u64 alarm; /* when alarm_ring is to be called; TIME_NEVER: never */
    void (*alarm_ring)(void);
    u8 locks_held[LOCK_LEVELS];
    const char *panic_text;           /* what panic() was called with, while it is reported */
    struct backtrace_start halted_at; /* written before `halted` */
    u8 trace_level;                   /* enum trace_level: what it records; see debug/trace.h */
    u64 trace_next;   /* while nothing is loaded: where the next trace record goes */
    u64 *trace_place; /* where that is held now: here, or in the vCPU that is loaded */

    struct lock queue_lock;
    /* Under queue_lock: */
    struct vcpu *current;      /* whose turn it is, on no list; the owner alone writes it */
    u64 turn_began;            /* since when it is that one's */
    u64 slice_end;             /* until when it is, if somebody waits */
    u64 virtual_time;          /* sched_weighted.c */
    struct list_node ready;    /* vCPUs that wait for their turn, next first */
    struct list_node sleeping; /* vCPUs in yield_idle, earliest wake-up first */
};

extern struct hart harts[HARTS_MAX];
extern u32 hart_count;

/* Bit i: harts[i] is asleep, or about to be, and nobody has called it yet. Atomic; see sched.c. */
extern u64 harts_idle;
_Static_assert(HARTS_MAX <= 64, "a bit for each hart");

/* Makes the entry of hart `index` usable. Called by that hart, before it is online. */
void hart_init(u32 index, u64 hardware_id);

/* From now on this hart takes part: others send it mail and wait for its flushes. */
void hart_go_online(struct hart *hart);

bool hart_is_online(const struct hart *hart);

/* Leaves mail with another hart and wakes it. Never for the caller's own hart. Does not wait. */
void hart_send(struct hart *hart, u64 mail);

/* Serves this hart's mailbox. Its vCPU's registers, if one is loaded, have been stored by the trap.
 */
void hart_serve_mail(struct hart *hart);

/* Drops every translation on every hart that is online, which fetches code anew as well; returns
   when all have, asleep or not. Takes no lock; the caller holds none. Serves flushes that others
   want while it waits. */
void hart_flush_all(void);

/* The same on those of the other harts whose bit is set. */
void hart_flush(u64 which);

/* The part of the mailbox that others wait for: whoever waits for another hart calls this
   meanwhile. */
void hart_serve_flush(struct hart *hart);

/*
 * How one hart waits for what another one does, which may take long, for the other may be a thread
 * of a host that does not run now:
 *
 *     u32 turns = 0;
 *     while (!done())
 *         hart_wait(self, what, &turns);
 *     hart_wait_end(self, turns);
 *
 * `what` is any address that the other one passes to hart_end_waits() after what makes it done. The
 * first turns spin, later ones sleep. Flushes are served meanwhile, all other mail afterwards. The
 * caller holds no lock.
 */
void hart_wait(struct hart *self, const void *what, u32 *turns);
void hart_wait_end(struct hart *self, u32 turns);

/* Wakes those who wait for `what`. Any context; does not wait. */
void hart_end_waits(const void *what);

/*
 * Stops all other harts where they hold no lock and change nothing, their vCPUs' registers stored;
 * returns when all stand. hart_resume_others lets them go on. For audits and the monitor: the hart
 * that serves the console calls it, so never two at once. The caller holds no lock.
 */
void hart_stop_others(void);
void hart_resume_others(void);

/*
 * Halts all other harts for good, wherever they are: they answer in the mailbox and wherever they
 * spin. Returns when all stand, or have not answered for `patience` ticks. For panics: the caller
 * may hold any lock.
 */
void hart_halt_others(u64 patience);

/* Whoever waits, for whatever, calls this: it does not return if another hart halts the machine. */
void hart_halt_if_wanted(void);
