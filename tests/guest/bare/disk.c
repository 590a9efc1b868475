/* SPDX-License-Identifier: MIT */
/*
 * The driver of a virtio block device (virtio 1.2, sections 4.2 and 5.2) that tries everything: the
 * same file says the same lines on QEMU's own device and on Candor's. With `until=N` it counts its
 * starts on the disk instead.
 */
#include "bare.h"

#include "fnv.h"
#include "string.h"

#define DISK_BASE 0x10001000UL

enum disk_register {
    REG_MAGIC = 0x000,
    REG_VERSION = 0x004,
    REG_DEVICE = 0x008,
    REG_FEATURES = 0x010,
    REG_FEATURES_SELECT = 0x014,
    REG_DRIVER_FEATURES = 0x020,
    REG_DRIVER_SELECT = 0x024,
    REG_QUEUE_SELECT = 0x030,
    REG_QUEUE_SIZE = 0x038,
    REG_QUEUE_READY = 0x044,
    REG_NOTIFY = 0x050,
    REG_INTERRUPT = 0x060,
    REG_ACKNOWLEDGE = 0x064,
    REG_STATUS = 0x070,
    REG_DESCRIPTORS = 0x080,
    REG_DRIVER_RING = 0x090,
    REG_DEVICE_RING = 0x0a0,
    REG_CAPACITY = 0x100,
};

enum {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_NEEDS_RESET = 64,
    TYPE_IN = 0,
    TYPE_OUT = 1,
    TYPE_FLUSH = 4,
    TYPE_GET_ID = 8,
    FEATURE_FLUSH = 1 << 9,
    NEXT = 1,
    WRITABLE = 2,
    SLOTS = 16,
    SECTOR_BYTES = 512,
    HEADER_BYTES = 16,
    ID_BYTES = 20,
    BUFFER_BYTES = 256 << 10,
    UNTOUCHED = 0x5a,
    SPURIOUS_MAX = 8,
    PLIC_PRIORITY_1 = 4,
    PLIC_ENABLE_S = 0x2080,
    PLIC_THRESHOLD_S = 0x201000,
    PLIC_CLAIM_S = 0x201004,
    WAIT_TICKS = 30000000, /* 3 seconds of a machine whose host is busy */
};

struct descriptor {
    u64 address;
    u32 bytes;
    u16 flags;
    u16 next;
};

static struct descriptor descriptors[SLOTS] __attribute__((aligned(16)));
static volatile struct {
    u16 flags, index, ring[SLOTS];
} available __attribute__((aligned(8)));
static volatile struct {
    u16 flags, index;
    struct {
        u32 id, bytes;
    } ring[SLOTS];
} used __attribute__((aligned(8)));
static struct {
    u32 type, reserved;
    u64 sector;
} header;
static u8 buffer[BUFFER_BYTES], status;
static u16 offered;

static u32 get(u64 offset)
{
    return *(volatile u32 *)(DISK_BASE + offset);
}

static void put(u64 offset, u32 value)
{
    *(volatile u32 *)(DISK_BASE + offset) = value;
}

static volatile u32 *plic(u64 offset)
{
    return (volatile u32 *)(PLIC_BASE + offset);
}

static void put_address(u64 offset, const volatile void *address)
{
    put(offset, (u32)(u64)address);
    put(offset + 4, (u32)((u64)address >> 32));
}

