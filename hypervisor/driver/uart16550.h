/* SPDX-License-Identifier: MIT */
/*
 * A 16550-compatible UART (NS16550A data sheet): FIFOs on, input and output by interrupt. The line
 * settings (rate, parity) stay what the machine set. Callers serialize (the console's lock).
 */
#pragma once

#include "types.h"

struct uart16550 {
    uintptr_t base;
    u32 shift;      /* log2 of the distance between registers */
    u32 io_width;   /* bytes of one access: 1 or 4 */
    u8 interrupts;  /* what IER holds */
    int early_byte; /* received before the FIFOs were switched on; -1: none */
};

/* Takes the device over: FIFOs on, what was received so far kept, receive interrupt on, transmit
 * interrupt off. */
void uart16550_init(struct uart16550 *uart, uintptr_t base, u32 shift, u32 io_width);

/* One received byte, or -1. */
int uart16550_read(struct uart16550 *uart);

/* If the transmit FIFO is empty, puts up to its size into it and returns how many; else 0. */
u32 uart16550_write(struct uart16550 *uart, const u8 *bytes, u32 count);

/* Turns the interrupt "transmit FIFO is empty" on or off. */
void uart16550_want_room(struct uart16550 *uart, bool wanted);

/* Waits for room; gives up on a device that never has any. For panic and start-up. */
void uart16550_write_polled(struct uart16550 *uart, u8 byte);
