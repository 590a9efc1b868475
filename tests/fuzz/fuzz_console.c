/* SPDX-License-Identifier: MIT */
/*
 * The console: three VMs write, somebody types, Candor speaks, the transmitter is ready or not.
 * However they interleave, every line on the terminal starts with its speaker's name, holds nothing
 * of another VM's, and no cursor gets behind the name. The same bytes are typed into a line editor.
 * Once a VM has had the screen, only that counts what a terminal is told to do.
 */
#include <stdio.h>
#include <stdlib.h>

#include "console_below.h"
#include "debug/line_editor.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    PORTS = 3,
    NAME_BYTES = 5, /* "vm1| " */
    INTERRUPTS_MAX = 100000,
};

/* ---- the terminal ---- */

/* The line on it, as far as it has come. */
static struct {
    char start[NAME_BYTES + 1];
    u32 bytes;  /* of the line, up to the length of a name */
    u32 column; /* of the cursor */
} line;

/* Somebody has had the screen: there are no lines to speak of any more. */
static bool was_screen;

/* Of an escape sequence, how far it has come; 0: there is none. */
static u32 sequence_bytes;

static struct console_port ports[PORTS];

static void __attribute__((noreturn)) broken(const char *what)
{
    fprintf(stderr, "difference: %s, in a line of \"%s\"\n", what, line.start);
    abort();
}

static void line_begins(void)
{
    line.bytes = 0;
    line.column = 0;
    line.start[0] = '\0';
}

/* A byte of a line that a VM owns, behind its name. */
static void check_text(u8 byte)
{
    if (byte >= 'A' && byte <= 'Z' && byte - 'A' != line.start[2] - '1')
        broken("another VM's letter");
    if (byte == '\b') {
        if (line.column <= NAME_BYTES)
            broken("the name can be written over");
        line.column--;
    } else if (byte < 0x80 || byte >= 0xc0) {
        line.column++;
    }
}

/* On a screen: text, and sequences that are harmless. */
static void check_screen(u8 byte)
{
    if (sequence_bytes == 0 && byte >= ' ')
        return;
    if (sequence_bytes == 0) {
        sequence_bytes = byte == 0x1b;
        if (sequence_bytes == 0 && strchr("\n\r\t\b", byte) == NULL)
            broken("a control character on the screen");
        return;
    }
    if (++sequence_bytes == 2 ? byte != '[' : strchr("0123456789:;ABCDGHJKLMPSTX@dm", byte) == NULL)
        broken("a sequence that does other things");
    if (sequence_bytes > 2 && byte >= '@')
        sequence_bytes = 0;
    else if (sequence_bytes >= CONSOLE_SEQUENCE_MAX)
        broken("a sequence without an end");
}

void fake_show(u8 byte)
{
    was_screen = was_screen || console.mux.screen != NULL;
    if (was_screen) {
        check_screen(byte);
        return;
    }
    if (byte == '\n' || byte == '\r') {
        line_begins();
        return;
    }
    if (byte < ' ' && byte != '\t' && byte != '\b')
        broken("a control character");
    if (line.bytes < NAME_BYTES) {
        line.start[line.bytes++] = (char)byte;
        line.start[line.bytes] = '\0';
        line.column++;
        if (line.bytes == NAME_BYTES && strncmp(line.start, "cando", NAME_BYTES) != 0 &&
            (strncmp(line.start, "vm", 2) != 0 || strncmp(line.start + 3, "| ", 2) != 0))
            broken("no speaker's name");
        return;
    }
    if (line.start[0] == 'v')
        check_text(byte);
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
    memset(&line, 0, sizeof(line));
    was_screen = false;
    sequence_bytes = 0;
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
