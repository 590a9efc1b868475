/* SPDX-License-Identifier: MIT */
/*
 * The 16550 serial port: input by interrupt; output straight into its queue, waiting a bounded time
 * for room (National Semiconductor PC16550D data sheet).
 */
#include "kernel/lock.h"
#include "kernel/tty.h"
#include "machine.h"

enum uart_register {
    UART_DATA = 0,
    UART_INTERRUPT_ENABLE = 1,
    UART_FIFO_CONTROL = 2,
    UART_LINE_STATUS = 5,
};

enum uart_bits {
    INTERRUPT_ENABLE_RECEIVED = 1 << 0,
    FIFO_CONTROL_ENABLE = 1 << 0,
    LINE_STATUS_RECEIVED = 1 << 0,
    LINE_STATUS_QUEUE_EMPTY = 1 << 5,
};

enum uart_limits {
    QUEUE_BYTES = 16,
    WAIT_POLLS_MAX = 10000, /* for room */
    INPUT_CHUNK = 32,
};

static struct spinlock uart_lock = SPINLOCK_INITIALIZER("serial port", LOCK_CONSOLE);
static volatile u8 *uart;

void uart_init(pa_t base)
{
    uart = machine_device(base);
    uart[UART_INTERRUPT_ENABLE] = 0;
    uart[UART_FIFO_CONTROL] = FIFO_CONTROL_ENABLE;
}

void uart_enable_interrupt(void)
{
    uart[UART_INTERRUPT_ENABLE] = INTERRUPT_ENABLE_RECEIVED;
}

static bool wait_for_room(void)
{
    for (u32 polls = 0; polls < WAIT_POLLS_MAX; polls++)
        if ((uart[UART_LINE_STATUS] & LINE_STATUS_QUEUE_EMPTY) != 0)
            return true;
    return false;
}

size_t uart_write(const char *text, size_t bytes)
{
    size_t done, room = 0;

    spin_acquire(&uart_lock);
    for (done = 0; done < bytes; done++) {
        if (room == 0) {
            if (!wait_for_room())
                break;
            room = QUEUE_BYTES;
        }
        uart[UART_DATA] = (u8)text[done];
        room--;
    }
    spin_release(&uart_lock);
    return done;
}

void uart_interrupt(void)
{
    char input[INPUT_CHUNK];
    size_t count;

    do {
        count = 0;
        while (count < INPUT_CHUNK && (uart[UART_LINE_STATUS] & LINE_STATUS_RECEIVED) != 0)
            input[count++] = (char)uart[UART_DATA];
        if (count > 0)
            tty_input(input, count);
    } while (count == INPUT_CHUNK);
}
