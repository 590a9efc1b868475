/* SPDX-License-Identifier: MIT */
/*
 * A guest whose disk's ring is its weapon: memory that is not its own, sectors that are not there,
 * counts from nowhere, requests changed while they are on their way, an end in the middle of them.
 *
 * The disk's first sector counts its lives: only the first makes all attacks.
 */
#include "attacks.h"

#include "string.h"

enum {
    RING = 32,
    SECTOR = 512,
    SECTORS_A_PAGE = PAGE_BYTES / SECTOR,
    PATIENCE_S = 20,
    MARK_SECTOR = 64,
    LIVES = 3,
    ROUNDS = 20,
};

static struct disk_ring *ring;
static u64 ring_page, sectors;
static u32 read_so_far;

static void attach(void)
{
    ring_page = take_page();
    ring = gpa_to_pointer(ring_page);
    sectors = must("attach", candor_disk_attach(ring_page));
    read_so_far = 0;
}

static struct disk_request request(u32 operation, u64 sector, u64 gpa, u32 bytes)
{
    return (struct disk_request){.id = 7,
                                 .operation = operation,
                                 .sector = sector,
                                 .segment_count = 1,
                                 .segments = {{.gpa = gpa, .bytes = bytes}}};
}

static void put(const struct disk_request *made)
{
    ring->requests[ring->requests_made % RING] = *made;
    __atomic_store_n(&ring->requests_made, ring->requests_made + 1, __ATOMIC_RELEASE);
}

/* The next response; one that does not come ends the test. */
static struct disk_response next(void)
{
    u64 until = time_now() + PATIENCE_S * start->timebase_hz;

    while (__atomic_load_n(&ring->responses_made, __ATOMIC_ACQUIRE) == read_so_far) {
        if (time_now() > until) {
            fail("the disk", "does not answer");
            guest_finish();
        }
        (void)candor_yield();
    }
    return ring->responses[read_so_far++ % RING];
}

static i64 ask(const struct disk_request *made)
{
    put(made);
    must("kick", candor_disk_kick());
    return next().status;
}

static i64 transfer(u32 operation, u64 sector, u64 gpa, u32 bytes)
{
    struct disk_request made = request(operation, sector, gpa, bytes);

    return ask(&made);
}

static void expect_status(const char *name, i64 status, i64 expected)
{
    expect_error(name, (struct hc_result){status, 0}, expected);
}

static void memory_of_others(void)
{
    const u64 end = start->memory_base_gpa + start->memory_bytes;
    u64 table = make_table(0), good = take_page(), last;
    u64 root = make_space(0x40000000, &last);
    struct disk_request two = request(DISK_OPERATION_READ, MARK_SECTOR, good, PAGE_BYTES);

    expect_status("into a table", transfer(DISK_OPERATION_READ, MARK_SECTOR, table, PAGE_BYTES),
                  HC_IS_POOL);
    expect_status("into the boot root",
                  transfer(DISK_OPERATION_READ, MARK_SECTOR, start->boot_root_gpa, PAGE_BYTES),
                  HC_IS_POOL);
    expect_status("into a table that is linked",
                  transfer(DISK_OPERATION_READ, MARK_SECTOR, last, SECTOR), HC_IS_POOL);
    expect_status("into a root", transfer(DISK_OPERATION_READ, MARK_SECTOR, root, SECTOR),
                  HC_IS_POOL);
    expect_status("out of a table", transfer(DISK_OPERATION_WRITE, MARK_SECTOR, table, SECTOR),
                  HC_IS_POOL);
    expect_status("behind the memory", transfer(DISK_OPERATION_READ, MARK_SECTOR, end, SECTOR),
                  HC_INVALID_ADDRESS);
    expect_status(
        "before the memory",
        transfer(DISK_OPERATION_READ, MARK_SECTOR, start->memory_base_gpa - SECTOR, SECTOR),
        HC_INVALID_ADDRESS);
    expect_status("a device", transfer(DISK_OPERATION_READ, MARK_SECTOR, 0x10001000, SECTOR),
                  HC_INVALID_ADDRESS);
    expect_status("at the end of all addresses",
                  transfer(DISK_OPERATION_READ, MARK_SECTOR, ~0UL - SECTOR + 1, SECTOR),
                  HC_INVALID_ADDRESS);
    two.segment_count = 2;
    two.segments[1] = (struct disk_segment){.gpa = table, .bytes = PAGE_BYTES};
    *(volatile u64 *)gpa_to_pointer(good) = 1;
    expect_status("a table behind a good page", ask(&two), HC_IS_POOL);
    expect_word("the good page is as it was", (u64)gpa_to_pointer(good), 1);
    expect_word("the table is empty", (u64)gpa_to_pointer(table), 0);
}

