/* SPDX-License-Identifier: MIT */
/*
 * A guest's devices on their bus, its memory and its disk, under whatever a guest can do: accesses
 * of any size anywhere, rings filled with anything, while the world outside types, stops reading
 * and lets time pass. No access leaves the guest's memory or its disk, work stays bounded, and what
 * each line says agrees with what is at its two ends.
 *
 * The input is cut into records of 8 bytes; the first byte of all says whether a queue is set up
 * already.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candor_abi.h"
#include "endian.h"
#include "vdev/vblk.h"
#include "vdev/vfinisher.h"
#include "vdev/vplic.h"
#include "vdev/vuart.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    RECORD_BYTES = 8,
    RAM_BASE = 0x80000000,
    RAM_BYTES = 0x4000,
    SECTORS = 16,
    BAD_SECTOR = 11,
    WORSE_SECTOR = 5, /* a transfer cannot even begin there */
    BLK_SOURCE = 1,
    UART_SOURCE = 10,
    FINISHER_BASE = 0x100000,
    PLIC_BASE = 0xc000000,
    UART_BASE = 0x10000000,
    BLK_BASE = 0x10001000,
    DESCRIPTORS = RAM_BASE,
    AVAILABLE = RAM_BASE + 0x400,
    USED = RAM_BASE + 0x800,
    HEADER = RAM_BASE + 0x1000,
    STATUS = RAM_BASE + 0x1010,
    BUFFER = RAM_BASE + 0x1200,
    WRITABLE = 2,
    NEXT = 1,
    ACCESSES_MAX = 400, /* of memory, by one call of the block device */
    SERVES_MAX = 100000,
};

static struct {
    struct vdev_bus bus;
    struct vfinisher finisher;
    struct vplic plic;
    struct vuart uart;
    struct vblk blk;
    u8 ram[RAM_BYTES];
    u8 disk[SECTORS * VBLK_SECTOR_BYTES];
    u8 buffer[VBLK_BUFFER_SECTORS * VBLK_SECTOR_BYTES];
    bool going_on, went_well; /* a transfer of the medium */
    u32 looks;
    u32 accesses, transfers;
    u32 room, typed;
    bool external;
} machine;

static void __attribute__((noreturn)) broken(const char *what)
{
    fprintf(stderr, "difference: %s\n", what);
    abort();
}

/* ---- the world around */

static u8 *memory_at(u64 gpa, u32 bytes)
{
    machine.accesses++;
    if (bytes == 0 || bytes > VDEV_COPY_BYTES)
        broken("a copy of a size that none has");
    if (gpa < RAM_BASE || gpa - RAM_BASE > RAM_BYTES || RAM_BYTES - (gpa - RAM_BASE) < bytes)
        return NULL;
    return machine.ram + (gpa - RAM_BASE);
}

static bool memory_read(void *context, u64 gpa, void *to, u32 bytes)
{
    const u8 *at = memory_at(gpa, bytes);

    (void)context;
    if (at != NULL)
        memcpy(to, at, bytes);
    return at != NULL;
}

static bool memory_write(void *context, u64 gpa, const void *from, u32 bytes)
{
    u8 *at = memory_at(gpa, bytes);

    (void)context;
    if (at != NULL)
        memcpy(at, from, bytes);
    return at != NULL;
}

static u8 *disk_at(u64 sector)
{
    if (sector >= SECTORS)
        broken("a sector behind the end of the disk");
    return machine.disk + sector * VBLK_SECTOR_BYTES;
}

static bool media_begin(void *context, u32 operation, u64 sector, u32 sectors)
{
    (void)context;
    if (machine.going_on)
        broken("two transfers at a time");
    if (operation == DISK_OPERATION_WRITE && machine.blk.read_only)
        broken("a write to a disk that is only read");
    if ((sectors == 0) != (operation == DISK_OPERATION_FLUSH) || sectors > VBLK_BUFFER_SECTORS)
        broken("a transfer of that many sectors");
    machine.transfers++;
    machine.went_well = true;
    for (u32 i = 0; i < sectors; i++) {
        u8 *bytes = machine.buffer + (u64)i * VBLK_SECTOR_BYTES;

        if (operation == DISK_OPERATION_WRITE)
            memcpy(disk_at(sector + i), bytes, VBLK_SECTOR_BYTES);
        else
            memcpy(bytes, disk_at(sector + i), VBLK_SECTOR_BYTES);
        machine.went_well = machine.went_well && sector + i != BAD_SECTOR;
    }
    machine.going_on = sector != WORSE_SECTOR;
    return machine.going_on;
}

