/* SPDX-License-Identifier: MIT */
/*
 * A hostile driver of the disk: chains, rings and requests that no driver would make, and changes
 * while the device works. What cannot be is answered with an error or with DEVICE_NEEDS_RESET,
 * after which the device works again; nothing but what a request names is written.
 *
 * QEMU's own device takes some of it another way (buffers in devices or where nothing is, indirect
 * descriptors, sizes that are no power of two, changes of a queue in use), which is left out there.
 */
#include "bare.h"
#include "disk.h"
#include "string.h"

enum {
    SECTORS_USED = 8,
    INDIRECT = 4,
    ANSWER_NONE = 0x100,
    STATUS_OK = 0,
    STATUS_IO_ERROR = 1,
    SECTOR_ENTRIES = SECTOR_BYTES / 8,
    LONG_BYTES = 128 * SECTOR_BYTES,
    PLACE = 0x40000000,
    QUIET_TICKS = 20000, /* 2 ms */
    WAITS_MAX = 10,
    RING_PLACE = 2, /* of the entry that a request's second element is */
};

/* What came of the chain that was described: the status, STATUS_NEEDS_RESET or ANSWER_NONE. */
static u64 answer_to(u32 head)
{
    status = UNTOUCHED;
    offer(head);
    if (wait_used())
        return status;
    return disk_get(REG_STATUS) & STATUS_NEEDS_RESET ? STATUS_NEEDS_RESET : ANSWER_NONE;
}

static bool refused(u64 answer)
{
    return answer == STATUS_IO_ERROR || answer == STATUS_NEEDS_RESET;
}

/* The device, set up anew, reads and writes what it is told to. */
static u64 works_again(void)
{
    u64 wrong = 0;

    disk_start();
    for (u32 i = 0; i < SECTOR_BYTES; i++)
        buffer[i] = (u8)(i * 3 + 1);
    request_describe(TYPE_OUT, SECTORS_USED, SECTOR_BYTES);
    wrong += answer_to(0) != STATUS_OK;
    memset(buffer, 0, SECTOR_BYTES);
    request_describe(TYPE_IN, SECTORS_USED, SECTOR_BYTES);
    wrong += answer_to(0) != STATUS_OK;
    for (u32 i = 0; i < SECTOR_BYTES; i++)
        wrong += buffer[i] != (u8)(i * 3 + 1);
    return wrong;
}

static void looping_chains(void)
{
    u64 wrong = 0;

    for (u32 at = 0; at < SLOTS; at++) {
        for (u32 back = 0; back <= at; back += 3) { /* from `at` back to `back` */
            disk_start();
            request_describe(TYPE_IN, 0, SECTOR_BYTES);
            for (u32 i = 1; i <= at; i++)
                describe(i, buffer, SECTOR_BYTES, NEXT | WRITABLE);
            descriptors[at].next = (u16)back;
            wrong += answer_to(0) != STATUS_NEEDS_RESET;
            offer(0); /* and says nothing more */
            wrong += (disk_get(REG_STATUS) & STATUS_NEEDS_RESET) == 0;
        }
    }
    expect_none("a chain that loops stops the device until it is reset", wrong + works_again());
}

static void longer_than_the_ring(void)
{
    u64 wrong = 0;

    for (u32 size = 1; size <= SLOTS / 2; size *= 2) {
        disk_start_up_to();
        disk_put(REG_QUEUE_SIZE, size);
        disk_put(REG_QUEUE_READY, 1);
        disk_put(REG_STATUS, disk_get(REG_STATUS) | STATUS_DRIVER_OK);
        request_describe(TYPE_IN, 0, SECTOR_BYTES);
        for (u32 i = 1; i < size + 1; i++)
            describe(i, buffer, SECTOR_BYTES, NEXT | WRITABLE);
        wrong += answer_to(0) != STATUS_NEEDS_RESET;
    }
    for (u32 number = SLOTS; number < SLOTS * 4096; number = number * 3 + 1) {
        disk_start();
        request_describe(TYPE_IN, 0, SECTOR_BYTES);
        descriptors[1].next = (u16)number;
        wrong += answer_to(0) != STATUS_NEEDS_RESET;
        disk_start();
        wrong += answer_to(number) != STATUS_NEEDS_RESET;
    }
    expect_none("a chain that leaves its table stops the device", wrong + works_again());
}

