/* SPDX-License-Identifier: MIT */
/* Messages and the kernel's end. */
#include "kernel/printk.h"

#include "arch.h"
#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "platform.h"

enum printk_sizes {
    LINE_SIZE = 256,
    TURNS_MAX = 1000, /* how often the console is tried before the rest of a message is dropped */
};

static u32 panicking; /* atomic: the number of the CPU that ends the kernel, + 1 */

static void print(const char *text, size_t size)
{
    size_t done = 0;

    for (u32 turn = 0; done < size && turn < TURNS_MAX; turn++)
        done += plat_console_write(text + done, size - done);
}

void printk(const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    print(line, min((size_t)length, sizeof(line) - 1));
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