static void start(void)
{
    put(REG_STATUS, 0);
    put(REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    put(REG_DRIVER_SELECT, 1);
    put(REG_DRIVER_FEATURES, 1); /* VIRTIO_F_VERSION_1 */
    put(REG_DRIVER_SELECT, 0);
    put(REG_DRIVER_FEATURES, FEATURE_FLUSH);
    put(REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    put(REG_QUEUE_SELECT, 0);
    put(REG_QUEUE_SIZE, SLOTS);
    put_address(REG_DESCRIPTORS, descriptors);
    put_address(REG_DRIVER_RING, &available);
    put_address(REG_DEVICE_RING, &used);
    available.index = used.index = offered = 0;
    put(REG_QUEUE_READY, 1);
    put(REG_STATUS, get(REG_STATUS) | STATUS_DRIVER_OK);
}

static void describe(u32 slot, const volatile void *address, u32 bytes, u16 flags)
{
    descriptors[slot] = (struct descriptor){(u64)address, bytes, flags, (u16)(slot + 1)};
}

static void offer(u32 head)
{
    available.ring[offered % SLOTS] = (u16)head;
    __asm__ volatile("fence" : : : "memory");
    available.index = ++offered;
    __asm__ volatile("fence" : : : "memory");
    put(REG_NOTIFY, 0);
}

/* Until what was offered is used, or the device gives up. */
static bool wait_used(void)
{
    u64 until = time_now() + WAIT_TICKS;

    while (used.index != offered && (get(REG_STATUS) & STATUS_NEEDS_RESET) == 0) {
        if (time_now() > until)
            return false;
    }
    __asm__ volatile("fence" : : : "memory");
    return used.index == offered;
}

/* Header, data, status; the answer is in `status`. */
static void request(u32 type, u64 sector, u32 bytes)
{
    u16 direction = type == TYPE_OUT ? 0 : WRITABLE;

    header.type = type;
    header.sector = sector;
    status = UNTOUCHED;
    describe(0, &header, HEADER_BYTES, NEXT);
    describe(1, buffer, bytes, (u16)(NEXT | direction));
    describe(2, &status, 1, WRITABLE);
    if (bytes == 0)
        descriptors[0].next = 2;
    offer(0);
    if (!wait_used())
        bare_printf("type %u sector %lu bytes %u: no answer", type, sector, bytes);
}

static u64 sum(u32 bytes)
{
    return fnv64_update(FNV64_START, buffer, bytes);
}

static void identity(void)
{
    put(REG_FEATURES_SELECT, 1);
    bare_printf("magic 0x%x version %u device %u, 1.0 %u", get(REG_MAGIC), get(REG_VERSION),
                get(REG_DEVICE), get(REG_FEATURES) & 1);
    put(REG_FEATURES_SELECT, 0);
    bare_printf("flush %u, %u sectors", (get(REG_FEATURES) & FEATURE_FLUSH) != 0,
                get(REG_CAPACITY));
    start();
    bare_printf("status 0x%x", get(REG_STATUS));
}

static void reads(void)
{
    static const u32 counts[] = {1, 2, 7, 8, 9, 64, 511};
    u32 last = get(REG_CAPACITY) - 1;

    for (u32 i = 0; i < ARRAY_SIZE(counts); i++) {
        request(TYPE_IN, i, counts[i] * SECTOR_BYTES);
        bare_printf("read %u from %u: status %u used %u sum 0x%lx", counts[i], i, status,
                    used.ring[(offered - 1) % SLOTS].bytes, sum(counts[i] * SECTOR_BYTES));
    }
    request(TYPE_IN, last, SECTOR_BYTES);
    bare_printf("read the last: status %u sum 0x%lx", status, sum(SECTOR_BYTES));
}

static void writes(void)
{
    for (u32 sectors = 1; sectors <= 128; sectors *= 4) {
        u32 bytes = sectors * SECTOR_BYTES;

        for (u32 i = 0; i < bytes; i++)
            buffer[i] = (u8)(i * 7 + sectors + (i >> 9));
        request(TYPE_OUT, 20 + sectors, bytes);
        bare_printf("write %u: status %u used %u", sectors, status,
                    used.ring[(offered - 1) % SLOTS].bytes);
        memset(buffer, 0, bytes);
        request(TYPE_IN, 20 + sectors, bytes);
        bare_printf("read back: status %u sum 0x%lx", status, sum(bytes));
    }
    request(TYPE_FLUSH, 0, 0);
    bare_printf("flush: status %u", status);
    memset(buffer, 0, ID_BYTES + 1);
    request(TYPE_GET_ID, 0, ID_BYTES);
    bare_printf("id '%s': status %u", (const char *)buffer, status);
}

static void impossible(void)
{
    u64 sectors = get(REG_CAPACITY);

    request(TYPE_IN, sectors, SECTOR_BYTES);
    bare_printf("read behind the end: status %u", status);
    request(TYPE_IN, sectors - 1, 2 * SECTOR_BYTES);
    bare_printf("read over the end: status %u", status);
    request(TYPE_OUT, sectors, SECTOR_BYTES);
    bare_printf("write behind the end: status %u", status);
    request(TYPE_IN, ~0UL, SECTOR_BYTES);
    bare_printf("read of sector ~0: status %u", status);
    request(TYPE_IN, 0, SECTOR_BYTES - 1);
    bare_printf("read of 511 bytes: status %u", status);
    request(TYPE_OUT, 0, SECTOR_BYTES + 1);
    bare_printf("write of 513 bytes: status %u", status);
    request(99, 0, SECTOR_BYTES);
    bare_printf("unknown type: status %u", status);
    request(TYPE_IN, 0, SECTOR_BYTES);
    bare_printf("and then sector 0: status %u sum 0x%lx", status, sum(SECTOR_BYTES));
}

/* The device gives up, and works again after a reset. */
static void broken(const char *what, u32 head)
{
    bool answered;

    offer(head);
    answered = wait_used();
    bare_printf("%s: answered %u, needs reset %u", what, answered,
                (get(REG_STATUS) & STATUS_NEEDS_RESET) != 0);
    start();
    request(TYPE_IN, 1, SECTOR_BYTES);
    bare_printf("after a reset: status %u sum 0x%lx", status, sum(SECTOR_BYTES));
}

static void bad_chains(void)
{
    header.type = TYPE_IN;
    header.sector = 0;
    describe(0, &header, HEADER_BYTES, NEXT);
    describe(1, buffer, SECTOR_BYTES, NEXT | WRITABLE);
    descriptors[1].next = 1;
    broken("a chain that loops", 0);
    describe(0, &header, HEADER_BYTES, NEXT);
    descriptors[0].next = SLOTS;
    broken("a descriptor that is none", 0);
    broken("a head that is none", SLOTS);
    describe(0, &header, HEADER_BYTES, 0);
    broken("nothing to write to", 0);
    describe(0, &header, HEADER_BYTES - 1, NEXT);
    describe(1, &status, 1, WRITABLE);
    broken("a header too short", 0);
    describe(0, &status, 1, NEXT | WRITABLE);
    describe(1, &header, HEADER_BYTES, 0);
    broken("the readable part last", 0);
    describe(0, &header, HEADER_BYTES, NEXT);
    describe(1, buffer, SECTOR_BYTES, NEXT | WRITABLE);
    describe(2, &status, 1, WRITABLE);
    available.index = offered = (u16)(offered + 2 * SLOTS);
    broken("a ring that ran ahead", 0);
}

static void wait_open(void *argument)
{
    (void)argument;
    csr_on(sstatus, SSTATUS_SIE);
    for (;;)
        __asm__ volatile("wfi");
}

static void interrupts(void)
{
    struct bare_trap trap;
    u32 source = 0;

    put(REG_ACKNOWLEDGE, get(REG_INTERRUPT));
    *plic(PLIC_PRIORITY_1) = 1;
    *plic(PLIC_ENABLE_S) = 1 << 1;
    *plic(PLIC_THRESHOLD_S) = 0;
    csr_put(sie, BIT(IRQ_EXTERNAL));
    header.type = TYPE_IN;
    header.sector = 2;
    status = UNTOUCHED;
    describe(0, &header, HEADER_BYTES, NEXT);
    describe(1, buffer, BUFFER_BYTES, NEXT | WRITABLE);
    describe(2, &status, 1, WRITABLE);
    offer(0);
    for (u32 i = 0; i < SPURIOUS_MAX; i++) {
        bare_try(wait_open, NULL, &trap);
        source = *plic(PLIC_CLAIM_S);
        if (get(REG_INTERRUPT) != 0)
            break;
        *plic(PLIC_CLAIM_S) = source; /* that of a request before, which came late */
    }
    bare_printf("interrupt 0x%lx of source %u: device 0x%x status %u sum 0x%lx", trap.cause, source,
                get(REG_INTERRUPT), status, sum(BUFFER_BYTES));
    put(REG_ACKNOWLEDGE, 1);
    *plic(PLIC_CLAIM_S) = source;
    bare_printf("acknowledged: device 0x%x pending %u next %u", get(REG_INTERRUPT),
                (csr_get(sip) & BIT(IRQ_EXTERNAL)) != 0, *plic(PLIC_CLAIM_S));
    available.flags = 1; /* VRING_AVAIL_F_NO_INTERRUPT */
    request(TYPE_IN, 2, SECTOR_BYTES);
    bare_printf("not wanted: device 0x%x status %u", get(REG_INTERRUPT), status);
    available.flags = 0;
    csr_put(sie, 0);
}

static const struct attack attacks[] = {
    {"identity", identity},     {"reads", reads},           {"writes", writes},
    {"impossible", impossible}, {"bad-chains", bad_chains}, {"interrupts", interrupts},
};

/* A disk that remembers: each start adds one to the last sector's first byte, and reboots until it
 * has found this number. */
static void count_starts(u8 until)
{
    enum { RESET_COLD = 1 };
    u32 last = get(REG_CAPACITY) - 1;

    start();
    request(TYPE_IN, last, SECTOR_BYTES);
    bare_printf("found %u", buffer[0]);
    if (buffer[0] >= until)
        return;
    buffer[0]++;
    request(TYPE_OUT, last, SECTOR_BYTES);
    (void)sbi(SBI_RESET, 0, RESET_COLD, 0, 0, 0, 0);
}

void bare_main(void)
{
    static const char until[] = "until=";
    const size_t length = sizeof(until) - 1;

    if (strncmp(bare_args, until, length) == 0) {
        count_starts((u8)(bare_args[length] - '0'));
        return;
    }
    attacks_make(attacks, ARRAY_SIZE(attacks));
}
