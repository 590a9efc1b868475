/* SPDX-License-Identifier: MIT */
/*
 * The console: ports, the device, and where input goes. Filter and multiplexer are beside it.
 *
 * One lock guards everything here. The monitor and the ports' owners, which print, are called
 * without it. Each entry moves at most CONSOLE_BURSTS FIFOs of output, CONSOLE_INPUT_MAX of input.
 */
#include "debug/console.h"

#include "printf.h"
#include "string.h"

#include "core/lock.h"
#include "debug/monitor.h"

enum {
    CONSOLE_SYSTEM_BYTES = 16384,
    CONSOLE_RECORD_BYTES = 16384,
    CONSOLE_BURST_BYTES = 16,
    CONSOLE_BURSTS = 2,
    CONSOLE_INPUT_MAX = 16,
    CONSOLE_SWITCH_BYTES = 128,
    CONSOLE_LOST_ROOM = 64, /* kept free for the line that says what was lost */
    FOCUS_MONITOR = 0,
};

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

static struct {
    struct lock lock;
    const struct console_device *device;
    bool by_interrupt;
    volatile bool seized;

    struct console_mux mux;
    struct console_port *ports[CONSOLE_PORTS_MAX];
    u32 port_count;
    struct mux_speaker system;
    u64 system_lost_bytes;
    u32 writers_waiting; /* ports whose writer_waits is set */

    u32 focus; /* a port's number, or FOCUS_MONITOR */
    bool prefix_seen;
    bool requesting;        /* a program's line is coming in */
    struct byte_ring early; /* typed before the first port was opened */
    u8 early_bytes[CONSOLE_INPUT_BYTES];
    u8 system_bytes[CONSOLE_SYSTEM_BYTES];
    u8 record_bytes[CONSOLE_RECORD_BYTES];
} console = {.lock = LOCK_INIT(LOCK_CONSOLE, "console")};

static const char help_text[] =
    "candor: Ctrl-T, then: 1-9 type to that VM, v list the VMs, m monitor, h this line,"
    " Ctrl-T sends Ctrl-T\n";

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

/* Gives the device what it takes now, in a bounded number of bursts. */
static void feed_locked(void)
{
    struct console_mux *mux = &console.mux;

    if (console.device == NULL || console.seized)
        return;
    if (!console.by_interrupt) {
        feed_polled_locked();
        return;
    }
    for (u32 burst = 0; burst < CONSOLE_BURSTS; burst++) {
        report_lost_locked();
        console_mux_stage(mux, CONSOLE_BURST_BYTES);
        if (mux->staged_bytes == 0)
            continue;
        u32 taken = console.device->write(console.device->context, mux->staged, mux->staged_bytes);
        if (taken == 0)
            break;
        console_mux_taken(mux, taken);
    }
    console.device->want_room(console.device->context, console_mux_pending(mux) ||
                                                           console.writers_waiting > 0 ||
                                                           monitor_busy());
}

