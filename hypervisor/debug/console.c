/* SPDX-License-Identifier: MIT */
/*
 * The console: the device, and where input goes. Ports, filter and multiplexer are beside it.
 *
 * One lock guards everything here. The monitor and the ports' owners, which print, are called
 * without it. Each entry moves at most CONSOLE_BURSTS FIFOs of output, CONSOLE_INPUT_MAX of input.
 */
#include "debug/console.h"

#include "printf.h"
#include "string.h"

#include "debug/console_state.h"
#include "debug/monitor.h"

/* What is to be done after the lock has been released. */
enum input_action {
    INPUT_NONE,
    INPUT_NOTIFY,
    INPUT_MONITOR, /* a byte for the monitor */
    INPUT_ENTER_MONITOR,
    INPUT_LIST_VMS,
    INPUT_SWITCH,
    INPUT_HELP,
    INPUT_REQUEST, /* a byte of a program's line */
};

struct console_state console = {.lock = LOCK_INIT(LOCK_CONSOLE, "console")};

static const char help_text[] =
    "candor: Ctrl-T, then: 1-9 type to that VM, f give it the screen, v list the VMs, m monitor,"
    " h this line, Ctrl-T sends Ctrl-T\n";

static const char system_mark[] = "\0360\n"; /* MUX_RECORD: Candor speaks */

static const char no_such_vm_text[] = "candor: there is no such VM, or it has ended\n";

/* ---- output ---- */

static void feed_polled_locked(void)
{
    while (console_mux_pending(&console.mux)) {
        console_mux_stage(&console.mux, CONSOLE_BURST_BYTES);
        for (u32 i = 0; i < console.mux.staged_bytes; i++)
            console.device->write_polled(console.device->context, console.mux.staged[i]);
        console_mux_taken(&console.mux, console.mux.staged_bytes);
    }
}

static void report_lost_locked(void)
{
    char line[CONSOLE_LOST_ROOM];

    if (console.system_lost_bytes == 0 ||
        byte_ring_room(&console.system.ring) < CONSOLE_SYSTEM_BYTES / 2)
        return;
    int length = snprintf(line, sizeof(line), "candor: %lu bytes of messages were lost\n",
                          console.system_lost_bytes);
    console.system_lost_bytes = 0;
    for (int i = 0; i < length; i++)
        byte_ring_put(&console.system.ring, (u8)line[i]);
}

/* Gives the device what it takes now, in so many bursts at most. True if it took something. */
static bool feed_locked(u32 bursts)
{
    struct console_mux *mux = &console.mux;
    bool any = false;

    if (console.device == NULL || console.seized || console.gathering)
        return false;
    if (!console.by_interrupt) {
        feed_polled_locked();
        return false;
    }
    for (u32 burst = 0; burst < bursts; burst++) {
        report_lost_locked();
        console_mux_stage(mux, CONSOLE_BURST_BYTES);
        if (mux->staged_bytes == 0)
            continue;
        u32 taken = console.device->write(console.device->context, mux->staged, mux->staged_bytes);
        if (taken == 0)
            break;
        console_mux_taken(mux, taken);
        any = true;
    }
    console.device->want_room(console.device->context, console_mux_pending(mux) ||
                                                           console.writers_waiting > 0 ||
                                                           monitor_busy());
    return any;
}

void console_feed_locked(void)
{
    (void)feed_locked(CONSOLE_BURSTS);
}

void console_feed(void)
{
    lock_acquire(&console.lock);
    console_feed_locked();
    lock_release(&console.lock);
}

void console_init(const struct console_device *device)
{
    console.device = device;
    byte_ring_init(&console.early, console.early_bytes, CONSOLE_INPUT_BYTES);
    byte_ring_init(&console.system.ring, console.system_bytes, CONSOLE_SYSTEM_BYTES);
    byte_ring_init(&console.mux.records, console.record_bytes, CONSOLE_RECORD_BYTES);
    if (console.mux.count == 0 && !console_mux_add(&console.mux, &console.system, MUX_SYSTEM))
        return;
    strlcpy(console.system.name, "candor", sizeof(console.system.name));
}

void console_start_interrupts(void)
{
    console_system_write(help_text, sizeof(help_text) - 1);
    lock_acquire(&console.lock);
    console.by_interrupt = true;
    lock_release(&console.lock);
}

void console_put_system_locked(const void *text, u32 count)
{
    if (byte_ring_room(&console.system.ring) < count + CONSOLE_LOST_ROOM) {
        console.system_lost_bytes += count;
        return;
    }
    byte_ring_put_all(&console.system.ring, text, count);
    if (count > 0)
        console.system_line_open = ((const char *)text)[count - 1] != '\n';
}