static void buffers_elsewhere(void)
{
    const u64 places[] = {
        0,
        PLIC_BASE,
        UART_BASE,
        DISK_BASE,
        RAM_BASE - SECTOR_BYTES,
        RAM_BASE - SECTOR_BYTES / 2,
        bare_memory_end - SECTOR_BYTES / 2,
        bare_memory_end - 1,
        bare_memory_end,
        bare_memory_end + GIGAPAGE_BYTES,
        1UL << 56,
        ~0UL - SECTOR_BYTES,
        ~0UL,
    };
    u64 wrong = works_again();

    for (u32 i = 0; i < ARRAY_SIZE(places) && !bare_machine; i++) {
        for (u32 type = TYPE_IN; type <= TYPE_OUT; type++) {
            disk_start();
            request_describe(type, SECTORS_USED, SECTOR_BYTES);
            descriptors[1].address = places[i];
            wrong += !refused(answer_to(0));
            for (u32 part = 0; part < 3; part += 2) { /* the header, the status */
                disk_start();
                request_describe(type, SECTORS_USED, SECTOR_BYTES);
                descriptors[part].address = places[i] + (part == 2 ? SECTOR_BYTES - 1 : 0);
                if (descriptors[part].address - RAM_BASE >= bare_memory_end - RAM_BASE)
                    wrong += answer_to(0) != STATUS_NEEDS_RESET;
            }
        }
    }
    disk_start();
    request_describe(TYPE_IN, SECTORS_USED, SECTOR_BYTES);
    wrong += answer_to(0) != STATUS_OK;
    for (u32 i = 0; i < SECTOR_BYTES; i++)
        wrong += buffer[i] != (u8)(i * 3 + 1); /* as works_again has left it */
    expect_none("a buffer that is no memory is refused, and the disk as it was", wrong);
}

static void rings_elsewhere(void)
{
    static const u32 rings[] = {REG_DESCRIPTORS, REG_DRIVER_RING, REG_DEVICE_RING};
    const u64 places[] = {0x1000, bare_memory_end, bare_memory_end + GIGAPAGE_BYTES, 1UL << 55};
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(rings) * ARRAY_SIZE(places) && !bare_machine; i++) {
        disk_start_up_to();
        disk_put_address(rings[i % ARRAY_SIZE(rings)],
                         (const volatile void *)places[i / ARRAY_SIZE(rings)]);
        disk_put(REG_QUEUE_READY, 1);
        disk_put(REG_STATUS, disk_get(REG_STATUS) | STATUS_DRIVER_OK);
        request_describe(TYPE_IN, 0, SECTOR_BYTES);
        offer(0);
        wrong += wait_used() || (disk_get(REG_STATUS) & STATUS_NEEDS_RESET) == 0;
    }
    expect_none("a ring where no memory is stops the device", wrong + works_again());
}

static void indirect_descriptors(void)
{
    u64 wrong = 0;

    for (u32 at = 0; at < 3 && !bare_machine; at++) {
        disk_start();
        request_describe(TYPE_IN, 0, SECTOR_BYTES);
        memcpy(buffer, descriptors, 3 * sizeof(descriptors[0]));
        descriptors[at] = (struct descriptor){(u64)buffer, 3 * sizeof(descriptors[0]), INDIRECT, 0};
        wrong += answer_to(0) != STATUS_NEEDS_RESET;
    }
    expect_none("indirect descriptors, which nobody agreed on, stop the device",
                wrong + works_again());
}

/* What the device writes over a table of the guest's is seen at the next fence. */
static void written_over_tables(void)
{
    u64 *root = space_make(), *table, *page[2] = {page_take(), page_take()};
    u64 wrong = 0, value, *sector = (u64 *)(void *)buffer;

    page[0][0] = 1;
    page[1][0] = 2;
    table = map_page(root, PLACE, 0);
    for (u64 i = 0; i < SECTOR_ENTRIES; i++)
        map_page(root, PLACE + i * PAGE_BYTES, entry_of(page[0], PTE_DATA));
    disk_start();
    for (u64 i = 0; i < SECTOR_ENTRIES; i++)
        sector[i] = i % 3 == 0 ? 0 : entry_of(page[1], PTE_DATA);
    request_describe(TYPE_OUT, 1, SECTOR_BYTES);
    wrong += answer_to(0) != STATUS_OK;
    space_use(root, 1);
    for (u64 i = 0; i < SECTOR_ENTRIES; i++)
        wrong += load_cause(PLACE + i * PAGE_BYTES, &value) != 0 || value != 1;
    request_describe(TYPE_IN, 1, SECTOR_BYTES);
    descriptors[1].address = (u64)table;
    wrong += answer_to(0) != STATUS_OK;
    fence_all();
    for (u64 i = 0; i < SECTOR_ENTRIES; i++) {
        u64 cause = load_cause(PLACE + i * PAGE_BYTES, &value);

        wrong += i % 3 == 0 ? cause != CAUSE_LOAD_PAGE : cause != 0 || value != 2;
    }
    space_leave();
    expect_none("sectors read into a table change what it says", wrong);
}

