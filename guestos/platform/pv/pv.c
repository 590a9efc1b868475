/* SPDX-License-Identifier: MIT */
/*
 * Frank as a guest of Candor: start, console, time and interrupts. What Candor says once comes in
 * struct start_info; what it says later, in the page that we share.
 */
#include "pv.h"

#include "arch.h"
#include "kernel/cpu.h"
#include "kernel/printk.h"
#include "kernel/timer.h"
#include "kernel/tty.h"
#include "sbi.h"
#include "string.h"

/* What user code's traps may do without Candor: all that it lets through. */
#define DIRECT_CAUSES                                                                   \
    (1 << CAUSE_FETCH_MISALIGNED | 1 << CAUSE_BREAKPOINT | 1 << CAUSE_LOAD_MISALIGNED | \
     1 << CAUSE_STORE_MISALIGNED | 1 << CAUSE_USER_ECALL | 1 << CAUSE_FETCH_PAGE |      \
     1 << CAUSE_LOAD_PAGE | 1 << CAUSE_STORE_PAGE)

struct shared_page pv_shared_pages[CPU_COUNT_MAX] __attribute__((aligned(PAGE_SIZE)));

static struct plat_info info = {.name = "Candor, paravirtualized"};
static bool has_sstc, has_bounced_traps;

/* trap.S: the vectors, and the ways to user mode that belong to them. */
void pv_trap_direct(void), pv_trap_direct_timed(void), pv_trap_direct_return(void);
void pv_trap_bounced(void), pv_trap_bounced_timed(void), pv_trap_bounced_return(void);
void pv_start_other(void); /* entry.S */

/* ---- start ---- */

const struct plat_info *plat_init(u64 boot_a0, u64 boot_a1)
{
    const struct start_info *start = (const struct start_info *)boot_a1;

    (void)boot_a0; /* the vCPU's number: the first */
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

    info.cpu_count = (u32)start->vcpu_count;
    pool_init(start->pool_base_gpa);
    pv_expect_done(candor_shared_page(pv_gpa(pv_shared_pages)), "shared_page");
    info.wall_base_ns = pv_shared_pages[0].wall_base_ns;
    return &info;
}

void plat_cpu_init(void)
{
    if (cpu_this() != cpus)
        pv_expect_done(candor_shared_page(pv_gpa(&pv_shared_pages[cpu_this()->number])),
                       "shared_page");
    csr_write(sscratch, 0);
    csr_write(scounteren, SCOUNTEREN_BASE);
    plat_timer_set(TIMER_NEVER);
    plat_time_traps(false);
    csr_write(sie, 1 << IRQ_SOFTWARE | 1 << IRQ_TIMER);
}

bool plat_cpu_start(u32 number, struct thread *idle)
{
    return candor_vcpu_start(number, (u64)pv_start_other, (u64)idle).error == HC_OK;
}

void plat_cpu_notify(u32 number)
{
    pv_expect_done(candor_vcpu_notify(number), "vcpu_notify");
}

void plat_cpu_relax(u32 holder)
{
    pv_expect_done(candor_yield_to(holder), "yield_to");
}

void plat_time_traps(bool timed)
{
    static void (*const vectors[][2])(void) = {{pv_trap_direct, pv_trap_direct_timed},
                                               {pv_trap_bounced, pv_trap_bounced_timed}};

    pv_expect_done(candor_trap_register((u64)vectors[has_bounced_traps][timed], DIRECT_CAUSES),
                   "trap_register");
}

/* ---- console ---- */

size_t plat_console_write(const char *text, size_t bytes)
{
    struct sbi_result written = {0};
    size_t done = 0;

    do {
        written = sbi_call(SBI_DBCN, SBI_DBCN_WRITE, bytes - done, pv_gpa(text + done));
        done += written.value;
    } while (done < bytes && written.value > 0);
    return done;
}

static void console_input(void)
{
    static char chunk[64];
    struct sbi_result got;

    while ((got = sbi_call(SBI_DBCN, SBI_DBCN_READ, sizeof(chunk), pv_gpa(chunk))).error == 0 &&
           got.value > 0)
        tty_input(chunk, got.value);
}

/* ---- time and interrupts ---- */

/* The times in the shared page with the hart's, all of one moment: if the version has changed, or
   is odd, Candor has had them in hand meanwhile. */
inline struct plat_times plat_times(u32 cpu)
{
    const struct shared_page *page = &pv_shared_pages[cpu];
    struct plat_times times;
    u64 version;

    do {
        version = __atomic_load_n(&page->time_version, __ATOMIC_ACQUIRE);
        times.offset = page->time_offset;
        times.now = csr_read(time) + (u64)times.offset;
        times.idle = page->idle_time;
        times.stolen = page->steal_time;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) != 0 || version != READ_ONCE(page->time_version));
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
    u64 pending = EVENT_TIMER;

    if (cause != IRQ_TIMER) {
        /* The doorbell is silenced before the events are taken, so that none is missed. */
        csr_clear(sip, 1 << IRQ_SOFTWARE);
        pending = __atomic_exchange_n(&pv_shared_pages[cpu_this()->number].pending, 0,
                                      __ATOMIC_ACQ_REL);
    }
    if ((pending & EVENT_TIMER) != 0)
        timer_interrupt();
    if ((pending & EVENT_CONSOLE) != 0)
        console_input();
    if ((pending & EVENT_DISK) != 0)
        slot_disk_serve(&pv_disk);
    if ((pending & EVENT_VCPU) != 0)
        cpu_interrupted();
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
