/* SPDX-License-Identifier: MIT */
/*
 * The platform: all that differs between the bare machine (platform/native) and Candor
 * (platform/pv). One of the two is linked in. The interface speaks of spaces, addresses and ranges;
 * how translations are kept is the platform's own affair.
 *
 * Memory: the kernel sees all of its memory in one direct map that the platform makes: a page's
 * kernel address is its pa_t + PLAT_DIRECT_MAP_OFFSET. Pages are 4 KiB; a range is at most
 * PLAT_RANGE_MAX pages a call, so that arrays fit a kernel stack. A platform does not count the
 * references to the pages it maps: its callers do.
 *
 * Functions that change a space are called with its owner's lock held, and flush what they make
 * stale: when they return, no CPU uses, or will find, what was there before. So a page that was
 * unmapped, or lost a right, may be given back at once. A page that was not mapped before needs no
 * flush, nor one that gains a right: should a CPU not know, the fault is repaired by mapping the
 * same page again, which flushes for that CPU. What is mapped with PLAT_PROT_EXEC is seen by every
 * CPU as it is in memory then.
 *
 * "Interrupts off" means those of the calling CPU. Errors are 0 or negative errnos.
 */
#pragma once

#include "frank/counters.h"
#include "kernel/addr.h"
#include "types.h"

struct thread;

#define PLAT_DIRECT_MAP_OFFSET 0xffffffc000000000UL

enum plat_limits {
    PLAT_RANGE_MAX = 64,
    PLAT_RESERVED_MAX = 8,
    PLAT_ARGS_SIZE = 512,
};

/* What users may do with a page. WRITE comes with READ. With none of them the page stays mapped but
   neither users nor copies on their behalf can touch it. */
enum plat_prot {
    PLAT_PROT_NONE = 0,
    PLAT_PROT_READ = 1,
    PLAT_PROT_WRITE = 2,
    PLAT_PROT_EXEC = 4,
    PLAT_PROT_ALL = 7,
};

struct plat_range {
    pa_t base;
    u64 bytes;
};

struct plat_info {
    const char *name; /* for the banner */
    struct plat_range memory;
    struct plat_range reserved[PLAT_RESERVED_MAX]; /* not to be allocated: image, initrd, tables */
    u32 reserved_count;
    struct plat_range initrd; /* 0 bytes: none */
    u64 timebase_hz;
    u64 wall_base_ns; /* nanoseconds since 1970 (UTC) when plat_time_now() was 0; 0: not known */
    u32 cpu_count;    /* this one and those that can be started */
    char args[PLAT_ARGS_SIZE]; /* words between spaces */
    /* Where a thread goes to enter user mode, with its trap frame in place at the top of its stack
       and interrupts off; a label in assembly that never returns. */
    void (*user_return)(void);
};

/* Appends to `reserved`, if there is something. */
static inline void plat_reserve(struct plat_info *info, pa_t base, u64 bytes)
{
    if (bytes != 0)
        info->reserved[info->reserved_count++] = (struct plat_range){base, bytes};
}

/* What the platform keeps of a space: words that mean something to it alone, zero before creation.
 */
struct plat_space {
    u64 words[12]; /* platform/native counts CPUs here */
};

/* ---- start ---- */

/* Find out about the machine; a0 and a1 are as the boot passed them. The first call, on the first
   CPU, with the console usable afterwards. What is returned stays valid. */
const struct plat_info *plat_init(u64 boot_a0, u64 boot_a1);

/* Make this CPU take traps and interrupts (still off) and know its timer. Once on each CPU, after
   the page allocator works. */
void plat_cpu_init(void);

/* Start a CPU, the next by number: it calls cpu_main(idle) on the stack that this structure lies at
   the low end of. False: it cannot be. */
MUST_CHECK bool plat_cpu_start(u32 number, struct thread *idle);

/* Interrupt a CPU, be it asleep in plat_idle(): its plat_irq() calls cpu_interrupted(). */
void plat_cpu_notify(u32 number);