static void sectors_that_are_not_there(void)
{
    u64 page = take_page();
    const u64 wrong[] = {sectors,      sectors - SECTORS_A_PAGE + 1,
                         ~0UL,         ~0UL - SECTORS_A_PAGE + 1,
                         1UL << 55,    1UL << 63,
                         ~0UL / SECTOR};

    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++)
        expect_status("behind the end", transfer(DISK_OPERATION_WRITE, wrong[i], page, PAGE_BYTES),
                      HC_INVALID_PARAM);
    expect_status("the last ones",
                  transfer(DISK_OPERATION_READ, sectors - SECTORS_A_PAGE, page, PAGE_BYTES), HC_OK);
}

static void requests_out_of_shape(void)
{
    u64 page = take_page();
    const u32 lengths[] = {0, 1, SECTOR - 1, PAGE_BYTES + SECTOR, 1U << 31, ~0U};
    struct disk_request made = request(DISK_OPERATION_READ, 0, page, SECTOR);

    for (u32 i = 0; i < ARRAY_SIZE(lengths); i++)
        expect_status("a length", transfer(DISK_OPERATION_READ, 0, page, lengths[i]),
                      HC_INVALID_PARAM);
    expect_status("across a page", transfer(DISK_OPERATION_READ, 0, page + SECTOR, PAGE_BYTES),
                  HC_INVALID_PARAM);
    expect_status("misaligned", transfer(DISK_OPERATION_READ, 0, page + 8, SECTOR),
                  HC_INVALID_ADDRESS);
    expect_status("an operation", transfer(~0U, 0, page, SECTOR), HC_INVALID_PARAM);
    expect_status("a flush of a page", transfer(DISK_OPERATION_FLUSH, 0, page, SECTOR),
                  HC_INVALID_PARAM);
    made.segment_count = 0;
    expect_status("no segment", ask(&made), HC_INVALID_PARAM);
    made.segment_count = 5;
    expect_status("five segments", ask(&made), HC_INVALID_PARAM);
    made.segment_count = ~0U;
    expect_status("segments without end", ask(&made), HC_INVALID_PARAM);
    made.segment_count = 1;
    made.reserved = 1;
    expect_status("a reserved word", ask(&made), HC_INVALID_PARAM);
}

static void rings_that_cannot_be(void)
{
    const u32 wrong[] = {RING + 1, 1U << 31, ~0U};
    u64 end = start->memory_base_gpa + start->memory_bytes;

    expect_error("a second ring", candor_disk_attach(take_page()), HC_EXISTS);
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        u32 made = ring->requests_made;

        ring->requests_made = made + wrong[i];
        expect_error("a count from nowhere", candor_disk_kick(), HC_INVALID_PARAM);
        ring->requests_made = made;
    }
    must("detach", candor_disk_detach());
    expect_error("a kick without a ring", candor_disk_kick(), HC_DENIED);
    expect_error("detached twice", candor_disk_detach(), HC_DENIED);
    expect_error("a ring in the pool", candor_disk_attach(start->pool_base_gpa), HC_IS_POOL);
    expect_error("a ring on a table", candor_disk_attach(make_table(0)), HC_IS_POOL);
    expect_error("a ring behind the memory", candor_disk_attach(end), HC_INVALID_ADDRESS);
    expect_error("a misaligned ring", candor_disk_attach(ring_page + 64), HC_INVALID_ADDRESS);
    attach();
    expect_error("a new ring is empty", candor_disk_kick(), HC_OK);
}

