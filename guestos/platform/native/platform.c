/* SPDX-License-Identifier: MIT */
/* The bare machine: start, console, time, interrupts, sleep and end, by CSRs and SBI calls (SBI
   specification 1.0). Spaces are in space.c. */
#include "platform.h"

#include "kernel/cpu.h"
#include "kernel/printk.h"
#include "kernel/timer.h"
#include "machine.h"
#include "riscv.h"
#include "sbi.h"
#include "string.h"
#include "sv39.h"

extern const char kernel_end[];

void native_vector(void);
void native_vector_timed(void);
void native_vector_return(void);

/* entry.S: where each hart begins, and what it finds there. */
void _start(void);
extern struct thread *native_idle_threads[MACHINE_HART_LIMIT];

static struct plat_info info;
struct machine this_machine;

/* Of each CPU: how long it was asleep, less the time since the start while it sleeps. */
static i64 idle_ticks[CPU_COUNT_MAX];

/* The Goldfish clock's two words: the low one is read first, and keeps the other. */
static u64 read_wall_ns(pa_t rtc)
{
    volatile u32 *words = machine_device(rtc);
    u64 low = words[0];

    return (u64)words[1] << 32 | low;
}

const struct plat_info *plat_init(u64 hart, u64 tree)
{
    pa_t tables = (pa_t)kernel_end - PLAT_DIRECT_MAP_OFFSET;
    u64 tree_bytes;

    info.name = "the bare machine";
    info.user_return = native_vector_return;
    tree_bytes = machine_read((const void *)(tree + PLAT_DIRECT_MAP_OFFSET), hart, &info,
                              &this_machine);
    if (tree_bytes == 0)
        plat_poweroff(true);
    sv39_init_kernel(info.memory.base, info.memory.bytes, &tables);
    uart_init(this_machine.uart);
    timer_set_timebase(info.timebase_hz);
    if (this_machine.rtc != 0)
        info.wall_base_ns = read_wall_ns(this_machine.rtc) - timer_ns_from_ticks(plat_time_now());
    plat_reserve(&info, info.memory.base,
                 tables - info.memory.base); /* firmware, image, kernel's tables */
    plat_reserve(&info, info.initrd.base, info.initrd.bytes);
    plat_reserve(&info, tree, tree_bytes);
    return &info;
}

/* Devices interrupt the first CPU. */
void plat_cpu_init(void)
{
    bool is_first = cpu_this()->number == 0;

    sv39_find_asids();
    plat_time_traps(false);
    plat_timer_set(TIMER_NEVER);
    if (is_first) {
        plic_init(this_machine.plic, this_machine.plic_context);
        plic_enable(this_machine.uart_interrupt);
        uart_enable_interrupt();
    }
    csr_write(scounteren, SCOUNTEREN_ALL);
    csr_write(sie, 1UL << IRQ_SOFTWARE | 1UL << IRQ_TIMER | (u64)is_first << IRQ_EXTERNAL);
}

bool plat_cpu_start(u32 number, struct thread *idle)
{
    u64 hart = this_machine.harts[number];

    __atomic_store_n(&native_idle_threads[hart], idle, __ATOMIC_SEQ_CST);
    return sbi_call(SBI_HSM, SBI_HSM_START, hart, (u64)_start - PLAT_DIRECT_MAP_OFFSET).error == 0;
}

void plat_cpu_notify(u32 number)
{
    (void)sbi_call(SBI_IPI, SBI_IPI_SEND, BIT(this_machine.harts[number]), 0);
}

void plat_cpu_relax(u32 holder)
{
    (void)holder; /* it runs */
    arch_relax();
}

void plat_find_disks(void)
{
    disk_init(&this_machine);
}

void plat_time_traps(bool timed)
{
    csr_write(stvec, timed ? native_vector_timed : native_vector);
}

size_t plat_console_write(const char *text, size_t bytes)
{
    return uart_write(text, bytes);
}

u64 plat_time_now(void)
{
    return csr_read(time);
}

struct plat_times plat_times(u32 cpu)
{
    i64 idle = READ_ONCE(idle_ticks[cpu]), now = (i64)plat_time_now();

    return (struct plat_times){.now = (u64)now, .idle = (u64)(idle < 0 ? idle + now : idle)};
}

void plat_timer_set(u64 deadline_ticks)
{
    if (this_machine.sstc)
        csr_write(CSR_STIMECMP, deadline_ticks);
    else
        (void)sbi_call(SBI_TIME, SBI_TIME_SET, deadline_ticks, 0);
}

void plat_irq(u64 cause)
{
    u32 source;

    switch (cause) {
    case IRQ_TIMER:
        timer_interrupt();
        break;
    case IRQ_EXTERNAL:
        while ((source = plic_claim()) != 0) {
            if (source == this_machine.uart_interrupt)
                uart_interrupt();
            else
                disk_interrupt(source);
            plic_complete(source);
        }
        break;
    case IRQ_SOFTWARE:
        csr_clear(sip, 1UL << IRQ_SOFTWARE);
        cpu_interrupted();
        break;
    default:
        panic("interrupt %lu, which was not asked for", cause);
    }
}

void plat_idle(u64 deadline_ticks)
{
    i64 *idle = &idle_ticks[cpu_this()->number];

    (void)deadline_ticks; /* the timer is set */
    WRITE_ONCE(*idle, *idle - (i64)plat_time_now());
    __asm__ volatile("wfi" : : : "memory");
    WRITE_ONCE(*idle, *idle + (i64)plat_time_now());
}

void plat_counters(struct frank_counters *counters)
{
    memset(counters, 0, sizeof(*counters));
}
