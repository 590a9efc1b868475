/* SPDX-License-Identifier: MIT */
/*
 * Frank as a guest of Candor: start, console, time and interrupts. What Candor says once comes in
 * struct start_info; what it says later, in the page that we share.
 */
#include "pv.h"

#include "arch.h"
#include "kernel/printk.h"
#include "kernel/timer.h"
#include "kernel/tty.h"
#include "sbi.h"
#include "string.h"

enum { CONSOLE_CHUNK = 64, TIMES_TRIES_MAX = 100 };

/* What user code's traps may do without Candor: all that it lets through. */
#define DIRECT_CAUSES                                                                   \
    (1 << CAUSE_FETCH_MISALIGNED | 1 << CAUSE_BREAKPOINT | 1 << CAUSE_LOAD_MISALIGNED | \
     1 << CAUSE_STORE_MISALIGNED | 1 << CAUSE_USER_ECALL | 1 << CAUSE_FETCH_PAGE |      \
     1 << CAUSE_LOAD_PAGE | 1 << CAUSE_STORE_PAGE)

struct shared_page pv_shared_page __attribute__((aligned(PAGE_SIZE)));

static struct plat_info info = {.name = "Candor, paravirtualized", .cpu_count = 1};
static bool has_sstc, has_bounced_traps;

/* trap.S: the vectors, and the ways to user mode that belong to them. */
void pv_trap_direct(void), pv_trap_direct_timed(void), pv_trap_direct_return(void);
void pv_trap_bounced(void), pv_trap_bounced_timed(void), pv_trap_bounced_return(void);

/* ---- start ---- */

const struct plat_info *plat_init(u64 boot_a0, u64 boot_a1)
{
    const struct start_info *start = (const struct start_info *)boot_a1;

    (void)boot_a0; /* the vCPU's number: there is one */
    info.memory = (struct plat_range){start->memory_base_gpa, start->memory_bytes};
    info.initrd = (struct plat_range){start->initrd_gpa, start->initrd_bytes};
    info.timebase_hz = start->timebase_hz;
    strlcpy(info.args, start->args, sizeof(info.args));
    plat_reserve(&info, start->image_base_gpa, start->image_bytes);
    plat_reserve(&info, start->pool_base_gpa, start->pool_bytes);
    plat_reserve(&info, start->initrd_gpa, start->initrd_bytes);

    has_sstc = (start->flags & START_FLAG_SSTC) != 0;
    has_bounced_traps = (start->flags & START_FLAG_TRAPS_BOUNCED) != 0;
    info.user_return = has_bounced_traps ? pv_trap_bounced_return : pv_trap_direct_return;

    pool_init(start->pool_base_gpa);
    pv_expect_done(candor_shared_page(pv_gpa(&pv_shared_page)), "shared_page");
    return &info;
}

void plat_cpu_init(void)
{
    csr_write(sscratch, 0);
    csr_write(scounteren, SCOUNTEREN_BASE);
    plat_timer_set(TIMER_NEVER);
    plat_time_traps(false);
    csr_write(sie, 1 << IRQ_SOFTWARE | 1 << IRQ_TIMER);
}

/* There is one vCPU. */
bool plat_cpu_start(u32 number, struct thread *idle)
{
    return number == 0 && idle != NULL;
}

void plat_cpu_notify(u32 number)
{
    (void)number;
}

void plat_time_traps(bool timed)
{
    void (*bounced)(void) = timed ? pv_trap_bounced_timed : pv_trap_bounced;
    void (*direct)(void) = timed ? pv_trap_direct_timed : pv_trap_direct;

    pv_expect_done(candor_trap_register((u64)(has_bounced_traps ? bounced : direct), DIRECT_CAUSES),
                   "trap_register");
}

/* ---- console ---- */

size_t plat_console_write(const char *text, size_t bytes)
{
    struct sbi_result written = {0};
    size_t done = 0;

    do {
        written = sbi_call(SBI_DBCN, SBI_DBCN_WRITE, bytes - done, pv_gpa(text + done));
        if (written.error != 0)
            return bytes; /* there is no console: nothing to wait for */
        done += written.value;
    } while (done < bytes && written.value > 0);
    return done;
}

static void console_input(void)
{
    static char chunk[CONSOLE_CHUNK];
    struct sbi_result got;

    do {
        got = sbi_call(SBI_DBCN, SBI_DBCN_READ, sizeof(chunk), pv_gpa(chunk));
        if (got.error == 0)
            tty_input(chunk, got.value);
    } while (got.error == 0 && got.value == sizeof(chunk));
}

/* ---- time and interrupts ---- */

/* The times in the shared page with the hart's, all of one moment: if the version has changed, or
   is odd, Candor has had them in hand meanwhile. That it does so each time does not happen. */
inline struct plat_times plat_times(u32 cpu)
{
    struct plat_times times;
    u64 version, tries = TIMES_TRIES_MAX;

    (void)cpu;
    do {
        version = __atomic_load_n(&pv_shared_page.time_version, __ATOMIC_ACQUIRE);
        times.offset = pv_shared_page.time_offset;
        times.now = csr_read(time) + (u64)times.offset;
        times.idle = pv_shared_page.idle_time;
        times.stolen = pv_shared_page.steal_time;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (((version & 1) != 0 || version != READ_ONCE(pv_shared_page.time_version)) &&
             --tries > 0);
    return times;
}

/* From our clock to the hart's: the guest's time starts when it does. */
static u64 hart_time(u64 ticks)
{
    return ticks == TIMER_NEVER ? TIMER_NEVER : ticks - (u64)plat_times(0).offset;
}

u64 plat_time_now(void)
{
    return plat_times(0).now;
}

void plat_timer_set(u64 deadline_ticks)
{
    if (has_sstc)
        csr_write(stimecmp, hart_time(deadline_ticks));
    else
        pv_expect_done(candor_timer_set(hart_time(deadline_ticks)), "timer_set");
}

void plat_irq(u64 cause)
{
    if (cause == IRQ_TIMER) {
        timer_interrupt();
        return;
    }
    /* The doorbell: first it is silenced, then the events are taken, so that none is missed. */
    csr_clear(sip, 1 << IRQ_SOFTWARE);
    u64 pending = __atomic_exchange_n(&pv_shared_page.pending, 0, __ATOMIC_ACQ_REL);
    if ((pending & EVENT_TIMER) != 0)
        timer_interrupt();
    if ((pending & EVENT_CONSOLE) != 0)
        console_input();
    if ((pending & EVENT_DISK) != 0)
        slot_disk_serve(&pv_disk);
}

void plat_idle(u64 deadline_ticks)
{
    (void)candor_yield_idle(hart_time(deadline_ticks));
}

void plat_counters(struct frank_counters *counters)
{
    _Static_assert(sizeof(*counters) == sizeof(struct counters) &&
                       offsetof(struct frank_counters, calls) == offsetof(struct counters, calls),
                   "programs see what Candor counts as Candor counts it");
    pv_expect_done(candor_counters(pv_gpa(counters)), "counters");
}