/* The used ring's words are entries: of its flags, its index and the first element, of which the
   device writes all but the flags. */
static void rings_in_tables(void)
{
    u64 *root = space_make(), *table, *page = page_take(), wrong = 0, value;
    volatile struct used_ring *ring;

    page[0] = 1;
    table = map_page(root, PLACE, entry_of(page, PTE_DATA));
    map_page(root, PLACE + PAGE_BYTES, entry_of(page, PTE_DATA));
    map_page(root, PLACE + RING_PLACE * PAGE_BYTES, entry_of(page, PTE_DATA));
    ring = (volatile struct used_ring *)(void *)table;
    space_use(root, 1);
    for (u64 i = 0; i <= RING_PLACE; i++)
        wrong += load_cause(PLACE + i * PAGE_BYTES, &value) != 0 || value != 1;
    disk_start_up_to();
    disk_put_address(REG_DEVICE_RING, ring);
    disk_put(REG_QUEUE_READY, 1);
    disk_put(REG_STATUS, disk_get(REG_STATUS) | STATUS_DRIVER_OK);
    request_describe(TYPE_IN, 0, SECTOR_BYTES);
    offer(0);
    for (u64 until = time_now() + QUIET_TICKS * 500; ring->index != 1 && time_now() < until;)
        ;
    fence_all();
    wrong += status != STATUS_OK || ring->index != 1 || ring->ring[0].bytes != SECTOR_BYTES + 1;
    wrong += load_cause(PLACE + PAGE_BYTES, &value) != CAUSE_LOAD_PAGE;
    wrong += load_cause(PLACE + RING_PLACE * PAGE_BYTES, &value) != 0 || value != 1;
    space_leave();
    expect_none("a ring in a table in use changes what it says", wrong + works_again());
}

static void index_jumps(void)
{
    static const u16 jumps[] = {SLOTS + 1, SLOTS + 2, 100, 0x7fff, 0x8000, 0xffff};
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(jumps); i++) {
        disk_start();
        request_describe(TYPE_IN, 0, SECTOR_BYTES);
        offered = (u16)(jumps[i] - 1);
        wrong += answer_to(0) != STATUS_NEEDS_RESET;
    }
    disk_start(); /* as many as there are slots may come at once */
    request_describe(TYPE_IN, 0, SECTOR_BYTES);
    for (u32 i = 0; i < SLOTS; i++)
        available.ring[i] = 0;
    offered = SLOTS - 1;
    (void)answer_to(0);
    for (u32 waits = 0; waits < WAITS_MAX && !wait_used(); waits++) /* one after the other */
        continue;
    wrong += status != STATUS_OK || used.index != SLOTS;
    expect_none("an index that runs ahead stops the device", wrong + works_again());
}

static void sizes_and_places(void)
{
    static const u32 sizes[] = {0, 3, 5, 6, 7, 9, 15, 17, 63, 65, 128, 1000, 0x8000, 0x10000, ~0U};
    static const u32 rings[] = {REG_DESCRIPTORS, REG_DRIVER_RING, REG_DEVICE_RING};
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(sizes) && !bare_machine; i++) {
        disk_start_up_to();
        disk_put(REG_QUEUE_SIZE, sizes[i]);
        disk_put(REG_QUEUE_READY, 1);
        wrong += disk_get(REG_QUEUE_READY) != 0;
        disk_put(REG_STATUS, disk_get(REG_STATUS) | STATUS_DRIVER_OK);
        request_describe(TYPE_IN, 0, SECTOR_BYTES);
        offer(0);
        wrong += used.index != 0 || status != UNTOUCHED;
    }
    for (u32 i = 0; i < ARRAY_SIZE(rings) && !bare_machine; i++) {
        disk_start_up_to();
        disk_put_address(rings[i], buffer + 1);
        disk_put(REG_QUEUE_READY, 1);
        wrong += disk_get(REG_QUEUE_READY) != 0;
    }
    expect_none("a queue that cannot be does not become ready", wrong + works_again());
}

