/* SPDX-License-Identifier: MIT */
/*
 * The 16550 UART: see uart16550.h.
 */
#include "driver/uart16550.h"

#include "driver/mmio.h"
#include "driver/uart16550_registers.h"

enum {
    MCR_READY = MCR_DTR | MCR_RTS | MCR_OUT2,
    UART_FIFO_BYTES = 16,
    UART_NO_BYTE = -1,
    POLLS_MAX = 1000000,
};

static u8 uart_read(const struct uart16550 *uart, enum uart_register r)
{
    uintptr_t address = uart->base + ((uintptr_t)r << uart->shift);

    return uart->io_width == sizeof(u32) ? (u8)mmio_read32(address) : mmio_read8(address);
}

static void uart_write(const struct uart16550 *uart, enum uart_register r, u8 value)
{
    uintptr_t address = uart->base + ((uintptr_t)r << uart->shift);

    if (uart->io_width == sizeof(u32))
        mmio_write32(address, value);
    else
        mmio_write8(address, value);
}

void uart16550_init(struct uart16550 *uart, uintptr_t base, u32 shift, u32 io_width)
{
    *uart = (struct uart16550){
        .base = base,
        .shift = shift,
        .io_width = io_width,
        .interrupts = IER_RECEIVED,
        .early_byte = UART_NO_BYTE,
    };
    uart_write(uart, UART_INTERRUPT_ENABLE, 0);
    uart_write(uart, UART_LINE_CONTROL, LCR_8_BITS);
    /* Switching the FIFOs on empties them: what came before is taken first, and nothing more comes
       in meanwhile, for the loop cuts the line off. */
    uart_write(uart, UART_MODEM_CONTROL, MCR_READY | MCR_LOOP);
    uart->early_byte = uart16550_read(uart);
    uart_write(uart, UART_FIFO_CONTROL, FCR_ENABLE | FCR_CLEAR_TRANSMIT);
    uart_write(uart, UART_MODEM_CONTROL, MCR_READY);
    /* QEMU looks for more input when the register is read; it is empty now. */
    uart_read(uart, UART_DATA);
    uart_write(uart, UART_INTERRUPT_ENABLE, uart->interrupts);
}

int uart16550_read(struct uart16550 *uart)
{
    int early = uart->early_byte;

    uart->early_byte = UART_NO_BYTE;
    if (early != UART_NO_BYTE)
        return early;
    if ((uart_read(uart, UART_LINE_STATUS) & LSR_RECEIVED) == 0)
        return UART_NO_BYTE;
    return uart_read(uart, UART_DATA);
}

u32 uart16550_write(struct uart16550 *uart, const u8 *bytes, u32 count)
{
    if ((uart_read(uart, UART_LINE_STATUS) & LSR_HOLDING_EMPTY) == 0)
        return 0;
    count = min(count, (u32)UART_FIFO_BYTES);
    for (u32 i = 0; i < count; i++)
        uart_write(uart, UART_DATA, bytes[i]);
    return count;
}

void uart16550_want_room(struct uart16550 *uart, bool wanted)
{
    u8 interrupts = wanted ? IER_RECEIVED | IER_TRANSMIT_EMPTY : IER_RECEIVED;

    if (interrupts == uart->interrupts) {
        if (!wanted || (uart_read(uart, UART_LINE_STATUS) & LSR_HOLDING_EMPTY) == 0)
            return;
        /* Nothing has been written since the last interrupt. Another one comes if it is switched on
           anew. */
        uart_write(uart, UART_INTERRUPT_ENABLE, IER_RECEIVED);
    }
    uart->interrupts = interrupts;
    uart_write(uart, UART_INTERRUPT_ENABLE, interrupts);
}

void uart16550_write_polled(struct uart16550 *uart, u8 byte)
{
    for (u32 polls = 0; polls < POLLS_MAX; polls++) {
        if ((uart_read(uart, UART_LINE_STATUS) & LSR_HOLDING_EMPTY) != 0)
            break;
    }
    uart_write(uart, UART_DATA, byte);
}
