/* SPDX-License-Identifier: MIT */
/*
 * The block device's model under a driver that breaks the rules: the device stops and says so until
 * it is reset, and then works.
 */
#include "check.h"

#include "blk_driver.h"

static void test_a_queue_that_cannot_be_does_not_become_ready(void **state)
{
    static const u64 bad[][4] = {
        {0, DESCRIPTORS, AVAILABLE, USED},     {3, DESCRIPTORS, AVAILABLE, USED},
        {128, DESCRIPTORS, AVAILABLE, USED},   {~0U, DESCRIPTORS, AVAILABLE, USED},
        {8, DESCRIPTORS + 8, AVAILABLE, USED}, {8, DESCRIPTORS, AVAILABLE + 1, USED},
        {8, DESCRIPTORS, AVAILABLE, USED + 2},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        blk_set_up((u32)bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
        assert_int_equal(blk_get(REG_READY), 0);
        blk_kick();
        assert_int_equal(blk_get(REG_STATUS), RUNNING);
    }
}

static void check_stopped(void)
{
    blk_kick();
    assert_int_equal(blk_get(REG_STATUS), RUNNING | NEEDS_RESET);
    assert_int_equal(blk_get(REG_INTERRUPT) & 2, 2);
    assert_true(blk.line.level);
    blk_put(REG_STATUS, RUNNING);
    assert_int_equal(blk_get(REG_STATUS), RUNNING | NEEDS_RESET); /* only a reset helps */
    blk_kick();
    blk_poke(AVAILABLE + 2, 0, 2);
    blk_poke(USED + 2, 0, 2);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
    assert_false(blk.line.level);
    assert_int_equal(blk_request(0, 0, 512, WRITABLE), 0);
    blk_poke(AVAILABLE + 2, 0, 2);
    blk_poke(USED + 2, 0, 2);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
}

static void test_a_chain_that_breaks_a_rule_stops_the_device(void **state)
{
    static const struct {
        u64 gpa;
        u32 bytes, flags;
    } chains[][4] = {
        {{HEADER, 16, READABLE}},                               /* no status */
        {{HEADER, 15, NEXT}, {STATUS, 1, WRITABLE}},            /* half a header */
        {{STATUS, 1, WRITABLE | NEXT}, {HEADER, 16, READABLE}}, /* out of order */
        {{HEADER, 16, NEXT},
         {BUFFER, 512, NEXT | WRITABLE},
         {BUFFER, 512, NEXT | READABLE}, /* behind a writable one */
         {STATUS, 1, WRITABLE}},
        {{HEADER, 16, NEXT | 4}, {STATUS, 1, WRITABLE}}, /* indirect */
        {{HEADER, 16, NEXT}, {STATUS, 1, WRITABLE | 4}},
        {{HEADER, 16, NEXT}, {STATUS, 0, WRITABLE}},           /* no room for it */
        {{HEADER, 16, NEXT}, {BLK_RAM_BASE - 1, 1, WRITABLE}}, /* not in memory */
        {{0, 16, NEXT}, {STATUS, 1, WRITABLE}},                /* nor is that */
        {{HEADER, 16, NEXT}, {~0UL - 100, 512, NEXT | WRITABLE}, {STATUS, 1, WRITABLE}},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(chains); i++) {
        blk_write_header(0, 0);
        blk_descriptor = 0;
        for (u32 j = 0; j < 4 && chains[i][j].gpa + chains[i][j].bytes != 0; j++)
            blk_describe(chains[i][j].gpa, chains[i][j].bytes, chains[i][j].flags);
        blk_offer(0);
        check_stopped();
    }
}

static void test_a_chain_that_never_ends_stops_the_device(void **state)
{
    (void)state;
    for (u32 loop = 0; loop < QUEUE; loop++) {
        blk_descriptor = 0;
        for (u32 i = 0; i < QUEUE; i++)
            blk_describe(HEADER, 16, NEXT);
        blk_poke(DESCRIPTORS + 16 * (QUEUE - 1) + 14, loop, 2);
        blk_offer(0);
        check_stopped();
    }
}

/* A descriptor at any number, also behind the last. */
static void describe_at(u32 number, u64 gpa, u32 bytes, u32 flags, u32 next)
{
    u64 at = DESCRIPTORS + (u64)number * 16;

    blk_poke(at, gpa, 8);
    blk_poke(at + 8, bytes, 4);
    blk_poke(at + 12, flags, 2);
    blk_poke(at + 14, next, 2);
}

static void test_numbers_that_name_nothing_stop_the_device(void **state)
{
    (void)state;
    /* What stands behind the queue's last descriptor would be a request. */
    blk_write_header(4, 0);
    describe_at(QUEUE, HEADER, 16, NEXT, 0);
    describe_at(0, STATUS, 1, WRITABLE, 0);
    blk_offer(QUEUE);
    check_stopped();
    blk_offer(0xffff);
    check_stopped();
    blk_descriptor = 0;
    blk_describe(HEADER, 16, NEXT);
    describe_at(0, HEADER, 16, NEXT, QUEUE);
    describe_at(QUEUE, STATUS, 1, WRITABLE, 0);
    blk_offer(0);
    check_stopped();
    blk_poke(AVAILABLE + 2, QUEUE + 1, 2); /* more than there can be */
    check_stopped();
    blk_poke(AVAILABLE + 2, 0xffff, 2);
    check_stopped();
}

static void test_rings_outside_of_memory_stop_the_device(void **state)
{
    static const u64 rings[][3] = {
        {BLK_RAM_BASE + BLK_RAM_BYTES, AVAILABLE, USED},
        {DESCRIPTORS, BLK_RAM_BASE - 16, USED},
        {DESCRIPTORS, ~0UL - 1, USED},
        {DESCRIPTORS, AVAILABLE, BLK_RAM_BASE + BLK_RAM_BYTES - 4},
        {DESCRIPTORS, AVAILABLE, ~0UL - 3},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(rings); i++) {
        blk_set_up(QUEUE, rings[i][0], rings[i][1], rings[i][2]);
        blk_write_header(4, 0);
        blk_describe(HEADER, 16, NEXT);
        blk_describe(STATUS, 1, WRITABLE);
        blk_offer(0);
        check_stopped();
    }
}

/* The device writes its status over the descriptors, its data over the rings: it goes by its copy.
 */
static void test_a_request_that_overwrites_its_own_rings_is_served_by_its_copy(void **state)
{
    (void)state;
    blk_write_header(0, 0);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(DESCRIPTORS, 512, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_kick();
    assert_int_equal(blk_peek(STATUS, 1), 0);
    assert_memory_equal(blk_ram + (DESCRIPTORS - BLK_RAM_BASE), blk_disk, 512);
    assert_int_equal(blk_peek(USED + 2, 2), 1);
}

static void test_the_queue_cannot_change_while_it_is_ready(void **state)
{
    (void)state;
    blk_put(0x38, 4);
    blk_put_long(0x80, 0);
    blk_put_long(0x90, 0);
    blk_put_long(0xa0, 0);
    blk_put(REG_READY, 1);
    assert_int_equal(blk_request(0, 0, 512, WRITABLE), 0);
    blk_put(REG_READY, 0);
    assert_int_equal(blk_get(REG_READY), 0);
    blk_put(REG_NOTIFY, 0);
    assert_false(blk.more);
}

#define fresh(test) cmocka_unit_test_setup(test, blk_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(test_a_queue_that_cannot_be_does_not_become_ready),
        fresh(test_a_chain_that_breaks_a_rule_stops_the_device),
        fresh(test_a_chain_that_never_ends_stops_the_device),
        fresh(test_numbers_that_name_nothing_stop_the_device),
        fresh(test_rings_outside_of_memory_stop_the_device),
        fresh(test_a_request_that_overwrites_its_own_rings_is_served_by_its_copy),
        fresh(test_the_queue_cannot_change_while_it_is_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
