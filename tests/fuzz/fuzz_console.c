/* SPDX-License-Identifier: MIT */
/*
 * The console: three VMs write, somebody types, Candor speaks, the transmitter is ready or not.
 * However they interleave, every line on the terminal starts with its speaker's name, holds nothing
 * of another VM's, and no cursor gets behind the name. The same bytes are typed into a line editor.
 */
#include <stdio.h>
#include <stdlib.h>

#include "debug/console.c"
#include "debug/console_filter.c"
#include "debug/console_mux.c"
#include "debug/console_port.c"
#include "debug/line_editor.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    PORTS = 3,
    FIFO_BYTES = 16,
    NAME_BYTES = 5, /* "vm1| " */
    INTERRUPTS_MAX = 100000,
};

/* ---- fakes ---- */

static struct {
    const u8 *typed;
    size_t typed_bytes;
    bool stuck, wanted;
    /* the line on the terminal, as far as it has come */
    char start[NAME_BYTES + 1];
    u32 bytes;     /* of the line, up to the length of a name */
    u32 column;    /* of the cursor */
    bool returned; /* the last byte was a carriage return */
} fake;

static struct console_port ports[PORTS];

static void __attribute__((noreturn)) broken(const char *what)
{
    fprintf(stderr, "difference: %s, in a line of \"%s\"\n", what, fake.start);
    abort();
}

static void line_begins(void)
{
    fake.bytes = 0;
    fake.column = 0;
    fake.start[0] = '\0';
}

/* A byte of a line that a VM owns, behind its name. */
static void check_text(u8 byte)
{
    if (byte >= 'A' && byte <= 'Z' && byte - 'A' != fake.start[2] - '1')
        broken("another VM's letter");
    if (byte == '\b') {
        if (fake.column <= NAME_BYTES)
            broken("the name can be written over");
        fake.column--;
    } else if (byte < 0x80 || byte >= 0xc0) {
        fake.column++;
    }
}

static void show(u8 byte)
{
    bool after_return = fake.returned;

    fake.returned = byte == '\r';
    if (byte == '\n' || byte == '\r') {
        line_begins();
        return;
    }
    if (byte < ' ' && byte != '\t' && byte != '\b')
        broken("a control character");
    (void)after_return;
    if (fake.bytes < NAME_BYTES) {
        fake.start[fake.bytes++] = (char)byte;
        fake.start[fake.bytes] = '\0';
        fake.column++;
        if (fake.bytes == NAME_BYTES && strncmp(fake.start, "cando", NAME_BYTES) != 0 &&
            (strncmp(fake.start, "vm", 2) != 0 || strncmp(fake.start + 3, "| ", 2) != 0))
            broken("no speaker's name");
        return;
    }
    if (fake.start[0] == 'v')
        check_text(byte);
}

static int fake_read(void *context)
{
    (void)context;
    if (fake.typed_bytes == 0)
        return -1;
    fake.typed_bytes--;
    return *fake.typed++;
}

static void fake_write_polled(void *context, u8 byte)
{
    (void)context;
    show(byte);
}

static u32 fake_write(void *context, const u8 *bytes, u32 count)
{
    (void)context;
    if (fake.stuck)
        return 0;
    count = min(count, (u32)FIFO_BYTES);
    for (u32 i = 0; i < count; i++)
        show(bytes[i]);
    return count;
}

static void fake_want_room(void *context, bool wanted)
{
    (void)context;
    fake.wanted = wanted;
}

static const struct console_device fake_device = {
    .read = fake_read,
    .write = fake_write,
    .want_room = fake_want_room,
    .write_polled = fake_write_polled,
};

void lock_acquire(struct lock *lock)
{
    if (lock->taken)
        abort();
    lock->taken = 1;
}

void lock_release(struct lock *lock)
{
    if (!lock->taken)
        abort();
    lock->taken = 0;
}

void monitor_enter(void)
{
}

void monitor_leave(void)
{
}

void monitor_request(u8 byte)
{
    (void)byte;
}

void monitor_input(u8 byte)
{
    (void)byte;
}

void monitor_run(const char *command)
{
    (void)command;
}

bool monitor_busy(void)
{
    return false;
}

void monitor_continue(void)
{
}

static void notify(void *owner, enum console_event event)
{
    (void)owner;
    (void)event;
}

/* ---- what happens ---- */

/* Letters tell who wrote them; everything else is the input's. */
static void guest_writes(u32 port, const u8 *data, u32 bytes)
{
    char text[256];

    for (u32 i = 0; i < bytes; i++)
        text[i] = (char)(data[i] >= 'A' && data[i] <= 'Z' ? 'A' + (u8)port : data[i]);
    if (console_guest_write(&ports[port], text, bytes) > bytes)
        abort();
}

static void type(const u8 *data, u32 bytes)
{
    static struct line_editor editor;
    char echo[LINE_EDITOR_ECHO_BYTES];

    fake.typed = data;
    fake.typed_bytes = bytes;
    for (u32 i = 0; i < bytes; i++) {
        u32 shown = 0;

        if (line_editor_byte(&editor, data[i], echo, &shown) != LINE_EDITING)
            line_editor_reset(&editor);
        if (shown > LINE_EDITOR_ECHO_BYTES || editor.used >= LINE_EDITOR_BYTES)
            abort();
    }
    for (u32 i = 0; fake.typed_bytes > 0; i++) {
        if (i == INTERRUPTS_MAX)
            abort();
        console_interrupt();
    }
}

static void drain(void)
{
    for (u32 i = 0; fake.wanted && !fake.stuck; i++) {
        if (i == INTERRUPTS_MAX)
            broken("the console does not come to an end");
        console_interrupt();
    }
}

/* One order of the input; returns how many bytes it took. */
static size_t obey(const u8 *data, size_t bytes)
{
    static const char news[] = "candor: news\n";
    u32 more = (u32)min(bytes - 1, (size_t)(data[0] >> 3) * 4);
    char read[64];

    switch (data[0] & 7) {
    case 0:
    case 1:
    case 2:
        guest_writes(data[0] & 7, data + 1, more);
        return 1 + more;
    case 3:
        type(data + 1, more);
        return 1 + more;
    case 4:
        console_interrupt();
        return 1;
    case 5:
        fake.stuck = (data[0] & 8) != 0;
        return 1;
    case 6:
        console_system_write(news, sizeof(news) - 1);
        return 1;
    default:
        (void)console_guest_read(&ports[data[0] / 8 % PORTS], read, sizeof(read));
        (void)console_switch(data[0] / 8 % (PORTS + 2));
        return 1;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    static const char *const names[PORTS] = {"vm1", "vm2", "vm3"};

    memset(&console, 0, sizeof(console));
    memset(&fake, 0, sizeof(fake));
    memset(ports, 0, sizeof(ports));
    console_init(&fake_device);
    for (u32 i = 0; i < PORTS; i++) {
        if (!console_port_open(&ports[i], i + 1, names[i], false, notify, &ports[i]))
            abort();
    }
    console_start_interrupts();
    for (size_t at = 0; at < bytes;)
        at += obey(data + at, bytes - at);
    fake.stuck = false;
    drain();
    return 0;
}