/* It takes a while. */
static bool media_over(void *context, bool *good)
{
    (void)context;
    if (!machine.going_on)
        broken("nothing was begun");
    machine.going_on = machine.looks++ % 3 != 0;
    *good = machine.went_well;
    return !machine.going_on;
}

static u32 port_write(void *context, const u8 *bytes, u32 count)
{
    u32 taken = min(count, machine.room);

    (void)context;
    (void)bytes;
    if (count == 0 || count > VUART_FIFO_BYTES)
        broken("more bytes than the transmitter holds");
    machine.room -= taken;
    return taken;
}

static u32 port_read(void *context, u8 *bytes, u32 size)
{
    u32 given = min(size, machine.typed);

    (void)context;
    if (size == 0 || size > VUART_FIFO_BYTES)
        broken("more bytes asked for than the receiver holds");
    memset(bytes, 'x', given);
    machine.typed -= given;
    return given;
}

static void set_external(void *context, u32 number, bool level)
{
    (void)context;
    (void)number;
    if (machine.external == level)
        broken("a line's change that is none");
    machine.external = level;
}

static void finish(void *context, enum vfinisher_order order, u32 status)
{
    (void)context;
    if (order > VFINISHER_RESET || (status != 0 && order != VFINISHER_FAIL))
        broken("an order that there is not");
}

static void start(bool read_only)
{
    static const struct vuart_port port = {.write = port_write, .read = port_read};
    static const struct vblk_media media = {.begin = media_begin, .over = media_over};

    memset(&machine, 0, sizeof(machine));
    machine.finisher.finish = finish;
    machine.plic.harts = 1;
    machine.plic.outputs[0].set = set_external;
    machine.uart.port = &port;
    machine.uart.line = (struct vdev_line){vplic_line, &machine.plic, UART_SOURCE, false};
    machine.blk.media = &media;
    machine.blk.buffer = machine.buffer;
    machine.blk.memory = (struct vdev_memory){.read = memory_read, .write = memory_write};
    machine.blk.line = (struct vdev_line){vplic_line, &machine.plic, BLK_SOURCE, false};
    machine.blk.capacity = SECTORS;
    machine.blk.read_only = read_only;
    vplic_reset(&machine.plic);
    vuart_reset(&machine.uart);
    vblk_reset(&machine.blk);
    if (!vdev_bus_add(&machine.bus, FINISHER_BASE, VFINISHER_BYTES, &vfinisher_ops,
                      &machine.finisher) ||
        !vdev_bus_add(&machine.bus, PLIC_BASE, VPLIC_BYTES, &vplic_ops, &machine.plic) ||
        !vdev_bus_add(&machine.bus, UART_BASE, VUART_BYTES, &vuart_ops, &machine.uart) ||
        !vdev_bus_add(&machine.bus, BLK_BASE, VBLK_BYTES, &vblk_ops, &machine.blk))
        broken("a bus without room");
}

static void set_up_queue(void)
{
    static const u32 writes[][2] = {{0x70, 0xb},  {0x38, 8}, {0x80, DESCRIPTORS}, {0x90, AVAILABLE},
                                    {0xa0, USED}, {0x44, 1}, {0x70, 0xf}};

    for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
        if (!vdev_bus_write(&machine.bus, BLK_BASE + writes[i][0], 4, writes[i][1]))
            broken("a register of the block device cannot be written");
}

/* ---- what must hold */

static bool line_of(u32 source)
{
    return (machine.plic.lines[source / 32] >> source % 32 & 1) != 0;
}

static void check(void)
{
    if (machine.accesses > ACCESSES_MAX || machine.transfers > VBLK_STEPS)
        broken("more work in one call than there may be");
    if (machine.uart.input.count > VUART_FIFO_BYTES || machine.uart.output.count > VUART_FIFO_BYTES)
        broken("more in a queue of the serial port than it holds");
    if (machine.external != machine.plic.outputs[0].level ||
        line_of(UART_SOURCE) != machine.uart.line.level ||
        line_of(BLK_SOURCE) != machine.blk.line.level ||
        machine.blk.line.level != (machine.blk.interrupt_status != 0))
        broken("the two ends of a line differ");
    if ((machine.plic.enabled[VPLIC_CONTEXT_S][0] & 1) != 0 || (machine.plic.lines[0] & 1) != 0)
        broken("source 0 is there");
    machine.accesses = machine.transfers = 0;
}

/* ---- what a guest does */

