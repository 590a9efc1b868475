/* SPDX-License-Identifier: MIT */
/*
 * The console's ports: they come and go with their VMs; the focus; what guests write and read.
 */
#include "printf.h"
#include "string.h"

#include "debug/console_state.h"

/* ---- ports ---- */

/* For the program that reads the marks. */
static void name_port_locked(const struct console_port *port)
{
    char text[CONSOLE_SWITCH_BYTES];
    int length = snprintf(text, sizeof(text), "{\"place\":%u,\"name\":\"%s\"}", port->speaker.place,
                          port->speaker.name);

    console_put_record_locked(text, (u32)length);
}

struct console_port *console_port_locked(u32 number)
{
    return number >= 1 && number <= console.port_count ? console.ports[number - 1] : NULL;
}

/* Whoever types gets a port if he has none, and is not at the monitor. */
static void take_focus_locked(const struct console_port *port)
{
    const struct console_port *now = console_port_locked(console.focus);

    if (console.focus != FOCUS_MONITOR && (now == NULL || !now->open))
        console.focus = port->number;
}

bool console_port_open(struct console_port *port, u32 number, const char *name, bool coloured,
                       void (*notify)(void *owner, enum console_event event), void *owner)
{
    bool opened = false;

    lock_acquire(&console.lock);
    *port = (struct console_port){.number = number, .notify = notify, .owner = owner, .open = true};
    strlcpy(port->speaker.name, name, sizeof(port->speaker.name));
    port->speaker.coloured = coloured;
    byte_ring_init(&port->speaker.ring, port->output_bytes, CONSOLE_OUTPUT_BYTES);
    byte_ring_init(&port->input, port->input_bytes, CONSOLE_INPUT_BYTES);
    if (console_mux_add(&console.mux, &port->speaker, number)) {
        opened = true;
        console.ports[number - 1] = port;
        console.port_count = max(console.port_count, number);
        console.any_port = true;
        console.mux.names_shown = console.mux.names_shown || console.port_count > 1;
        take_focus_locked(port);
        if (console.mux.marks_shown)
            name_port_locked(port);
    }
    lock_release(&console.lock);
    return opened;
}

void console_port_reopen(struct console_port *port)
{
    console_port_restart(port);
    lock_acquire(&console.lock);
    port->open = true;
    port->input.taken = port->input.put;
    take_focus_locked(port);
    lock_release(&console.lock);
}

bool console_port_finish(struct console_port *port)
{
    bool shown, owner;

    lock_acquire(&console.lock);
    shown = byte_ring_used(&port->speaker.ring) == 0;
    owner = console.mux.owner == &port->speaker;
    if (shown && owner)
        byte_ring_put(&port->speaker.ring, '\n');
    console_feed_locked();
    lock_release(&console.lock);
    return shown && !owner;
}

void console_port_remove(struct console_port *port)
{
    lock_acquire(&console.lock);
    console.gone_bytes += port->speaker.ring.put;
    if (port->writer_waits)
        console.writers_waiting--;
    if (console.focus == port->number)
        console.focus = FOCUS_NOBODY;
    console.ports[port->number - 1] = NULL;
    while (console.port_count > 0 && console.ports[console.port_count - 1] == NULL)
        console.port_count--;
    console_mux_remove(&console.mux, &port->speaker);
    lock_release(&console.lock);
}

void console_port_restart(struct console_port *port)
{
    struct byte_ring *ring = &port->speaker.ring;

    lock_acquire(&console.lock);
    if (console.mux.screen == &port->speaker)
        console_take_screen_locked();
    port->filter = (struct console_filter){.state = FILTER_TEXT};
    bool unfinished = byte_ring_used(ring) > 0
                          ? ring->bytes[(ring->put - 1) & (ring->size - 1)] != '\n'
                          : port->speaker.line_bytes > 0;
    if (unfinished && byte_ring_room(ring) > 0)
        byte_ring_put(ring, '\n');
    console_feed_locked();
    lock_release(&console.lock);
}

void console_give_screen_locked(void)
{
    struct console_port *port = console_port_locked(console.focus);
    char line[CONSOLE_SWITCH_BYTES];

    if (port == NULL || !port->open)
        return;
    snprintf(line, sizeof(line), "candor: %s has the screen until Ctrl-T and a key are typed\n",
             port->speaker.name);
    console_put_system_locked(line, (u32)strlen(line));
    port->filter = (struct console_filter){.has_screen = true};
    console_mux_give_screen(&console.mux, &port->speaker);
}

void console_take_screen_locked(void)
{
    for (u32 i = 1; i <= console.port_count; i++) {
        struct console_port *port = console_port_locked(i);

        if (port != NULL && console.mux.screen == &port->speaker) {
            port->filter = (struct console_filter){.state = FILTER_TEXT};
            console_mux_give_screen(&console.mux, NULL);
        }
    }
}

void console_focus_locked(u32 number)
{
    struct console_port *port = console_port_locked(console.focus);

    console_take_screen_locked();
    if (port != NULL)
        port->lines_seen = port->speaker.lines_ended;
    console.focus = number;
}

/* The lines that a port has ended since it lost the focus: the last ones again, in Candor's turn,
 * so that no other line comes between. */
