/* SPDX-License-Identifier: MIT */
/*
 * The console for unit tests of it: its terminal is a text, and its ports count what they are told.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console_below.h"

enum { SCREEN_BYTES = 1 << 20 };

static struct {
    char text[SCREEN_BYTES];
    u32 bytes;
} screen;

static u32 inputs[CONSOLE_PORTS_MAX + 1], rooms[CONSOLE_PORTS_MAX + 1];

void fake_show(u8 byte)
{
    assert_true(screen.bytes < SCREEN_BYTES - 1);
    screen.text[screen.bytes++] = (char)byte;
    screen.text[screen.bytes] = '\0';
}

static struct console_port ports[CONSOLE_PORTS_MAX + 1];

static void notify(void *owner, enum console_event event)
{
    u32 index = (u32)((struct console_port *)owner - ports);

    assert_int_equal(console.lock.taken, 0);
    if (event == CONSOLE_EVENT_INPUT)
        inputs[index]++;
    else
        rooms[index]++;
}

/* A console with that many ports, vm1 ..., its start-up lines forgotten. */
static void start_console(u32 port_count, bool coloured)
{
    memset(&console, 0, sizeof(console));
    memset(&fake, 0, sizeof(fake));
    memset(inputs, 0, sizeof(inputs));
    memset(rooms, 0, sizeof(rooms));
    console_init(&fake_device);
    for (u32 i = 0; i < port_count; i++) {
        char name[MUX_NAME_BYTES];

        snprintf(name, sizeof(name), "vm%u", i + 1);
        assert_true(console_port_open(&ports[i], i + 1, name, coloured, notify, &ports[i]));
    }
    console_start_interrupts();
    screen.bytes = 0;
    screen.text[0] = '\0';
}

static void guest_says(u32 index, const char *text)
{
    assert_int_equal(console_guest_write(&ports[index], text, strlen(text)), strlen(text));
}

/* Interrupts as long as the device wants one. */
static void drain(void)
{
    for (u32 i = 0; fake.wanted; i++) {
        assert_true(i < 100000);
        console_interrupt();
    }
}

static void type(const char *text)
{
    fake.typed = (const u8 *)text;
    fake.typed_bytes = strlen(text);
    while (fake.typed_bytes > 0)
        console_interrupt();
    drain();
}