/* An address in or near a device: mostly where registers are. */
static u64 pick_address(const u8 *record)
{
    static const u64 bases[] = {BLK_BASE, BLK_BASE, UART_BASE, PLIC_BASE, FINISHER_BASE};
    static const u64 plic_parts[] = {0, 0x1000, 0x2000, 0x2080, 0x200000, 0x201000};
    u64 base = bases[record[1] % ARRAY_SIZE(bases)];
    u64 offset = load_le16(record + 2);

    if (base == PLIC_BASE && (record[1] & 0x80) == 0)
        return base + plic_parts[record[2] % ARRAY_SIZE(plic_parts)] + record[3] % 32 * 4;
    if (base == PLIC_BASE)
        return base + offset * 256;
    if ((record[1] & 0x80) != 0)
        return base + offset;
    return base + (base == UART_BASE ? offset % VUART_BYTES : offset % 48 * 4);
}

static void access(const u8 *record, bool write)
{
    u32 bytes = (record[0] & 0x40) != 0 ? record[0] >> 3 & 15 : 1U << (record[1] >> 5 & 3);
    u64 address = pick_address(record), value = load_le32(record + 4);

    if (address >= BLK_BASE && address < BLK_BASE + 0x100 && (record[1] & 0x80) == 0)
        bytes = 4;
    if (bytes == 8)
        value |= value << 32;
    if (write)
        for (u32 i = 0; i < (address == UART_BASE ? 1 + record[7] % 32 : 1); i++)
            (void)vdev_bus_write(&machine.bus, address, bytes, value);
    else if (vdev_bus_read(&machine.bus, address, bytes, &value) && bytes < 8 &&
             value >> bytes * 8 != 0)
        broken("a value is wider than its access");
}

static void put_le(u64 gpa, u64 value, u32 bytes)
{
    for (u32 i = 0; i < bytes; i++, value >>= 8)
        machine.ram[gpa - RAM_BASE + i] = (u8)value;
}

static void describe(u32 number, u64 gpa, u32 length, u32 flags)
{
    u64 at = DESCRIPTORS + (u64)number * 16;

    put_le(at, gpa, 8);
    put_le(at + 8, length, 4);
    put_le(at + 12, flags, 2);
    put_le(at + 14, number + 1, 2);
}

/* A request as a driver would write it, which may ask for too much; or one descriptor of such a one
 * becomes another. */
static void write_request(const u8 *record)
{
    static const u32 types[] = {0, 1, 4, 8, 0, 1, 0, 1};
    u32 type = (record[1] & 0x40) != 0 ? record[2] : types[record[2] & 7];
    u32 length = (record[3] & (record[4] < 32 ? 0x3f : 3)) * 512 +
                 (record[3] > 0xf0 ? record[4] : 0);

    if (record[1] >= 0xe0) {
        describe(record[1] & 7, HEADER + record[4] * 16, record[3], record[5] & 7);
        put_le(DESCRIPTORS + (record[1] & 7) * 16 + 14, record[6] % 9, 2);
        return;
    }
    put_le(HEADER, type, 4);
    put_le(HEADER + 8, record[5] % (SECTORS + 4), 8);
    describe(0, HEADER, 16, NEXT);
    describe(1, BUFFER, length, NEXT | (type == 1 ? 0 : WRITABLE));
    describe(2, STATUS, 1, WRITABLE);
}

static void offer(const u8 *record)
{
    u8 *ring = machine.ram + (AVAILABLE - RAM_BASE);

    ring[4 + ring[2] % 8 * 2] = record[1] >= 0xe0 ? record[1] % 9 : 0;
    ring[5 + ring[2] % 8 * 2] = 0;
    ring[3] += (u8)(ring[2] == 0xff);
    ring[2]++;
    (void)vdev_bus_write(&machine.bus, BLK_BASE + 0x50, 4, 0);
}

static void obey(const u8 *record)
{
    switch (record[0] & 7) {
    case 0:
    case 1:
        access(record, true);
        break;
    case 2:
        access(record, false);
        break;
    case 3:
        write_request(record);
        break;
    case 4:
        offer(record);
        break;
    case 5:
        memcpy(machine.ram + load_le16(record + 1) % (RAM_BYTES - 5), record + 3, 5);
        break;
    case 6:
        (void)vblk_serve(&machine.blk);
        break;
    default:
        machine.room = record[1];
        machine.typed = record[2];
        vuart_service(&machine.uart);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    u8 first = bytes > 0 ? data[0] : 0;

    start((first & 2) != 0);
    if ((first & 1) != 0)
        set_up_queue();
    for (size_t at = 1; at + RECORD_BYTES <= bytes; at += RECORD_BYTES) {
        obey(data + at);
        check();
    }
    for (u32 i = 0; vblk_serve(&machine.blk) || machine.going_on; i++) {
        check();
        if (i == SERVES_MAX)
            broken("the block device never comes to an end");
    }
    return 0;
}