static void show_missed_locked(const struct console_port *port, u32 missed)
{
    u8 lines[MUX_HISTORY_BYTES];
    u32 bytes = console_mux_history(&port->speaker, min(missed, (u32)CONSOLE_MISSED_LINES), lines);
    u32 line = 0; /* where the next one begins */

    for (u32 i = 0; i < bytes; i++) {
        if (lines[i] != '\n')
            continue;
        if (console.mux.names_shown) {
            console_put_system_locked(port->speaker.name, (u32)strlen(port->speaker.name));
            console_put_system_locked("| ", 2);
        }
        console_put_system_locked(lines + line, i + 1 - line);
        line = i + 1;
    }
}

static void switch_locked(struct console_port *port)
{
    u32 missed = console.focus == port->number ? 0 : port->speaker.lines_ended - port->lines_seen;
    char line[CONSOLE_SWITCH_BYTES];

    console_focus_locked(port->number);
    snprintf(line, sizeof(line), "candor: input goes to %s\n", port->speaker.name);
    if (missed > 0 && console.mux.lines_ended - port->speaker.last_line_at < CONSOLE_NEAR_LINES)
        missed = 0;
    if (missed > 0)
        snprintf(line, sizeof(line),
                 "candor: input goes to %s; it has said %u line%s meanwhile%s\n",
                 port->speaker.name, missed, missed == 1 ? "" : "s",
                 missed > CONSOLE_MISSED_LINES ? ", the last:" : ":");
    console_put_system_locked(line, (u32)strlen(line));
    show_missed_locked(port, missed);
    console_mux_show_again(&port->speaker);
    console_feed_locked();
}

void console_port_close(struct console_port *port)
{
    u32 next = 0;

    lock_acquire(&console.lock);
    if (console.mux.screen == &port->speaker)
        console_take_screen_locked();
    port->open = false;
    for (u32 step = 1; console.focus == port->number && next == 0 && step < console.port_count;
         step++) {
        u32 candidate = (port->number - 1 + step) % console.port_count + 1;
        const struct console_port *other = console_port_locked(candidate);

        if (other != NULL && other->open)
            next = candidate;
    }
    if (next != 0)
        switch_locked(console_port_locked(next));
    lock_release(&console.lock);
}

bool console_switch(u32 number)
{
    lock_acquire(&console.lock);
    struct console_port *port = console_port_locked(number);
    bool open = port != NULL && port->open;
    if (open)
        switch_locked(port);
    lock_release(&console.lock);
    return open;
}

/* Once for each VM: whoever types should know why he does not see what is drawn. */
static void tell_of_screen_locked(struct console_port *port)
{
    char line[CONSOLE_SWITCH_BYTES];

    port->told_of_screen = true;
    snprintf(line, sizeof(line),
             "candor: %s draws on a screen, and has lines: Ctrl-T f gives it the screen\n",
             port->speaker.name);
    console_put_system_locked(line, (u32)strlen(line));
}

u64 console_guest_write(struct console_port *port, const char *bytes, u64 count)
{
    u64 taken;

    lock_acquire(&console.lock);
    count = min(count, (u64)CONSOLE_OUTPUT_BYTES);
    for (taken = 0; taken < count; taken++) {
        u8 shown[CONSOLE_FILTER_OUTPUT_MAX];

        if (byte_ring_room(&port->speaker.ring) < CONSOLE_FILTER_OUTPUT_MAX)
            break;
        u32 shown_count = console_filter_byte(&port->filter, (u8)bytes[taken], shown);
        for (u32 i = 0; i < shown_count; i++)
            byte_ring_put(&port->speaker.ring, shown[i]);
    }
    if (taken < count && !port->writer_waits) {
        port->writer_waits = true;
        console.writers_waiting++;
    }
    if (port->filter.wants_screen && !port->told_of_screen && console.focus == port->number)
        tell_of_screen_locked(port);
    console_feed_locked();
    lock_release(&console.lock);
    return taken;
}

u64 console_guest_read(struct console_port *port, char *bytes, u64 size)
{
    u64 given;

    lock_acquire(&console.lock);
    for (given = 0; given < size && byte_ring_used(&port->input) > 0; given++)
        bytes[given] = (char)byte_ring_take(&port->input);
    lock_release(&console.lock);
    return given;
}

bool console_guest_writes(struct console_port *port)
{
    lock_acquire(&console.lock);
    bool writes = byte_ring_used(&port->speaker.ring) > 0;
    lock_release(&console.lock);
    return writes;
}

bool console_guest_readable(struct console_port *port)
{
    lock_acquire(&console.lock);
    bool readable = byte_ring_used(&port->input) > 0;
    lock_release(&console.lock);
    return readable;
}

/* The next writer that waits and has room, in turns; NULL: none has. Only the console's hart takes
 * ports away, and this is it. */
static struct console_port *next_writer(void)
{
    struct console_port *found = NULL;

    lock_acquire(&console.lock);
    for (u32 step = 0; step < console.port_count && found == NULL; step++) {
        struct console_port *port = console_port_locked(console.writer_turn++ % console.port_count +
                                                        1);

        if (port == NULL || !port->writer_waits ||
            byte_ring_room(&port->speaker.ring) < CONSOLE_OUTPUT_BYTES / 2)
            continue;
        port->writer_waits = false;
        console.writers_waiting--;
        found = port;
    }
    lock_release(&console.lock);
    return found;
}

void console_notify_writers(void)
{
    struct console_port *port;

    if (READ_ONCE(console.writers_waiting) == 0)
        return;
    for (u32 i = 0; i < CONSOLE_NOTIFIED_MAX && (port = next_writer()) != NULL; i++)
        port->notify(port->owner, CONSOLE_EVENT_ROOM);
}
