/* SPDX-License-Identifier: MIT */
/* Starting CPUs, and what they tell each other. See cpu.h. */
#include "kernel/cpu.h"

#include "kernel/account.h"
#include "kernel/main.h"
#include "kernel/printk.h"
#include "kernel/thread.h"

struct cpu cpus[CPU_COUNT_MAX];
u32 cpu_count;

struct cpu *cpu_init(u32 number)
{
    struct cpu *cpu = &cpus[number];

    *cpu = (struct cpu){
        .number = number,
        .timer_programmed_ticks = TIMER_NEVER,
        .slice_end_ticks = TIMER_NEVER,
    };
    spin_init(&cpu->run_lock, "run queue", LOCK_RUN_QUEUE);
    list_init(&cpu->run_queue);
    spin_init(&cpu->timer_lock, "timers", LOCK_TIMER);
    list_init(&cpu->timers);
    return cpu;
}

/* A CPU counts as soon as its start was accepted: what it is given meanwhile waits for it. */
void cpu_start_others(void)
{
    u32 wanted = min(kernel_plat_info->cpu_count, (u32)CPU_COUNT_MAX);

    while (cpu_count < wanted) {
        struct thread *idle = thread_create_idle(cpu_init(cpu_count));

        if (idle == NULL || !plat_cpu_start(cpu_count, idle)) {
            printk("frank: CPU %u does not start\n", cpu_count);
            break;
        }
        WRITE_ONCE(cpu_count, cpu_count + 1);
    }
}

void cpu_main(struct thread *idle)
{
    arch_set_this_cpu(idle->cpu);
    plat_cpu_init();
    thread_idle(false);
}

void cpu_notify_others(void)
{
    for (u32 i = 0; i < READ_ONCE(cpu_count); i++)
        if (&cpus[i] != cpu_this())
            plat_cpu_notify(i);
}

void cpu_interrupted(void)
{
    if (printk_is_panicking())
        printk_stop();
    account_follow();
    thread_begin_slice();
}
