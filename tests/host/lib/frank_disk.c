/* SPDX-License-Identifier: MIT */
/* The disk of host tests: memory, a diary, and failures by command. */
#define _GNU_SOURCE
#include "frank_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/page.h"
#include "string.h"
#include "user/mkfs/format.h"

#include "frank/errno.h"

static void note(struct frank_disk *disk, const struct block_request *request)
{
    struct frank_disk_event *event;

    if (disk->event_count == disk->event_room) {
        disk->event_room = disk->event_room * 2 + 64;
        disk->events = realloc(disk->events, disk->event_room * sizeof(*disk->events));
        assert_non_null(disk->events);
    }
    event = &disk->events[disk->event_count++];
    *event = (struct frank_disk_event){request->operation == BLOCK_FLUSH, request->block, NULL};
    if (!event->is_flush) {
        event->content = malloc(PAGE_SIZE);
        assert_non_null(event->content);
        memcpy(event->content, pa_to_kva(request->page), PAGE_SIZE);
    }
}

static void submit(struct block_device *device, struct block_request *request)
{
    struct frank_disk *disk = (struct frank_disk *)device;
    u8 *content = disk->content + (u64)request->block * PAGE_SIZE;

    assert_true(request->operation == BLOCK_FLUSH || request->block < device->block_count);
    if (disk->operations_left == 0) {
        request->done(request, -EIO);
        return;
    }
    if (disk->operations_left > 0)
        disk->operations_left--;
    if (request->operation == BLOCK_READ) {
        memcpy(pa_to_kva(request->page), content, PAGE_SIZE);
        disk->reads++;
    } else {
        if (disk->keeps_diary)
            note(disk, request);
        if (request->operation == BLOCK_WRITE)
            memcpy(content, pa_to_kva(request->page), PAGE_SIZE);
    }
    request->done(request, 0);
}

static void create_empty(struct frank_disk *disk, u32 block_count)
{
    *disk = (struct frank_disk){
        .device = {.name = "disk", .block_count = block_count, .submit = submit},
        .content = calloc(block_count, PAGE_SIZE),
        .operations_left = -1,
    };
    assert_non_null(disk->content);
}

void frank_disk_create(struct frank_disk *disk, u32 block_count)
{
    struct format_plan plan = {.block_count = block_count};
    int descriptor = memfd_create("disk", 0);

    create_empty(disk, block_count);
    assert_true(descriptor >= 0);
    assert_int_equal(ftruncate(descriptor, (off_t)block_count * PAGE_SIZE), 0);
    assert_int_equal(format_disk(descriptor, &plan), 0);
    assert_int_equal(pread(descriptor, disk->content, (size_t)block_count * PAGE_SIZE, 0),
                     (size_t)block_count * PAGE_SIZE);
    close(descriptor);
}

void frank_disk_begin_diary(struct frank_disk *disk)
{
    for (u32 i = 0; i < disk->event_count; i++)
        free(disk->events[i].content);
    disk->event_count = 0;
    disk->keeps_diary = true;
}

void frank_disk_destroy(struct frank_disk *disk)
{
    frank_disk_begin_diary(disk);
    free(disk->events);
    free(disk->content);
}

void frank_disk_stop(const struct frank_disk *disk, const u8 *start, u32 count, bool (*keeps)(void),
                     struct frank_disk *copy)
{
    u32 flushed = count;

    create_empty(copy, disk->device.block_count);
    memcpy(copy->content, start, (size_t)disk->device.block_count * PAGE_SIZE);
    while (flushed > 0 && !disk->events[flushed - 1].is_flush)
        flushed--;
    for (u32 i = 0; i < count; i++) {
        const struct frank_disk_event *event = &disk->events[i];

        if (!event->is_flush && (i < flushed || keeps()))
            memcpy(copy->content + (u64)event->block * PAGE_SIZE, event->content, PAGE_SIZE);
    }
}
