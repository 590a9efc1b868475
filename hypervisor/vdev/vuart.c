/* SPDX-License-Identifier: MIT */
/*
 * The serial port's model: see vuart.h.
 */
#include "vdev/vuart.h"

#include "driver/uart16550_registers.h"

enum { DIVISOR_RESET = 12, BYTE_MASK = 0xff, BYTE_BITS = 8 };

/* It must have room. */
static void fifo_put(struct vuart_fifo *fifo, u8 byte)
{
    fifo->bytes[(fifo->first + fifo->count++) % VUART_FIFO_BYTES] = byte;
}

static u8 fifo_get(struct vuart_fifo *fifo)
{
    u8 byte = fifo->bytes[fifo->first];

    if (fifo->count == 0)
        return 0;
    fifo->first = (fifo->first + 1) % VUART_FIFO_BYTES;
    fifo->count--;
    return byte;
}

static bool fifos_on(const struct vuart *uart)
{
    return (uart->fifo_control & FCR_ENABLE) != 0;
}

/* Bytes that can wait in either direction: with the FIFOs off, the one in the register. */
static u32 depth(const struct vuart *uart)
{
    return fifos_on(uart) ? VUART_FIFO_BYTES : 1;
}

static u8 identify(const struct vuart *uart)
{
    static const u8 triggers[] = {1, 4, 8, 14};
    u32 trigger = fifos_on(uart) ? triggers[uart->fifo_control >> FCR_TRIGGER_SHIFT] : 1;

    if ((uart->interrupt_enable & IER_LINE_STATUS) != 0 && uart->overrun)
        return IIR_LINE_STATUS;
    if ((uart->interrupt_enable & IER_RECEIVED) != 0 && uart->input.count > 0)
        return uart->input.count >= trigger ? IIR_RECEIVED : IIR_TIMEOUT;
    if ((uart->interrupt_enable & IER_TRANSMIT_EMPTY) != 0 && uart->output.count == 0 &&
        !uart->transmit_reported)
        return IIR_TRANSMIT_EMPTY;
    return IIR_NONE;
}

static void receive(struct vuart *uart, u8 byte)
{
    if (uart->input.count < depth(uart))
        fifo_put(&uart->input, byte);
    else
        uart->overrun = true;
}

static void pull_input(struct vuart *uart)
{
    u8 bytes[VUART_FIFO_BYTES];
    u32 room = depth(uart), count;

    if ((uart->modem_control & MCR_LOOP) != 0 || uart->input.count >= room)
        return;
    room -= uart->input.count;
    count = min(uart->port->read(uart->port_context, bytes, room), room);
    for (u32 i = 0; i < count; i++)
        receive(uart, bytes[i]);
}

static void push_output(struct vuart *uart)
{
    u8 bytes[VUART_FIFO_BYTES];
    u32 count = uart->output.count, taken = count;

    if (count == 0)
        return;
    for (u32 i = 0; i < count; i++)
        bytes[i] = uart->output.bytes[(uart->output.first + i) % VUART_FIFO_BYTES];
    if ((uart->modem_control & MCR_LOOP) == 0)
        taken = min(uart->port->write(uart->port_context, bytes, count), count);
    for (u32 i = 0; i < taken; i++) {
        u8 byte = fifo_get(&uart->output);

        if ((uart->modem_control & MCR_LOOP) != 0)
            receive(uart, byte);
    }
    if (uart->output.count == 0)
        uart->transmit_reported = false;
}

static void update_line(struct vuart *uart)
{
    vdev_line_set(&uart->line, identify(uart) != IIR_NONE);
}

void vuart_service(struct vuart *uart)
{
    push_output(uart);
    pull_input(uart);
    update_line(uart);
}

void vuart_reset(struct vuart *uart)
{
    *uart = (struct vuart){
        .port = uart->port,
        .port_context = uart->port_context,
        .line = uart->line,
        .divisor = DIVISOR_RESET,
        .modem_control = MCR_OUT2,
        .transmit_reported = true,
    };
    vdev_line_set(&uart->line, false);
}

static u8 read_line_status(struct vuart *uart)
{
    u8 status = (uart->input.count > 0 ? LSR_RECEIVED : 0) | (uart->overrun ? LSR_OVERRUN : 0) |
                (uart->output.count == 0 ? LSR_HOLDING_EMPTY | LSR_TRANSMITTER_EMPTY : 0);

    uart->overrun = false;
    return status;
}

