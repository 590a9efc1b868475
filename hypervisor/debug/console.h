/* SPDX-License-Identifier: MIT */
/*
 * One terminal for Candor and all VMs.
 *
 * Output: each VM has a port with a ring. A guest's write goes through the filter into its own ring
 * and takes no more than fits, so a guest that floods waits for itself. The rings are drained line
 * by line, in turns, by the UART's transmit interrupt, a FIFO's worth each time; nothing is ever
 * polled on a guest's behalf. With more than one port, each line starts with its VM's name, and
 * neither carriage return nor backspace can reach it. Candor's own lines ("candor: ...", the
 * monitor) have a port too, which goes first.
 *
 * Input: what is typed goes to the focused port's ring. The key prefix Ctrl-T is Candor's: then a
 * digit switches to that VM, `m` enters the monitor, `v` lists the VMs, Ctrl-T sends itself; `f`
 * gives the VM with the focus the whole screen, for a program that draws on it, until Ctrl-T is
 * typed again, with any key: the others' output waits, Candor's own lines are shown.
 *
 * What was missed: lines of all VMs are shown as they come, so switching loses none; but other
 * lines may have come since. So a switch shows again the VM's unfinished line and, where
 * CONSOLE_NEAR_LINES of others have come since its last one, the last that it has ended since it
 * lost the focus (CONSOLE_MISSED_LINES at most, and how many there were).
 *
 * Programs: Ctrl-T and CONSOLE_KEY_REQUEST begin a line for the monitor (monitor_request), whoever
 * has the focus; the answer is records in the output (console_mux.h), which move nothing on the
 * terminal.
 *
 * Lock: one, level LOCK_CONSOLE, a leaf: nothing else is taken while it is held, and notify is
 * called without it. Any hart may call anything here; nothing blocks, every call's work is bounded.
 */
#pragma once

#include "debug/console_filter.h"
#include "debug/console_mux.h"

enum {
    CONSOLE_OUTPUT_BYTES = 4096,
    CONSOLE_INPUT_BYTES = 2048,
    CONSOLE_PORTS_MAX = MUX_SPEAKERS_MAX - 1,
    CONSOLE_KEY_PREFIX = 0x14,  /* Ctrl-T */
    CONSOLE_KEY_REQUEST = 0x02, /* after the prefix: a program's line follows */
    CONSOLE_MISSED_LINES = 5,
    CONSOLE_NEAR_LINES = 12, /* with fewer than that behind it, a line is still on the screen */
};

/* What a port's owner is told. */
enum console_event {
    CONSOLE_EVENT_INPUT, /* there is something to read */
    CONSOLE_EVENT_ROOM,  /* a port whose last write was cut short has room again (half of its ring)
                          */
};

/*
 * A VM's end of the console, embedded in the VM, which fills in nothing: console_port_open does. It
 * must stay in place until console_port_remove.
 */
struct console_port {
    u32 number; /* from 1: the digit that switches to it */
    void (*notify)(void *owner, enum console_event event);
    void *owner;

    /* below: the console's lock */
    bool open;
    bool writer_waits; /* the last write was cut short */
    struct console_filter filter;
    bool told_of_screen; /* that it could have it */
    struct mux_speaker speaker;
    u32 lines_seen; /* how many it had ended when it lost the focus */
    struct byte_ring input;
    u8 output_bytes[CONSOLE_OUTPUT_BYTES];
    u8 input_bytes[CONSOLE_INPUT_BYTES];
};

/* The device below: a UART or, in host tests, a fake. Called with the console's lock held. */
struct console_device {
    void *context;
    /* One received byte, or -1. */
    int (*read)(void *context);
    /* Offers bytes to the transmitter; returns how many it took (0 while it is busy). */
    u32 (*write)(void *context, const u8 *bytes, u32 count);
    /* Whether an interrupt is wanted when the transmitter can take bytes again; also if it could
     * already, and nothing was written since. */
    void (*want_room)(void *context, bool wanted);
    /* Waits until the byte is taken: for panic and for start-up only. */
    void (*write_polled)(void *context, u8 byte);
};

