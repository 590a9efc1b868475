/* SPDX-License-Identifier: MIT */
/*
 * The console for tests of it: the code itself, on a device and beside a monitor that are fakes.
 * For one source file of a program.
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

#include "debug/console.c"
#include "debug/console_filter.c"
#include "debug/console_mux.c"
#include "debug/console_port.c"

/* ---- fakes ---- */

enum { SCREEN_BYTES = 1 << 20, FIFO_BYTES = 16 };

static struct {
    char screen[SCREEN_BYTES];
    u32 screen_bytes;
    const char *typed;
    u32 typed_bytes;
    bool stuck;  /* the transmitter takes nothing */
    bool wanted; /* its interrupt is on */
    char monitor[128];
    u32 monitor_bytes;
    u32 monitor_entered;
    u32 monitor_left;
    char requested[128];
    u32 requested_bytes;
    const char *monitor_ran;
    u32 inputs[CONSOLE_PORTS_MAX + 1], rooms[CONSOLE_PORTS_MAX + 1];
} fake;

static int fake_read(void *context)
{
    (void)context;
    if (fake.typed_bytes == 0)
        return -1;
    fake.typed_bytes--;
    return (u8)*fake.typed++;
}

static void fake_write_polled(void *context, u8 byte)
{
    (void)context;
    assert_true(fake.screen_bytes < SCREEN_BYTES - 1);
    fake.screen[fake.screen_bytes++] = (char)byte;
    fake.screen[fake.screen_bytes] = '\0';
}

static u32 fake_write(void *context, const u8 *bytes, u32 count)
{
    if (fake.stuck)
        return 0;
    count = min(count, (u32)FIFO_BYTES);
    for (u32 i = 0; i < count; i++)
        fake_write_polled(context, bytes[i]);
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
    assert_int_equal(lock->taken, 0);
    lock->taken = 1;
}

void lock_release(struct lock *lock)
{
    assert_int_equal(lock->taken, 1);
    lock->taken = 0;
}

void monitor_enter(void)
{
    fake.monitor_entered++;
}

void monitor_leave(void)
{
    fake.monitor_left++;
}

void monitor_request(u8 byte)
{
    fake.requested[fake.requested_bytes++] = (char)byte;
}

void monitor_input(u8 byte)
{
    fake.monitor[fake.monitor_bytes++] = (char)byte;
}

void monitor_run(const char *command)
{
    fake.monitor_ran = command;
}

bool monitor_busy(void)
{
    return false;
}

void monitor_continue(void)
{
}

static struct console_port ports[CONSOLE_PORTS_MAX + 1];

static void notify(void *owner, enum console_event event)
{
    u32 index = (u32)((struct console_port *)owner - ports);

    assert_int_equal(console.lock.taken, 0);
    if (event == CONSOLE_EVENT_INPUT)
        fake.inputs[index]++;
    else
        fake.rooms[index]++;
}

/* A console with that many ports, vm1 ..., its start-up lines forgotten. */
static void start_console(u32 port_count, bool coloured)
{
    memset(&console, 0, sizeof(console));
    memset(&fake, 0, sizeof(fake));
    console_init(&fake_device);
    for (u32 i = 0; i < port_count; i++) {
        char name[MUX_NAME_BYTES];

        snprintf(name, sizeof(name), "vm%u", i + 1);
        assert_true(console_port_open(&ports[i], i + 1, name, coloured, notify, &ports[i]));
    }
    console_start_interrupts();
    fake.screen_bytes = 0;
    fake.screen[0] = '\0';
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
    fake.typed = text;
    fake.typed_bytes = (u32)strlen(text);
    while (fake.typed_bytes > 0)
        console_interrupt();
    drain();
}
