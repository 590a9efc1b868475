/* SPDX-License-Identifier: MIT */
/*
 * What the console's parts share: console.c (the device, input), console_port.c (ports and focus).
 * For no one else. One lock guards everything here.
 */
#pragma once

#include "core/lock.h"
#include "debug/console.h"

enum {
    CONSOLE_SYSTEM_BYTES = 16384,
    CONSOLE_RECORD_BYTES = 16384,
    CONSOLE_BURST_BYTES = 16,
    CONSOLE_BURSTS = 2,
    CONSOLE_INPUT_MAX = 8,
    CONSOLE_NOTIFIED_MAX = 4, /* writers in one interrupt; more of them in the next */
    CONSOLE_SWITCH_BYTES = 128,
    CONSOLE_LOST_ROOM = 64, /* kept free for the line that says what was lost */
    FOCUS_NOBODY = 0,
    FOCUS_MONITOR = CONSOLE_PORTS_MAX + 1,
};

struct console_state {
    struct lock lock;
    const struct console_device *device;
    bool by_interrupt;
    volatile bool seized;
    bool gathering; /* output waits for the end of console_interrupt, which feeds the device */

    struct console_mux mux;
    struct console_port *ports[CONSOLE_PORTS_MAX]; /* by number - 1; NULL: none */
    u32 port_count;                                /* none has a greater number */
    bool any_port;                                 /* there has been one */
    struct mux_speaker system;
    bool system_line_open; /* what was last put there did not end a line */
    bool system_line_cut;  /* ... and a line of Candor's came then: console_line_was_cut */
    u64 system_lost_bytes;
    u64 gone_bytes;      /* that were written to ports that are gone */
    u32 writers_waiting; /* ports whose writer_waits is set */
    u32 writer_turn;     /* which of them is looked at next */

    u32 focus; /* a port's number, FOCUS_MONITOR, or FOCUS_NOBODY */
    bool prefix_seen;
    bool requesting;        /* a program's line is coming in */
    struct byte_ring early; /* typed before the first port was opened */
    u8 early_bytes[CONSOLE_INPUT_BYTES];
    u8 system_bytes[CONSOLE_SYSTEM_BYTES];
    u8 record_bytes[CONSOLE_RECORD_BYTES];
};

extern struct console_state console;

/* In console.c: Candor's text into its ring, whole or not at all; a record likewise; and what there
 * is to the device, as far as it takes it now. */
void console_put_system_locked(const void *text, u32 count);
void console_put_record_locked(const char *text, u32 count);
void console_feed_locked(void);

/* In console_port.c: the port of that number, or NULL; the focus goes to a number; who has the
 * focus gets the screen; whoever has it gives it back; tells writers that were cut short and have
 * room again. */
struct console_port *console_port_locked(u32 number);
void console_focus_locked(u32 number);
void console_give_screen_locked(void);
void console_take_screen_locked(void);
void console_notify_writers(void);