/* Starts the console on a device. Until console_start_interrupts, Candor's lines are written at
   once, polled. The device's functions and context stay the caller's and must last. */
void console_init(const struct console_device *device);

/* From now on output goes by interrupt. Announces the key prefix. */
void console_start_interrupts(void);

/*
 * Opens port `number` (from 1: the digit that switches to it). It gets the focus if whoever types
 * has no open port, and is not at the monitor. False when that number is taken or above
 * CONSOLE_PORTS_MAX. A VM that reboots keeps its port. `notify` is called in interrupt or caller's
 * context, without the console's lock; it must not write here.
 */
MUST_CHECK bool console_port_open(struct console_port *port, u32 number, const char *name,
                                  bool coloured,
                                  void (*notify)(void *owner, enum console_event event),
                                  void *owner);

/* A VM that had ended starts again: as console_port_restart, and nothing is there to be read. */
void console_port_reopen(struct console_port *port);

/* Ends the line of a port that is closed, if the terminal stands in it. True when all that was
 * written to the port has been shown: call again until then. */
MUST_CHECK bool console_port_finish(struct console_port *port);

/* Takes away a port that is closed and shown: nobody knows it any more. By the hart that serves the
 * console's interrupt, which calls owners without the lock. */
void console_port_remove(struct console_port *port);

/* The VM is about to start again: an unfinished line ends, and nothing that it wrote is carried
 * over into what its next life writes. */
void console_port_restart(struct console_port *port);

/* The VM has ended for good: what it wrote is still shown; the focus goes to the next open port. */
void console_port_close(struct console_port *port);

/* Takes bytes that a guest writes: all, or as many as fit (CONSOLE_EVENT_ROOM follows then). Never
 * blocks. */
u64 console_guest_write(struct console_port *port, const char *bytes, u64 count);

/* Gives a guest what was typed: up to `size` bytes, 0 when there is nothing. */
u64 console_guest_read(struct console_port *port, char *bytes, u64 size);
bool console_guest_readable(struct console_port *port);

/* Whether something that it wrote is yet to be shown. */
bool console_guest_writes(struct console_port *port);

/* The UART's interrupt: takes input, then feeds the transmitter once. Bounded work. Returns the
 * owner of the port that spoke last in it, for whom all of it counts: with several that speak in
 * turns, each answers for as much as it says, in the long run. NULL: no port spoke, or there was
 * more to do than that. */
void *console_interrupt(void);

/* Gives the focus to port `number` (from 1) and says so. False when there is none such or it is
 * closed. */
MUST_CHECK bool console_switch(u32 number);

/* Candor's own output, shown before the guests'. `text` need not be terminated; it is put in whole
   or, when there is no room, dropped whole, which is told later. Newlines end lines. */
void console_system_write(const char *text, u32 count);
/* The same for whole lines of Candor's, which begin their own: what stands there unfinished ends,
 * and is cut from now on, until whoever wrote it begins again. */
void console_system_line(const char *text, u32 count);
bool console_line_is_cut(void);
void console_line_begins(void);
/* What the VM of that name has written is shown before what Candor writes from now on. */
void console_let_finish(const char *vm_name);
/* Gives the device what it takes now, and asks for its interrupt if there is more to do. */
void console_feed(void);
/* How many bytes console_system_write can take now. */
u32 console_system_room(void);

/* From now on the output has marks of who says what (console_mux.h). */
void console_show_marks(void);

/* Puts a record into the output: whole, or not at all when there is no room. `text` is one line of
 * printable ASCII. */
void console_record_write(const char *text, u32 count);
u32 console_record_room(void);

/* How much has been said, ever. */
struct console_activity {
    u64 guest_bytes;
    u64 system_bytes;
    bool guests_pending; /* guests' text is not all shown yet */
};
struct console_activity console_activity(void);

/* Shows everything that was written so far, polled: before the machine is powered off in good
 * order. */
void console_drain(void);

/* Takes the console for good, without its lock: shows what Candor had still to say, then writes
   polled. What is written otherwise is lost from now on. For panic and for powering off. */
void console_seize(void);
void console_seized_write(const char *text, u32 count);
