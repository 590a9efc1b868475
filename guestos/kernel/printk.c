/* SPDX-License-Identifier: MIT */
/*
 * Messages and the kernel's end. The last messages are kept, each with its time, for whoever comes
 * to ask (klog).
 */
#include "kernel/printk.h"

#include "kernel/kmalloc.h"
#include "kernel/syscall.h"

enum printk_sizes {
    LINE_SIZE = 256,
    LOG_SIZE = 16384,
    NS_PER_US = 1000,
    US_PER_SECOND = 1000000,
    TURNS_MAX = 1000, /* how often the console is tried before the rest of a message is dropped */
};

/* The log is a ring: byte n of all that were ever kept is log_bytes[n % LOG_SIZE]. */
static struct spinlock log_lock = SPINLOCK_INITIALIZER("log", LOCK_CONSOLE);
static char log_bytes[LOG_SIZE];
static u64 log_count;

static u32 panicking; /* atomic: the number of the CPU that ends the kernel, + 1 */

static void print(const char *text, size_t size)
{
    size_t done = 0;

    for (u32 turn = 0; done < size && turn < TURNS_MAX; turn++)
        done += plat_console_write(text + done, size - done);
}

static void keep(const char *line)
{
    u64 us = timer_ns_from_ticks(plat_time_now()) / NS_PER_US;
    char text[LINE_SIZE + 32];
    SPIN_GUARD(&log_lock);

    (void)snprintf(text, sizeof(text), "[%5lu.%06lu] %s", us / US_PER_SECOND, us % US_PER_SECOND,
                   line);
    for (size_t i = 0; text[i] != 0; i++)
        log_bytes[log_count++ % LOG_SIZE] = text[i];
}

void printk(const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (!printk_is_panicking()) /* nobody will ask, and the lock may be held */
        keep(line);
    print(line, min((size_t)length, sizeof(line) - 1));
}

long sys_klog(u64 address, u64 size)
{
    char *copy = kmalloc(LOG_SIZE);
    u64 count;
    int error;

    if (copy == NULL)
        return -ENOMEM;
    spin_acquire(&log_lock);
    count = min(size, min(log_count, (u64)LOG_SIZE));
    for (u64 i = 0; i < count; i++)
        copy[i] = log_bytes[(log_count - count + i) % LOG_SIZE];
    spin_release(&log_lock);
    error = copy_to_user(address, copy, count);
    kfree(copy);
    return error != 0 ? error : (long)count;
}

bool printk_is_panicking(void)
{
    return READ_ONCE(panicking) != 0;
}

void printk_stop(void)
{
    arch_interrupts_off();
    for (;;)
        plat_idle(~(u64)0);
}

void panic_frame(const struct trap_frame *frame, const char *format, ...)
{
    u32 self = cpu_this()->number + 1, by = 0;
    char line[LINE_SIZE];
    va_list arguments;

    arch_interrupts_off();
    if (!__atomic_compare_exchange_n(&panicking, &by, self, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST) &&
        by != self)
        printk_stop();
    if (by == 0) {
        cpu_notify_others();
        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        printk("frank: panic: %s\n", line);
        if (frame != NULL)
            arch_print_frame(frame);
        arch_print_backtrace(frame);
    }
    plat_poweroff(true);
}
