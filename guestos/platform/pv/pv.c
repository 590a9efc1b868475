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

enum {
    CONSOLE_CHUNK = 64,
};

/* What user code's traps may do without Candor: all that it lets through. */
#define DIRECT_CAUSES                                                                   \
    (1 << CAUSE_FETCH_MISALIGNED | 1 << CAUSE_BREAKPOINT | 1 << CAUSE_LOAD_MISALIGNED | \
     1 << CAUSE_STORE_MISALIGNED | 1 << CAUSE_USER_ECALL | 1 << CAUSE_FETCH_PAGE |      \
     1 << CAUSE_LOAD_PAGE | 1 << CAUSE_STORE_PAGE)

struct shared_page pv_shared_page __attribute__((aligned(PAGE_SIZE)));

static struct plat_info info = {.name = "Candor, paravirtualized"};
static bool has_sstc;
static const char *trap_entry;

/* trap.S: the vectors, and the ways to user mode that belong to them. */
extern const char pv_trap_direct[];
extern const char pv_trap_bounced[];
void pv_trap_direct_return(void);
void pv_trap_bounced_return(void);

/* ---- start ---- */

static void reserve(u64 base, u64 bytes)
{
    if (bytes != 0)
        info.reserved[info.reserved_count++] = (struct plat_range){base, bytes};
}

const struct plat_info *plat_init(u64 boot_a0, u64 boot_a1)
{
    const struct start_info *start = (const struct start_info *)boot_a1;

    (void)boot_a0; /* the vCPU's number: there is one */
    info.memory = (struct plat_range){start->memory_base_gpa, start->memory_bytes};
    info.initrd = (struct plat_range){start->initrd_gpa, start->initrd_bytes};
    info.timebase_hz = start->timebase_hz;
    strlcpy(info.args, start->args, sizeof(info.args));
    reserve(start->image_base_gpa, start->image_bytes);
    reserve(start->pool_base_gpa, start->pool_bytes);
    reserve(start->initrd_gpa, start->initrd_bytes);

    has_sstc = (start->flags & START_FLAG_SSTC) != 0;
    bool bounced = (start->flags & START_FLAG_TRAPS_BOUNCED) != 0;
    trap_entry = bounced ? pv_trap_bounced : pv_trap_direct;
    info.user_return = bounced ? pv_trap_bounced_return : pv_trap_direct_return;

    pool_init(start->pool_base_gpa, start->boot_root_gpa);
    pv_spaces_init(start->boot_root_gpa);
    pv_expect_done(candor_shared_page(pv_gpa(&pv_shared_page)), "shared_page");
    return &info;
}

void plat_cpu_init(void)
{
    csr_write(sscratch, 0);
    csr_write(scounteren, SCOUNTEREN_BASE);
    plat_timer_set(TIMER_NEVER);
    pv_expect_done(candor_trap_register((u64)trap_entry, DIRECT_CAUSES), "trap_register");
    csr_write(sie, 1 << IRQ_SOFTWARE | 1 << IRQ_TIMER);
}

void pv_expect_done(struct hc_result result, const char *call)
{
    if (result.error != HC_OK)
        panic("hypercall %s: error %ld", call, result.error);
}

NORETURN void plat_poweroff(bool failed)
{
    (void)sbi_call(SBI_SRST, SBI_SRST_RESET, SBI_SRST_SHUTDOWN,
                   failed ? SBI_SRST_FAILURE : SBI_SRST_NO_REASON);
    for (;;)
        (void)candor_yield_idle(TIMER_NEVER);
}

NORETURN void plat_reboot(void)
{
    (void)sbi_call(SBI_SRST, SBI_SRST_RESET, SBI_SRST_COLD_REBOOT, SBI_SRST_NO_REASON);
    plat_poweroff(true);
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

/* What our clock is ahead of the hart's: the guest's time starts when it does. */
static i64 time_offset(void)
{
    u64 version;
    i64 offset;

    do {
        version = __atomic_load_n(&pv_shared_page.time_version, __ATOMIC_ACQUIRE);
        offset = READ_ONCE(pv_shared_page.time_offset);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) != 0 || version != READ_ONCE(pv_shared_page.time_version));
    return offset;
}

/* From our clock to the hart's. */
static u64 hart_time(u64 ticks)
{
    return ticks == TIMER_NEVER ? TIMER_NEVER : ticks - (u64)time_offset();
}

u64 plat_time_now(void)
{
    return csr_read(time) + (u64)time_offset();
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
}

void plat_idle(u64 deadline_ticks)
{
    (void)candor_yield_idle(hart_time(deadline_ticks));
}

u64 plat_idle_ticks(void)
{
    return READ_ONCE(pv_shared_page.idle_time);
}

void plat_counters(struct frank_counters *counters)
{
    struct counters candor;

    _Static_assert(sizeof(candor.calls) == sizeof(counters->calls) &&
                       sizeof(candor.entries) == sizeof(counters->entries),
                   "programs see all that Candor counts");
    pv_expect_done(candor_counters(pv_gpa(&candor)), "counters");
    counters->flushes = candor.flushes;
    counters->upcalls = candor.upcalls;
    memcpy(counters->calls, candor.calls, sizeof(candor.calls));
    memcpy(counters->entries, candor.entries, sizeof(candor.entries));
}
