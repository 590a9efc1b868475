/* SPDX-License-Identifier: MIT */
/*
 * The driver of a virtio block device (virtio 1.2, sections 4.2 and 5.2) that tries everything: the
 * same file says the same lines on QEMU's own device and on Candor's. With `until=N` it counts its
 * starts on the disk instead.
 */
#include "bare.h"

#include "disk.h"
#include "fnv.h"
#include "string.h"

enum {
    SPURIOUS_MAX = 8,
    PLIC_PRIORITY_1 = 4,
    PLIC_ENABLE_S = 0x2080,
    PLIC_THRESHOLD_S = 0x201000,
    PLIC_CLAIM_S = 0x201004,
};

static volatile u32 *plic(u64 offset)
{
    return (volatile u32 *)(PLIC_BASE + offset);
}

static u64 sum(u32 bytes)
{
    return fnv64_update(FNV64_START, buffer, bytes);
}

static void identity(void)
{
    disk_put(REG_FEATURES_SELECT, 1);
    bare_printf("magic 0x%x version %u device %u, 1.0 %u", disk_get(REG_MAGIC),
                disk_get(REG_VERSION), disk_get(REG_DEVICE), disk_get(REG_FEATURES) & 1);
    disk_put(REG_FEATURES_SELECT, 0);
    bare_printf("flush %u, %u sectors", (disk_get(REG_FEATURES) & FEATURE_FLUSH) != 0,
                disk_get(REG_CAPACITY));
    disk_start();
    bare_printf("status 0x%x", disk_get(REG_STATUS));
}

static void reads(void)
{
    static const u32 counts[] = {1, 2, 7, 8, 9, 64, 511};
    u32 last = disk_get(REG_CAPACITY) - 1;

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
    u64 sectors = disk_get(REG_CAPACITY);

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
                (disk_get(REG_STATUS) & STATUS_NEEDS_RESET) != 0);
    disk_start();
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

    disk_put(REG_ACKNOWLEDGE, disk_get(REG_INTERRUPT));
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
        if (disk_get(REG_INTERRUPT) != 0)
            break;
        *plic(PLIC_CLAIM_S) = source; /* that of a request before, which came late */
    }
    bare_printf("interrupt 0x%lx of source %u: device 0x%x status %u sum 0x%lx", trap.cause, source,
                disk_get(REG_INTERRUPT), status, sum(BUFFER_BYTES));
    disk_put(REG_ACKNOWLEDGE, 1);
    *plic(PLIC_CLAIM_S) = source;
    bare_printf("acknowledged: device 0x%x pending %u next %u", disk_get(REG_INTERRUPT),
                (csr_get(sip) & BIT(IRQ_EXTERNAL)) != 0, *plic(PLIC_CLAIM_S));
    available.flags = 1; /* VRING_AVAIL_F_NO_INTERRUPT */
    request(TYPE_IN, 2, SECTOR_BYTES);
    bare_printf("not wanted: device 0x%x status %u", disk_get(REG_INTERRUPT), status);
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
    u32 last = disk_get(REG_CAPACITY) - 1;

    disk_start();
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
