/* SPDX-License-Identifier: MIT */
/* The bare machine: start, console, time, interrupts, sleep and end, by CSRs and SBI calls (SBI
   specification 1.0). Spaces are in space.c. */
#include "platform.h"

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

static struct plat_info info;
static struct machine machine;
static u64 idle_ticks;

const struct plat_info *plat_init(u64 hart, u64 tree)
{
    pa_t tables = (pa_t)kernel_end - PLAT_DIRECT_MAP_OFFSET;
    u64 tree_bytes;

    info.name = "the bare machine";
    info.user_return = native_vector_return;
    tree_bytes = machine_read((const void *)(tree + PLAT_DIRECT_MAP_OFFSET), hart, &info, &machine);
    if (tree_bytes == 0)
        plat_poweroff(true);
    sv39_init_kernel(info.memory.base, info.memory.bytes, &tables);
    uart_init(machine.uart);
    plat_reserve(&info, info.memory.base,
                 tables - info.memory.base); /* firmware, image, kernel's tables */
    plat_reserve(&info, info.initrd.base, info.initrd.bytes);
    plat_reserve(&info, tree, tree_bytes);
    return &info;
}

void plat_cpu_init(void)
{
    sv39_find_asids();
    plat_time_traps(false);
    csr_write(scounteren, SCOUNTEREN_BASE);
    plat_timer_set(TIMER_NEVER);
    plic_init(machine.plic, machine.plic_context);
    plic_enable(machine.uart_interrupt);
    uart_enable_interrupt();
    csr_write(scounteren, SCOUNTEREN_ALL);
    csr_write(sie, 1UL << IRQ_TIMER | 1UL << IRQ_EXTERNAL);
}

void plat_find_disks(void)
{
    disk_init(&machine);
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

struct plat_times plat_times(void)
{
    return (struct plat_times){.now = plat_time_now(), .idle = idle_ticks};
}

void plat_timer_set(u64 deadline_ticks)
{
    if (machine.sstc)
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
            if (source == machine.uart_interrupt)
                uart_interrupt();
            else
                disk_interrupt(source);
            plic_complete(source);
        }
        break;
    default:
        panic("interrupt %lu, which was not asked for", cause);
    }
}

void plat_idle(u64 deadline_ticks)
{
    u64 before = plat_time_now();

    (void)deadline_ticks; /* the timer is set */
    __asm__ volatile("wfi" : : : "memory");
    idle_ticks += plat_time_now() - before;
}

void plat_counters(struct frank_counters *counters)
{
    memset(counters, 0, sizeof(*counters));
}
