/* SPDX-License-Identifier: MIT */
/*
 * The console itself, with fakes of what stands below and beside it: the device, the lock, the
 * monitor. For one source file of a program, which says what becomes of a byte that is shown: a
 * unit test (console_fakes.h) or a fuzzer.
 */
#pragma once

#include <stdlib.h>

#include "debug/console.c"
#include "debug/console_filter.c"
#include "debug/console_mux.c"
#include "debug/console_port.c"

enum { FIFO_BYTES = 16, FAKE_KEPT_BYTES = 128 };

/* What was given to the monitor: the first bytes, and how many in all. */
struct fake_kept {
    char text[FAKE_KEPT_BYTES];
    u32 bytes;
};

static struct {
    const u8 *typed; /* what the device receives next */
    size_t typed_bytes;
    bool stuck;  /* the transmitter takes nothing */
    bool wanted; /* its interrupt is on */
    struct fake_kept monitor, requested;
    u32 monitor_entered;
    u32 monitor_left;
    const char *monitor_ran;
} fake;

/* The terminal: defined by whoever includes this. */
void fake_show(u8 byte);

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
    fake_show(byte);
}

static u32 fake_write(void *context, const u8 *bytes, u32 count)
{
    (void)context;
    if (fake.stuck)
        return 0;
    count = min(count, (u32)FIFO_BYTES);
    for (u32 i = 0; i < count; i++)
        fake_show(bytes[i]);
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

static void fake_keep(struct fake_kept *kept, u8 byte)
{
    if (kept->bytes < FAKE_KEPT_BYTES)
        kept->text[kept->bytes] = (char)byte;
    kept->bytes++;
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
    fake_keep(&fake.requested, byte);
}

void monitor_input(u8 byte)
{
    fake_keep(&fake.monitor, byte);
}

void monitor_run(const char *command)
{
    fake.monitor_ran = command;
}

bool monitor_busy(void)
{
    return false;
}

bool monitor_continue(void)
{
    return false;
}