/* One that takes many pieces; the device goes by the copy that it has made. */
static void changed_in_flight(void)
{
    static const u32 registers[] = {REG_QUEUE_SIZE,  REG_DESCRIPTORS, REG_DESCRIPTORS + 4,
                                    REG_DRIVER_RING, REG_DEVICE_RING, REG_DEVICE_RING + 4};
    u64 wrong = 0;

    disk_start();
    for (u32 i = 0; i < LONG_BYTES; i++)
        buffer[i] = (u8)(i + (i >> 9));
    request_describe(TYPE_OUT, SECTORS_USED + 1, LONG_BYTES);
    wrong += answer_to(0) != STATUS_OK;
    memset(buffer, 0, LONG_BYTES);
    request_describe(TYPE_IN, SECTORS_USED + 1, LONG_BYTES);
    offer(0);
    for (u32 i = 0; i < ARRAY_SIZE(registers) && !bare_machine; i++)
        disk_put(registers[i], ~0U);
    if (!bare_machine) {
        memset(descriptors, 0xff, sizeof(descriptors));
        memset(&header, 0xff, sizeof(header));
    }
    wrong += !wait_used() || status != STATUS_OK;
    for (u32 i = 0; i < LONG_BYTES; i++)
        wrong += buffer[i] != (u8)(i + (i >> 9));
    expect_none("a request in flight is served as it was", wrong + works_again());
}

static void longer_than_the_disk(void)
{
    u64 capacity = disk_get(REG_CAPACITY), wrong = 0;
    const u64 firsts[] = {capacity - 1, capacity,  capacity + 1, 1UL << 32, (1UL << 55) - 1,
                          1UL << 55,    1UL << 63, ~0UL - 1,     ~0UL};
    static const u32 lengths[] = {2 * SECTOR_BYTES, LONG_BYTES, 0x7ffffe00, 0x80000000, 0xfffffe00};

    for (u32 i = 0; i < ARRAY_SIZE(firsts) * ARRAY_SIZE(lengths); i++) {
        for (u32 type = TYPE_IN; type <= TYPE_OUT; type++) {
            disk_start();
            request_describe(type, firsts[i % ARRAY_SIZE(firsts)], lengths[i / ARRAY_SIZE(firsts)]);
            wrong += !refused(answer_to(0));
        }
    }
    expect_none("a request over the disk's end is refused", wrong + works_again());
}

static u64 sum_of_buffer(void)
{
    u64 sum = 0;

    for (u32 i = 0; i < LONG_BYTES; i++)
        sum = sum * 31 + buffer[i];
    return sum;
}

/* What was in flight when the device was reset, or its queue taken away, writes nothing more. */
static void reset_in_flight(void)
{
    u64 wrong = 0;

    for (u32 i = 0; i < SLOTS; i++) {
        u64 until, before;

        disk_start();
        request_describe(TYPE_IN, 0, LONG_BYTES);
        offer(0);
        if (i % 2 == 0 || bare_machine)
            disk_put(REG_STATUS, 0);
        else
            disk_put(REG_QUEUE_READY, 0);
        memset(buffer, (int)i, LONG_BYTES);
        before = sum_of_buffer();
        wrong += disk_get(REG_QUEUE_READY) != 0;
        wrong += (i % 2 == 0 || bare_machine) &&
                 (disk_get(REG_STATUS) != 0 || disk_get(REG_INTERRUPT) != 0);
        for (until = time_now() + QUIET_TICKS; time_now() < until;)
            ;
        wrong += sum_of_buffer() != before;
        wrong += works_again();
    }
    expect_none("what was in flight at a reset writes nothing after it", wrong);
}

static const struct attack attacks[] = {
    {"looping-chains", looping_chains},
    {"longer-than-the-ring", longer_than_the_ring},
    {"buffers-elsewhere", buffers_elsewhere},
    {"rings-elsewhere", rings_elsewhere},
    {"indirect-descriptors", indirect_descriptors},
    {"written-over-tables", written_over_tables},
    {"rings-in-tables", rings_in_tables},
    {"index-jumps", index_jumps},
    {"sizes-and-places", sizes_and_places},
    {"changed-in-flight", changed_in_flight},
    {"longer-than-the-disk", longer_than_the_disk},
    {"reset-in-flight", reset_in_flight},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