void console_system_write(const char *text, u32 count)
{
    if (console.device == NULL)
        return;
    lock_acquire(&console.lock);
    console_put_system_locked(text, count);
    console_feed_locked();
    lock_release(&console.lock);
}

void console_system_line(const char *text, u32 count)
{
    if (console.device == NULL)
        return;
    lock_acquire(&console.lock);
    if (console.system_line_open) {
        console_put_system_locked("\n", 1);
        console.system_line_cut = true;
    }
    console_put_system_locked(text, count);
    console_feed_locked();
    lock_release(&console.lock);
}

bool console_line_is_cut(void)
{
    return READ_ONCE(console.system_line_cut);
}

void console_line_begins(void)
{
    lock_acquire(&console.lock);
    console.system_line_cut = false;
    lock_release(&console.lock);
}

void console_let_finish(const char *vm_name)
{
    lock_acquire(&console.lock);
    for (u32 i = 1; i <= console.port_count; i++) {
        struct console_port *port = console_port_locked(i);

        if (port != NULL && strcmp(port->speaker.name, vm_name) == 0)
            console_mux_let_finish(&port->speaker);
    }
    lock_release(&console.lock);
}

u32 console_system_room(void)
{
    lock_acquire(&console.lock);
    u32 room = byte_ring_room(&console.system.ring);
    lock_release(&console.lock);
    return room > CONSOLE_LOST_ROOM ? room - CONSOLE_LOST_ROOM : 0;
}

void console_show_marks(void)
{
    lock_acquire(&console.lock);
    console.mux.marks_shown = true;
    lock_release(&console.lock);
}

void console_put_record_locked(const char *text, u32 count)
{
    struct byte_ring *records = &console.mux.records;

    if (byte_ring_room(records) < count + 2)
        return;
    byte_ring_put(records, MUX_RECORD);
    byte_ring_put_all(records, text, count);
    byte_ring_put(records, '\n');
}

void console_record_write(const char *text, u32 count)
{
    lock_acquire(&console.lock);
    console_put_record_locked(text, count);
    console_feed_locked();
    lock_release(&console.lock);
}

u32 console_record_room(void)
{
    lock_acquire(&console.lock);
    u32 room = byte_ring_room(&console.mux.records);
    lock_release(&console.lock);
    return room;
}

struct console_activity console_activity(void)
{
    struct console_activity activity = {.guests_pending = false};

    lock_acquire(&console.lock);
    activity.system_bytes = console.system.ring.put;
    activity.guest_bytes = console.gone_bytes;
    for (u32 i = 1; i <= console.port_count; i++) {
        const struct console_port *port = console_port_locked(i);

        if (port == NULL)
            continue;
        activity.guest_bytes += port->speaker.ring.put;
        activity.guests_pending = activity.guests_pending ||
                                  byte_ring_used(&port->speaker.ring) > 0;
    }
    lock_release(&console.lock);
    return activity;
}

void console_drain(void)
{
    lock_acquire(&console.lock);
    if (console.device != NULL && !console.seized)
        feed_polled_locked();
    lock_release(&console.lock);
}

void console_seize(void)
{
    console.seized = true;
    console.by_interrupt = false;
    if (console.device == NULL)
        return;
    for (u32 i = 0; i < console.mux.staged_bytes; i++)
        console.device->write_polled(console.device->context, console.mux.staged[i]);
    console.mux.staged_bytes = 0;
    if (console.mux.marks_shown)
        console_seized_write(system_mark, sizeof(system_mark) - 1);
    if (console.mux.owner != NULL && console.mux.owner != &console.system)
        console_seized_write("\n", 1);
    while (byte_ring_used(&console.system.ring) > 0) {
        char byte = (char)byte_ring_take(&console.system.ring);
        console_seized_write(&byte, 1);
    }
}

void console_seized_write(const char *text, u32 count)
{
    if (console.device == NULL)
        return;
    for (u32 i = 0; i < count; i++) {
        if (text[i] == '\n')
            console.device->write_polled(console.device->context, '\r');
        console.device->write_polled(console.device->context, (u8)text[i]);
    }
}

/* ---- input ---- */

/* A byte for whoever has the focus. What a port's ring has no room for is lost: the prefix must
 * always work. */
