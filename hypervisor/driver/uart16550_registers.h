/* SPDX-License-Identifier: MIT */
/*
 * The registers of the 16550 UART and their bits, for its driver and for its model (vdev/vuart.c).
 * An enumerator is a register's number: a device may space them out.
 */
#pragma once

enum uart_register {
    UART_DATA = 0,             /* receive buffer, transmit holding; divisor's low byte with DLAB */
    UART_INTERRUPT_ENABLE = 1, /* divisor's high byte with DLAB */
    UART_IDENTIFICATION = 2,   /* of the interrupt, when read */
    UART_FIFO_CONTROL = 2,     /* when written */
    UART_LINE_CONTROL = 3,
    UART_MODEM_CONTROL = 4,
    UART_LINE_STATUS = 5,
    UART_MODEM_STATUS = 6,
    UART_SCRATCH = 7,
};

enum uart_bits {
    IER_RECEIVED = 1 << 0,
    IER_TRANSMIT_EMPTY = 1 << 1,
    IER_LINE_STATUS = 1 << 2,
    IER_ALL = 0xf,
    /* what the identification says, the first of them that is the case */
    IIR_LINE_STATUS = 0x06,
    IIR_RECEIVED = 0x04,
    IIR_TIMEOUT = 0x0c,
    IIR_TRANSMIT_EMPTY = 0x02,
    IIR_NONE = 0x01,
    IIR_FIFOS = 0xc0,
    FCR_ENABLE = 1 << 0,
    FCR_CLEAR_RECEIVE = 1 << 1,
    FCR_CLEAR_TRANSMIT = 1 << 2,
    FCR_TRIGGER_SHIFT = 6,
    FCR_KEPT = 0xc9,
    LCR_8_BITS = 3,
    LCR_DIVISOR = 1 << 7, /* DLAB */
    MCR_DTR = 1 << 0,
    MCR_RTS = 1 << 1,
    MCR_OUT1 = 1 << 2,
    MCR_OUT2 = 1 << 3, /* lets the interrupt out */
    MCR_LOOP = 1 << 4, /* output comes back as input, and the line is cut off */
    MCR_ALL = 0x1f,
    LSR_RECEIVED = 1 << 0,
    LSR_OVERRUN = 1 << 1,
    LSR_HOLDING_EMPTY = 1 << 5,
    LSR_TRANSMITTER_EMPTY = 1 << 6,
    MSR_CTS = 1 << 4,
    MSR_DSR = 1 << 5,
    MSR_RING = 1 << 6,
    MSR_CARRIER = 1 << 7,
};
