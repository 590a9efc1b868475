/* SPDX-License-Identifier: MIT */
/*
 * The serial port of the machine `virt`: a 16550A (National Semiconductor PC16550D data sheet,
 * section 8) with both FIFOs, the divisor latch, loopback, and all its interrupts but those of the
 * modem, whose inputs never change.
 *
 * Time does not exist for it: a byte leaves as soon as its port takes it, and input below the
 * trigger level is at once "waiting since four characters' time". Registers are bytes; a wider
 * access reaches one register, as on QEMU.
 */
#pragma once

#include "vdev/vdev.h"

enum { VUART_BYTES = 8, VUART_FIFO_BYTES = 16 };

/* The other end of the line. */
struct vuart_port {
    /* Takes bytes, returns how many: fewer than given means that it is full, and that
     * vuart_service follows when it no longer is. */
    u32 (*write)(void *context, const u8 *bytes, u32 count);
    /* Gives up to `size` bytes that have come in. */
    u32 (*read)(void *context, u8 *bytes, u32 size);
};

struct vuart_fifo {
    u8 first, count;
    u8 bytes[VUART_FIFO_BYTES];
};

struct vuart {
    const struct vuart_port *port;
    void *port_context;
    struct vdev_line line;

    struct vuart_fifo input, output;
    u16 divisor;
    u8 interrupt_enable;
    u8 fifo_control;
    u8 line_control;
    u8 modem_control;
    u8 scratch;
    bool overrun;           /* a byte came in and found no room */
    bool transmit_reported; /* that the transmitter is empty was told, or is not to be told */
};

extern const struct vdev_ops vuart_ops;

/* As after power on: FIFOs off, no interrupts. The port and the line are kept. */
void vuart_reset(struct vuart *uart);

/* There may be input, or room for output. Cheap when there is neither. */
void vuart_service(struct vuart *uart);