/* All of them are answered once, by their ids as they were when they were taken. */
static void changed_on_their_way(void)
{
    bool good = true;
    u64 page = marked_page(0x1234);

    expect_status("a mark", transfer(DISK_OPERATION_WRITE, MARK_SECTOR, page, PAGE_BYTES), HC_OK);
    for (u32 round = 0; round < ROUNDS; round++) {
        u64 seen = 0;

        for (u32 i = 0; i < RING; i++) {
            struct disk_request made = request(DISK_OPERATION_READ, MARK_SECTOR, page, SECTOR);

            made.id = i;
            made.segment_count = ARRAY_SIZE(made.segments); /* as much work as can be asked for */
            for (u32 j = 1; j < made.segment_count; j++)
                made.segments[j] = (struct disk_segment){.gpa = page + j * SECTOR, .bytes = SECTOR};
            put(&made);
        }
        good = candor_disk_kick().value + candor_disk_kick().value == RING && good;
        memset(ring->requests, (int)round + 1, sizeof(ring->requests));
        for (u32 i = 0; i < RING; i++) {
            struct disk_response response = next();

            good = good && response.status == HC_OK && response.id < RING &&
                   (seen & BIT(response.id)) == 0;
            seen |= BIT(response.id % 64);
        }
    }
    expect_true("each is answered once, as it was taken", good);
    expect_word("and has read what is there", (u64)gpa_to_pointer(page), 0x1234);
}

/* The ring itself, the shared page, code: the guest's own affair, and nothing falls over. */
static void into_what_candor_reads(void)
{
    u64 shared = take_page();
    i64 status;

    must("shared page", candor_shared_page(shared));
    status = transfer(DISK_OPERATION_READ, MARK_SECTOR, shared, PAGE_BYTES);
    expect_status("into the shared page", status, HC_OK);
    for (u32 i = 0; i < ROUNDS; i++) {
        struct disk_request made = request(DISK_OPERATION_READ, MARK_SECTOR, ring_page, PAGE_BYTES);

        put(&made);
        (void)candor_disk_kick();
        while (candor_disk_detach().error == HC_IN_USE)
            (void)candor_yield();
        attach();
    }
    pass("into the ring itself");
    expect_status("a new ring works", transfer(DISK_OPERATION_READ, MARK_SECTOR, shared, SECTOR),
                  HC_OK);
}

/* It reboots while the disk writes all over its memory. */
static void dies_with_requests_on_their_way(void)
{
    u64 page = take_page();
    volatile u32 *lives = gpa_to_pointer(page);

    (void)transfer(DISK_OPERATION_READ, 0, page, SECTOR);
    if (*lives >= LIVES) {
        pass("as many lives as it was to have");
        return;
    }
    ++*lives;
    expect_status("its lives", transfer(DISK_OPERATION_WRITE, 0, page, SECTOR), HC_OK);
    for (u32 i = 0; i < RING; i++) {
        struct disk_request made = request(DISK_OPERATION_READ, MARK_SECTOR, take_page(),
                                           PAGE_BYTES);

        put(&made);
    }
    (void)candor_disk_kick();
    (void)candor_disk_kick();
    (void)sbi_call(SBI_SYSTEM_RESET, 0, SRST_REBOOT, 0, 0);
    fail("reboot", "it is still there");
}

static const struct attack attacks[] = {
    {"memory-of-others", memory_of_others},
    {"sectors-that-are-not-there", sectors_that_are_not_there},
    {"requests-out-of-shape", requests_out_of_shape},
    {"rings-that-cannot-be", rings_that_cannot_be},
    {"changed-on-their-way", changed_on_their_way},
    {"into-what-candor-reads", into_what_candor_reads},
    {"dies-with-requests-on-their-way", dies_with_requests_on_their_way},
};

void guest_main(void)
{
    u64 page = take_page();

    expect_error("no ring yet", candor_disk_kick(), HC_DENIED);
    attach();
    (void)transfer(DISK_OPERATION_READ, 0, page, SECTOR);
    if (*(volatile u32 *)gpa_to_pointer(page) != 0)
        dies_with_requests_on_their_way();
    else
        attacks_make(attacks, ARRAY_SIZE(attacks));
}