/* This CPU waits for a lock that another one holds: should the platform have stopped that one, it
   may let it run in place of this. Any context. */
void plat_cpu_relax(u32 holder);

/* Find the machine's disks: block_register() for each. Once, on the first CPU, when it takes
   interrupts. */
void plat_find_disks(void);

/* Whether this CPU's traps from user mode are timed (account_user_end) from now on: by another
   vector, so that nothing is lost while they are not. */
void plat_time_traps(bool timed);

/* End, telling the machine's owner of a failure or not; or start again from the beginning. */
NORETURN void plat_poweroff(bool failed);
NORETURN void plat_reboot(void);

/* ---- console ---- */

/* Print what the device takes in a bounded time: how many bytes. Any context. What is typed comes
   to tty_input() from plat_irq(). */
size_t plat_console_write(const char *text, size_t bytes);

/* ---- spaces ---- */

/* An empty space, with the kernel in its upper half. -ENOMEM. */
MUST_CHECK int plat_space_create(struct plat_space *space);

/* Give back what it is made of. Nothing is mapped in it and no CPU is in it. */
void plat_space_destroy(struct plat_space *space);

/* Use it on this CPU from now on; NULL: the kernel alone. Interrupts off. */
void plat_space_switch(struct plat_space *space);

/* Map one page, in place of what was there. -ENOMEM. */
MUST_CHECK int plat_map(struct plat_space *space, uva_t address, pa_t page, u32 prot);

/* Map `count` pages, none of which was mapped, from pages[0] on. -ENOMEM, and then none of them is
   mapped. */
MUST_CHECK int plat_map_many(struct plat_space *space, uva_t address, u64 count, const pa_t *pages,
                             u32 prot);

/* Whether a page is mapped, and if so which and what is allowed (both may be NULL). Looking for one
   that is not mapped is cheap. */
bool plat_lookup(struct plat_space *space, uva_t address, pa_t *page, u32 *prot);

/* Allow exactly `prot` on what is mapped in the range. */
void plat_protect(struct plat_space *space, uva_t address, u64 count, u32 prot);

/* Map in `to` what is mapped in the range of `from`, with the write right taken away in both. The
   pages are stored in pages[], without holes, so that the caller can count the new references.
   Returns how many, or -ENOMEM, and then nothing is mapped in `to` by this call. */
MUST_CHECK long plat_clone_cow(struct plat_space *to, struct plat_space *from, uva_t address,
                               u64 count, pa_t *pages);

enum plat_unmap_mode {
    PLAT_UNMAP_LIVE,  /* the space stays in use */
    PLAT_UNMAP_FINAL, /* no CPU is in the space or will be again: nothing need be flushed */
};

/* Unmap what is mapped in the range; the pages are stored in pages[], without holes. How many. */
u64 plat_unmap(struct plat_space *space, uva_t address, u64 count, pa_t *pages,
               enum plat_unmap_mode mode);

/* ---- time and interrupts ---- */

/* The clock, in ticks of timebase_hz. */
u64 plat_time_now(void);

/* What a CPU's time went to so far, in ticks of one and the same moment. */
struct plat_times {
    u64 now;    /* as plat_time_now() */
    u64 idle;   /* asleep in plat_idle() */
    i64 offset; /* of `now` from what the processor counts */
    u64 stolen; /* it would have run, but the platform beneath ran something else */
};
struct plat_times plat_times(u32 cpu);

/* Interrupt this CPU at a time (at once if it is past); replaces the time set before. ~0: never. */
void plat_timer_set(u64 deadline_ticks);

/* An interrupt was taken: find out what is pending and call timer_interrupt(), tty_input(),
   cpu_interrupted(). `cause` is the processor's. Interrupts off. */
void plat_irq(u64 cause);

/* Sleep until an interrupt may be pending, at most until the time. Interrupts off before and after;
   what is pending is taken when the caller turns them on. */
void plat_idle(u64 deadline_ticks);

/* What the platform beneath has done for this CPU so far; on the bare machine nothing. */
void plat_counters(struct frank_counters *counters);
