/* SPDX-License-Identifier: MIT */
/*
 * The block device's surroundings: see blk_driver.h.
 */
#include "blk_driver.h"

#include "candor_abi.h"
#include "check.h"

struct vblk blk;
u8 blk_ram[BLK_RAM_BYTES], blk_disk[SECTORS * 512];
u16 blk_available, blk_descriptor;
u32 blk_line_changes, blk_flushes;
bool blk_slow;

/* ---- the machine around */

static struct blk_place place;

static bool memory_read(void *context, u64 gpa, void *to, u32 bytes)
{
    (void)context;
    assert_true(bytes > 0 && bytes <= VDEV_COPY_BYTES);
    if (gpa < BLK_RAM_BASE || gpa - BLK_RAM_BASE > BLK_RAM_BYTES ||
        BLK_RAM_BYTES - (gpa - BLK_RAM_BASE) < bytes)
        return false;
    memcpy(to, place.ram + (gpa - BLK_RAM_BASE), bytes);
    return true;
}

static bool memory_write(void *context, u64 gpa, const void *from, u32 bytes)
{
    (void)context;
    assert_true(bytes > 0 && bytes <= VDEV_COPY_BYTES);
    if (gpa < BLK_RAM_BASE || gpa - BLK_RAM_BASE > BLK_RAM_BYTES ||
        BLK_RAM_BYTES - (gpa - BLK_RAM_BASE) < bytes)
        return false;
    memcpy(place.ram + (gpa - BLK_RAM_BASE), from, bytes);
    return true;
}

/* One transfer at a time: it is over when it is looked at, unless the medium is slow. */
static bool going_on, went_well;

static bool media_begin(void *context, u32 operation, u64 sector, u32 sectors)
{
    u64 bytes = (u64)sectors * 512;

    (void)context;
    assert_false(going_on);
    assert_true(sector + sectors <= SECTORS || operation == DISK_OPERATION_FLUSH);
    assert_true(sectors <= VBLK_BUFFER_SECTORS);
    assert_int_equal(sectors == 0, operation == DISK_OPERATION_FLUSH);
    going_on = true;
    blk_flushes += operation == DISK_OPERATION_FLUSH;
    went_well = BAD_SECTOR < sector || BAD_SECTOR >= sector + sectors;
    if (operation == DISK_OPERATION_READ)
        memcpy(blk.buffer, blk_disk + sector * 512, bytes);
    else if (went_well)
        memcpy(blk_disk + sector * 512, blk.buffer, bytes);
    return true;
}

static bool media_over(void *context, bool *good)
{
    (void)context;
    assert_true(going_on);
    going_on = blk_slow;
    *good = went_well;
    return !blk_slow;
}

static void line_set(void *context, u32 number, bool level)
{
    (void)context;
    (void)number;
    (void)level;
    blk_line_changes++;
}

static u32 register_get(u64 offset)
{
    u64 value;

    assert_true(vblk_ops.read(&blk, offset, 4, &value));
    return (u32)value;
}

static void register_put(u64 offset, u32 value)
{
    assert_true(vblk_ops.write(&blk, offset, 4, value));
}

static bool serve(void)
{
    bool more = blk.more;

    if (more)
        (void)vblk_serve(&blk);
    return more;
}

static const struct blk_place own_place = {blk_ram, register_get, register_put, serve};

/* ---- a driver */

void blk_use(const struct blk_place *where)
{
    place = *where;
}

u32 blk_get(u64 offset)
{
    return place.get(offset);
}

void blk_put(u64 offset, u32 value)
{
    place.put(offset, value);
}

void blk_put_long(u64 low, u64 value)
{
    blk_put(low, (u32)value);
    blk_put(low + 4, (u32)(value >> 32));
}

void blk_poke(u64 gpa, u64 value, u32 bytes)
{
    assert_true(memory_write(NULL, gpa, &value, bytes));
}

u64 blk_peek(u64 gpa, u32 bytes)
{
    u64 value = 0;

    assert_true(memory_read(NULL, gpa, &value, bytes));
    return value;
}

void blk_set_up(u32 size, u64 descriptors, u64 driver, u64 device)
{
    blk_put(REG_STATUS, 0);
    blk_put(REG_STATUS, 3);
    blk_put(0x24, 1);
    blk_put(0x20, 1); /* VERSION_1 */
    blk_put(REG_STATUS, 0xb);
    assert_int_equal(blk_get(REG_STATUS), 0xb);
    blk_put(0x38, size);
    blk_put_long(0x80, descriptors);
    blk_put_long(0x90, driver);
    blk_put_long(0xa0, device);
    blk_put(REG_READY, 1);
    blk_put(REG_STATUS, RUNNING);
    blk_available = blk_descriptor = 0;
}

int blk_start(void **state)
{
    static const struct vblk_media media = {.begin = media_begin, .over = media_over};
    static u8 buffer[VBLK_BUFFER_SECTORS * VBLK_SECTOR_BYTES];

    (void)state;
    blk_use(&own_place);
    memset(&blk, 0, sizeof(blk));
    memset(blk_ram, UNTOUCHED, sizeof(blk_ram));
    memset(blk_ram + (AVAILABLE - BLK_RAM_BASE), 0, 0x2000);
    for (u32 i = 0; i < sizeof(blk_disk); i++)
        blk_disk[i] = (u8)(i / 512 + i * 7);
    blk.media = &media;
    blk.buffer = buffer;
    blk_slow = going_on = false;
    blk_flushes = 0;
    blk.memory = (struct vdev_memory){.read = memory_read, .write = memory_write};
    blk.line.set = line_set;
    blk.capacity = SECTORS;
    memcpy(blk.id, "candor-disk", 12);
    vblk_reset(&blk);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
    blk_line_changes = 0;
    return 0;
}

void blk_describe(u64 gpa, u32 bytes, u32 flags)
{
    u64 at = DESCRIPTORS + (u64)blk_descriptor * 16;

    blk_poke(at, gpa, 8);
    blk_poke(at + 8, bytes, 4);
    blk_poke(at + 12, flags, 2);
    blk_poke(at + 14, ++blk_descriptor % QUEUE, 2);
    blk_descriptor %= QUEUE;
}

void blk_write_header(u32 type, u64 sector)
{
    blk_poke(HEADER, type, 4);
    blk_poke(HEADER + 4, 0, 4);
    blk_poke(HEADER + 8, sector, 8);
    blk_poke(STATUS, UNTOUCHED, 1);
}

void blk_offer(u32 head)
{
    blk_poke(AVAILABLE + 4 + blk_available % QUEUE * 2, head, 2);
    blk_poke(AVAILABLE + 2, ++blk_available, 2);
}

void blk_kick(void)
{
    blk_put(REG_NOTIFY, 0);
    for (u32 i = 0; place.serve(); i++)
        assert_true(i < 1000);
}

u32 blk_request(u32 type, u64 sector, u32 bytes, u32 direction)
{
    u32 head = blk_descriptor;

    blk_write_header(type, sector);
    blk_describe(HEADER, 16, NEXT);
    if (bytes > 0)
        blk_describe(BUFFER, bytes, direction | NEXT);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(head);
    blk_kick();
    assert_int_equal(blk_peek(USED + 2, 2), blk_available);
    assert_int_equal(blk_peek(USED + 4 + (blk_available - 1) % QUEUE * 8, 4), head);
    return (u32)blk_peek(STATUS, 1);
}

u32 blk_used_bytes(void)
{
    return (u32)blk_peek(USED + 8 + (blk_available - 1) % QUEUE * 8, 4);
}