static enum input_action route_locked(u8 byte, struct console_port **port)
{
    if (console.focus == FOCUS_MONITOR)
        return INPUT_MONITOR;
    if (!console.any_port) {
        if (byte_ring_room(&console.early) > 0)
            byte_ring_put(&console.early, byte);
        return INPUT_NONE;
    }
    *port = console_port_locked(console.focus);
    if (*port == NULL || !(*port)->open || byte_ring_room(&(*port)->input) == 0)
        return INPUT_NONE;
    byte_ring_put(&(*port)->input, byte);
    return INPUT_NOTIFY;
}

static enum input_action prefix_key_locked(u8 byte, struct console_port **port)
{
    if (byte != CONSOLE_KEY_REQUEST)
        console_take_screen_locked();
    switch (byte) {
    case CONSOLE_KEY_PREFIX:
        return route_locked(byte, port);
    case 'f':
        console_give_screen_locked();
        return INPUT_NONE;
    case 'm':
        console_focus_locked(FOCUS_MONITOR);
        return INPUT_ENTER_MONITOR;
    case CONSOLE_KEY_REQUEST:
        console.requesting = true;
        return INPUT_NONE;
    case 'v':
        return INPUT_LIST_VMS;
    default:
        return byte >= '1' && byte <= '9' ? INPUT_SWITCH : INPUT_HELP;
    }
}

static enum input_action input_byte_locked(u8 byte, struct console_port **port)
{
    if (console.requesting) {
        console.requesting = byte != '\n';
        return INPUT_REQUEST;
    }
    if (console.prefix_seen) {
        console.prefix_seen = false;
        return prefix_key_locked(byte, port);
    }
    if (byte == CONSOLE_KEY_PREFIX) {
        console.prefix_seen = true;
        return INPUT_NONE;
    }
    return route_locked(byte, port);
}

static void act_on_input(enum input_action action, u8 byte, struct console_port *port)
{
    switch (action) {
    case INPUT_NOTIFY:
        port->notify(port->owner, CONSOLE_EVENT_INPUT);
        break;
    case INPUT_MONITOR:
        monitor_input(byte);
        break;
    case INPUT_ENTER_MONITOR:
        monitor_enter();
        break;
    case INPUT_REQUEST:
        monitor_request(byte);
        break;
    case INPUT_LIST_VMS:
        monitor_run("vms");
        break;
    case INPUT_SWITCH:
        if (console_switch(byte - (u32)'0'))
            monitor_leave();
        else
            console_system_write(no_such_vm_text, sizeof(no_such_vm_text) - 1);
        break;
    case INPUT_HELP:
        console_system_write(help_text, sizeof(help_text) - 1);
        break;
    case INPUT_NONE:
        break;
    }
}

static int next_byte_locked(void)
{
    if (console.seized)
        return -1;
    if (console.any_port && byte_ring_used(&console.early) > 0)
        return byte_ring_take(&console.early);
    return console.device->read(console.device->context);
}

/* Whether acting on this is so little that more input can be taken in the same interrupt. */
static bool is_little(enum input_action action, u8 byte)
{
    return action == INPUT_NONE || action == INPUT_NOTIFY ||
           (action == INPUT_MONITOR && byte != '\r' && byte != '\n') ||
           (action == INPUT_REQUEST && byte != '\n');
}

enum taken { TAKEN_NONE, TAKEN_LITTLE, TAKEN_MUCH };

/* Takes one byte of input. */
static enum taken take_input(void)
{
    struct console_port *port = NULL;
    enum input_action action = INPUT_NONE;

    lock_acquire(&console.lock);
    int byte = next_byte_locked();
    if (byte >= 0)
        action = input_byte_locked((u8)byte, &port);
    lock_release(&console.lock);
    if (byte < 0)
        return TAKEN_NONE;
    act_on_input(action, (u8)byte, port);
    return is_little(action, (u8)byte) ? TAKEN_LITTLE : TAKEN_MUCH;
}

static void set_gathering(bool gathering)
{
    lock_acquire(&console.lock);
    console.gathering = gathering;
    lock_release(&console.lock);
}

/* What is much comes alone: one input that starts or switches something, or else one step of the
 * monitor; and less output with it. */
void *console_interrupt(void)
{
    enum taken taken = TAKEN_LITTLE;
    const struct console_port *port = NULL;
    bool much;

    set_gathering(true);
    for (u32 i = 0; i < CONSOLE_INPUT_MAX && taken == TAKEN_LITTLE; i++)
        taken = take_input();
    much = taken == TAKEN_MUCH || monitor_continue();
    set_gathering(false);
    lock_acquire(&console.lock);
    if (feed_locked(much ? 1 : CONSOLE_BURSTS) && !much)
        port = console_port_locked(console.mux.staged_place);
    lock_release(&console.lock);
    console_notify_writers();
    return port != NULL ? port->owner : NULL;
}