/* Modem status: somebody is always there; in loopback, the port's own outputs. */
static u8 read_modem_status(const struct vuart *uart)
{
    u8 control = uart->modem_control;

    if ((control & MCR_LOOP) == 0)
        return MSR_CARRIER | MSR_DSR | MSR_CTS;
    return ((control & MCR_RTS) != 0 ? MSR_CTS : 0) | ((control & MCR_DTR) != 0 ? MSR_DSR : 0) |
           ((control & MCR_OUT1) != 0 ? MSR_RING : 0) |
           ((control & MCR_OUT2) != 0 ? MSR_CARRIER : 0);
}

static u8 read_identification(struct vuart *uart)
{
    u8 identification = identify(uart);

    if (identification == IIR_TRANSMIT_EMPTY)
        uart->transmit_reported = true;
    return identification | (fifos_on(uart) ? IIR_FIFOS : 0);
}

static u8 read_register(struct vuart *uart, enum uart_register which)
{
    bool divisor = (uart->line_control & LCR_DIVISOR) != 0;

    switch (which) {
    case UART_DATA:
        return divisor ? uart->divisor & BYTE_MASK : fifo_get(&uart->input);
    case UART_INTERRUPT_ENABLE:
        return divisor ? (u8)(uart->divisor >> BYTE_BITS) : uart->interrupt_enable;
    case UART_IDENTIFICATION:
        return read_identification(uart);
    case UART_LINE_CONTROL:
        return uart->line_control;
    case UART_MODEM_CONTROL:
        return uart->modem_control;
    case UART_LINE_STATUS:
        return read_line_status(uart);
    case UART_MODEM_STATUS:
        return read_modem_status(uart);
    case UART_SCRATCH:
        return uart->scratch;
    }
    return 0;
}

/* A byte that finds the queue full takes the oldest one's place. */
static void write_data(struct vuart *uart, u8 value)
{
    if (uart->output.count >= depth(uart))
        (void)fifo_get(&uart->output);
    fifo_put(&uart->output, value);
}

static void write_fifo_control(struct vuart *uart, u8 value)
{
    bool switched = ((value ^ uart->fifo_control) & FCR_ENABLE) != 0;

    if (switched || (value & FCR_CLEAR_RECEIVE) != 0)
        uart->input.count = 0;
    if (switched || (value & FCR_CLEAR_TRANSMIT) != 0) {
        uart->output.count = 0;
        uart->transmit_reported = false;
    }
    uart->fifo_control = (value & FCR_ENABLE) != 0 ? value & FCR_KEPT : 0;
}

static void write_interrupt_enable(struct vuart *uart, u8 value)
{
    u8 changed = uart->interrupt_enable ^ value;

    if ((changed & IER_TRANSMIT_EMPTY) != 0)
        uart->transmit_reported = false;
    uart->interrupt_enable = value & IER_ALL;
}

static void set_divisor(struct vuart *uart, u32 shift, u8 value)
{
    uart->divisor = (u16)((uart->divisor & ~((u32)BYTE_MASK << shift)) | (u32)value << shift);
}

static void write_register(struct vuart *uart, enum uart_register which, u8 value)
{
    bool divisor = (uart->line_control & LCR_DIVISOR) != 0;

    switch (which) {
    case UART_DATA:
        if (divisor)
            set_divisor(uart, 0, value);
        else
            write_data(uart, value);
        break;
    case UART_INTERRUPT_ENABLE:
        if (divisor)
            set_divisor(uart, BYTE_BITS, value);
        else
            write_interrupt_enable(uart, value);
        break;
    case UART_FIFO_CONTROL:
        write_fifo_control(uart, value);
        break;
    case UART_LINE_CONTROL:
        uart->line_control = value;
        break;
    case UART_MODEM_CONTROL:
        uart->modem_control = value & MCR_ALL;
        break;
    case UART_SCRATCH:
        uart->scratch = value;
        break;
    case UART_LINE_STATUS:
    case UART_MODEM_STATUS:
        break; /* read-only */
    }
}

static bool uart_read(void *device, u64 offset, u32 bytes, u64 *value)
{
    struct vuart *uart = device;

    (void)bytes;
    *value = read_register(uart, (enum uart_register)(offset % VUART_BYTES));
    pull_input(uart);
    update_line(uart);
    return true;
}

/* Takes no input in: drivers write to set the device up, and empty what they find in it then. */
static bool uart_write(void *device, u64 offset, u32 bytes, u64 value)
{
    struct vuart *uart = device;

    (void)bytes;
    write_register(uart, (enum uart_register)(offset % VUART_BYTES), (u8)value);
    push_output(uart);
    update_line(uart);
    return true;
}

const struct vdev_ops vuart_ops = {.read = uart_read, .write = uart_write};