void console_init(const struct console_device *device)
{
    console.device = device;
    byte_ring_init(&console.early, console.early_bytes, CONSOLE_INPUT_BYTES);
    byte_ring_init(&console.system.ring, console.system_bytes, CONSOLE_SYSTEM_BYTES);
    byte_ring_init(&console.mux.records, console.record_bytes, CONSOLE_RECORD_BYTES);
    if (console.mux.count == 0 && !console_mux_add(&console.mux, &console.system))
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

static void put_system_locked(const void *text, u32 count)
{
    const u8 *bytes = text;

    if (byte_ring_room(&console.system.ring) < count + CONSOLE_LOST_ROOM) {
        console.system_lost_bytes += count;
        return;
    }
    for (u32 i = 0; i < count; i++)
        byte_ring_put(&console.system.ring, bytes[i]);
}

void console_system_write(const char *text, u32 count)
{
    if (console.device == NULL)
        return;
    lock_acquire(&console.lock);
    put_system_locked(text, count);
    feed_locked();
    lock_release(&console.lock);
}

void console_let_finish(const char *vm_name)
{
    lock_acquire(&console.lock);
    for (u32 i = 0; i < console.port_count; i++) {
        if (strcmp(console.ports[i]->speaker.name, vm_name) == 0)
            console_mux_let_finish(&console.ports[i]->speaker);
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

static void put_record_locked(const char *text, u32 count)
{
    struct byte_ring *records = &console.mux.records;

    if (byte_ring_room(records) < count + 2)
        return;
    byte_ring_put(records, MUX_RECORD);
    for (u32 i = 0; i < count; i++)
        byte_ring_put(records, (u8)text[i]);
    byte_ring_put(records, '\n');
}

void console_record_write(const char *text, u32 count)
{
    lock_acquire(&console.lock);
    put_record_locked(text, count);
    feed_locked();
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
    for (u32 i = 0; i < console.port_count; i++) {
        const struct byte_ring *ring = &console.ports[i]->speaker.ring;

        activity.guest_bytes += ring->put;
        activity.guests_pending = activity.guests_pending || byte_ring_used(ring) > 0;
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

/* ---- ports ---- */

/* For the program that reads the marks. */
static void name_port_locked(const struct console_port *port)
{
    char text[CONSOLE_SWITCH_BYTES];
    int length = snprintf(text, sizeof(text), "{\"place\":%u,\"name\":\"%s\"}", port->speaker.place,
                          port->speaker.name);

    put_record_locked(text, (u32)length);
}

int console_port_open(struct console_port *port, const char *name, bool coloured,
                      void (*notify)(void *owner, enum console_event event), void *owner)
{
    int number = -1;

    lock_acquire(&console.lock);
    *port = (struct console_port){.notify = notify, .owner = owner, .open = true};
    strlcpy(port->speaker.name, name, sizeof(port->speaker.name));
    port->speaker.coloured = coloured;
    byte_ring_init(&port->speaker.ring, port->output_bytes, CONSOLE_OUTPUT_BYTES);
    byte_ring_init(&port->input, port->input_bytes, CONSOLE_INPUT_BYTES);
    if (console.port_count < CONSOLE_PORTS_MAX && console_mux_add(&console.mux, &port->speaker)) {
        console.ports[console.port_count++] = port;
        port->number = console.port_count;
        number = (int)port->number;
        console.mux.names_shown = console.port_count > 1;
        if (console.port_count == 1)
            console.focus = port->number;
        if (console.mux.marks_shown)
            name_port_locked(port);
    }
    lock_release(&console.lock);
    return number;
}

void console_port_restart(struct console_port *port)
{
    struct byte_ring *ring = &port->speaker.ring;

    lock_acquire(&console.lock);
    port->filter = (struct console_filter){.state = FILTER_TEXT};
    bool unfinished = byte_ring_used(ring) > 0
                          ? ring->bytes[(ring->put - 1) & (ring->size - 1)] != '\n'
                          : port->speaker.line_bytes > 0;
    if (unfinished && byte_ring_room(ring) > 0)
        byte_ring_put(ring, '\n');
    feed_locked();
    lock_release(&console.lock);
}

void console_port_close(struct console_port *port)
{
    u32 next = 0;

    lock_acquire(&console.lock);
    port->open = false;
    for (u32 step = 1; console.focus == port->number && next == 0 && step < console.port_count;
         step++) {
        u32 candidate = (port->number - 1 + step) % console.port_count;
        if (console.ports[candidate]->open)
            next = candidate + 1;
    }
    lock_release(&console.lock);
    if (next != 0 && !console_switch(next))
        console_system_write(no_such_vm_text, sizeof(no_such_vm_text) - 1);
}

/* The focus goes to a port, or to FOCUS_MONITOR. */
static void focus_locked(u32 number)
{
    if (console.focus != FOCUS_MONITOR && console.focus <= console.port_count) {
        struct console_port *port = console.ports[console.focus - 1];

        port->lines_seen = port->speaker.lines_ended;
    }
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
            put_system_locked(port->speaker.name, (u32)strlen(port->speaker.name));
            put_system_locked("| ", 2);
        }
        put_system_locked(lines + line, i + 1 - line);
        line = i + 1;
    }
}

static void switch_locked(struct console_port *port)
{
    u32 missed = console.focus == port->number ? 0 : port->speaker.lines_ended - port->lines_seen;
    char line[CONSOLE_SWITCH_BYTES];

    focus_locked(port->number);
    snprintf(line, sizeof(line), "candor: input goes to %s\n", port->speaker.name);
    if (missed > 0 && console.mux.lines_ended - port->speaker.last_line_at < CONSOLE_NEAR_LINES)
        missed = 0;
    if (missed > 0)
        snprintf(line, sizeof(line),
                 "candor: input goes to %s; it has said %u line%s meanwhile%s\n",
                 port->speaker.name, missed, missed == 1 ? "" : "s",
                 missed > CONSOLE_MISSED_LINES ? ", the last:" : ":");
    put_system_locked(line, (u32)strlen(line));
    show_missed_locked(port, missed);
    console_mux_show_again(&port->speaker);
    feed_locked();
}

bool console_switch(u32 number)
{
    lock_acquire(&console.lock);
    bool open = number >= 1 && number <= console.port_count && console.ports[number - 1]->open;
    if (open)
        switch_locked(console.ports[number - 1]);
    lock_release(&console.lock);
    return open;
}

u32 console_port_by_name(const char *name)
{
    u32 number = 0;

    lock_acquire(&console.lock);
    for (u32 i = 0; i < console.port_count; i++) {
        if (strcmp(console.ports[i]->speaker.name, name) == 0)
            number = i + 1;
    }
    lock_release(&console.lock);
    return number;
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
    feed_locked();
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

bool console_guest_readable(struct console_port *port)
{
    lock_acquire(&console.lock);
    bool readable = byte_ring_used(&port->input) > 0;
    lock_release(&console.lock);
    return readable;
}

/* ---- input ---- */

/* A byte for whoever has the focus. What a port's ring has no room for is lost: the prefix must
 * always work. */
static enum input_action route_locked(u8 byte, struct console_port **port)
{
    if (console.port_count == 0) {
        if (byte_ring_room(&console.early) > 0)
            byte_ring_put(&console.early, byte);
        return INPUT_NONE;
    }
    if (console.focus == FOCUS_MONITOR)
        return INPUT_MONITOR;
    if (console.focus > console.port_count)
        return INPUT_NONE;
    *port = console.ports[console.focus - 1];
    if (!(*port)->open || byte_ring_room(&(*port)->input) == 0)
        return INPUT_NONE;
    byte_ring_put(&(*port)->input, byte);
    return INPUT_NOTIFY;
}

static enum input_action prefix_key_locked(u8 byte, struct console_port **port)
{
    switch (byte) {
    case CONSOLE_KEY_PREFIX:
        return route_locked(byte, port);
    case 'm':
        focus_locked(FOCUS_MONITOR);
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
    if (console.port_count > 0 && byte_ring_used(&console.early) > 0)
        return byte_ring_take(&console.early);
    return console.device->read(console.device->context);
}

/* Takes one byte of input; false when there is none. */
static bool take_input(void)
{
    struct console_port *port = NULL;
    enum input_action action = INPUT_NONE;

    lock_acquire(&console.lock);
    int byte = next_byte_locked();
    if (byte >= 0)
        action = input_byte_locked((u8)byte, &port);
    lock_release(&console.lock);
    if (byte < 0)
        return false;
    act_on_input(action, (u8)byte, port);
    return true;
}

/* Tells the writers that were cut short and have room again. */
static void notify_writers(void)
{
    if (READ_ONCE(console.writers_waiting) == 0)
        return;
    for (u32 i = 0; i < console.port_count; i++) {
        struct console_port *port = console.ports[i];

        lock_acquire(&console.lock);
        bool tell = port->writer_waits &&
                    byte_ring_room(&port->speaker.ring) >= CONSOLE_OUTPUT_BYTES / 2;
        if (tell) {
            port->writer_waits = false;
            console.writers_waiting--;
        }
        lock_release(&console.lock);
        if (tell)
            port->notify(port->owner, CONSOLE_EVENT_ROOM);
    }
}

void console_interrupt(void)
{
    for (u32 taken = 0; taken < CONSOLE_INPUT_MAX && take_input(); taken++)
        ;
    monitor_continue();
    lock_acquire(&console.lock);
    feed_locked();
    lock_release(&console.lock);
    notify_writers();
}
