/* SPDX-License-Identifier: MIT */
/*
 * The block device's model, driven by a driver that keeps the rules: registers, requests of every
 * kind and shape, work in steps, interrupts.
 */
#include "check.h"

#include "blk_driver.h"

static void test_registers_identify_a_block_device(void **state)
{
    u64 value;

    (void)state;
    assert_int_equal(blk_get(0x0), 0x74726976);
    assert_int_equal(blk_get(0x4), 2);
    assert_int_equal(blk_get(0x8), 2);
    assert_int_equal(blk_get(0x34), VQUEUE_SIZE_MAX);
    blk_put(0x14, 1);
    assert_int_equal(blk_get(0x10), 1);
    blk_put(0x14, 0);
    assert_int_equal(blk_get(0x10), 1 << 9 | 1 << 6 | 1 << 2);
    blk.read_only = true;
    assert_int_equal(blk_get(0x10), 1 << 9 | 1 << 6 | 1 << 5 | 1 << 2);
    blk_put(0x14, 2);
    assert_int_equal(blk_get(0x10), 0);
    assert_int_equal(blk_get(0x100), SECTORS);
    assert_int_equal(blk_get(0x114), 512);
    assert_true(vblk_ops.read(&blk, 0x100, 8, &value));
    assert_int_equal(value, SECTORS);
    assert_true(vblk_ops.read(&blk, 0x114 + 1, 1, &value));
    assert_int_equal(value, 2);
    assert_int_equal(blk_get(0x1fc), 0);
    blk_put(0x30, 1);
    assert_int_equal(blk_get(0x34), 0);
    assert_int_equal(blk_get(REG_READY), 0);
}

static void test_registers_of_other_widths_read_zero_and_write_nothing(void **state)
{
    (void)state;
    for (u64 offset = 0; offset < 0x100; offset++) {
        u64 value = 1;

        assert_true(vblk_ops.read(&blk, offset, 1, &value));
        assert_int_equal(value, 0);
        assert_true(vblk_ops.write(&blk, offset, 2, 0));
    }
    assert_int_equal(blk_get(REG_STATUS), RUNNING);
}

static void test_features_that_were_not_offered_are_refused(void **state)
{
    (void)state;
    for (u32 bit = 0; bit < 64; bit++) {
        bool offered = bit == 2 || bit == 6 || bit == 9 || bit == 32;

        blk_put(REG_STATUS, 0);
        blk_put(REG_STATUS, 3);
        blk_put(0x24, bit / 32);
        blk_put(0x20, 1U << bit % 32);
        blk_put(REG_STATUS, 0xb);
        assert_int_equal(blk_get(REG_STATUS), offered ? 0xb : 3);
    }
}

static void test_sectors_are_read_and_written(void **state)
{
    (void)state;
    for (u32 sector = 0; sector < SECTORS; sector += 7) {
        u32 bytes = 512 * (1 + sector % 3);

        assert_int_equal(blk_request(0, sector % 50, bytes, WRITABLE), 0);
        assert_int_equal(blk_used_bytes(), bytes + 1);
        assert_memory_equal(blk_ram + (BUFFER - BLK_RAM_BASE), blk_disk + sector % 50 * 512, bytes);
        for (u32 i = 0; i < bytes; i++)
            blk_ram[BUFFER - BLK_RAM_BASE + i] ^= 0xff;
        assert_int_equal(blk_request(1, sector % 50, bytes, READABLE), 0);
        assert_int_equal(blk_used_bytes(), 1);
        assert_memory_equal(blk_ram + (BUFFER - BLK_RAM_BASE), blk_disk + sector % 50 * 512, bytes);
    }
}

static void test_requests_that_cannot_be_fail_and_change_nothing(void **state)
{
    static const struct {
        u32 type;
        u64 sector;
        u32 bytes, direction, status;
    } cases[] = {
        {0, SECTORS, 512, WRITABLE, 1},
        {0, SECTORS - 1, 1024, WRITABLE, 1},
        {0, ~0UL, 512, WRITABLE, 1},
        {0, 1UL << 55, 512, WRITABLE, 1},
        {0, 0, 511, WRITABLE, 1},
        {0, BAD_SECTOR, 512, WRITABLE, 1},
        {1, SECTORS, 512, READABLE, 1},
        {1, 0, 513, READABLE, 1},
        {1, BAD_SECTOR, 512, READABLE, 1},
        {2, 0, 512, READABLE, 2},
        {11, 0, 512, READABLE, 2},
        {~0U, 0, 0, READABLE, 2},
        {0, SECTORS, 0, READABLE, 0}, /* of no sectors */
        {4, 0, 0, READABLE, 0},
    };
    static u8 before[sizeof(blk_disk)];

    (void)state;
    memcpy(before, blk_disk, sizeof(blk_disk));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(
            blk_request(cases[i].type, cases[i].sector, cases[i].bytes, cases[i].direction),
            cases[i].status);
    blk.read_only = true;
    assert_int_equal(blk_request(1, 0, 512, READABLE), 1);
    assert_memory_equal(before, blk_disk, sizeof(blk_disk));
    assert_int_equal(blk_get(REG_STATUS), RUNNING);
}

static void test_the_device_says_who_it_is(void **state)
{
    (void)state;
    assert_int_equal(blk_request(8, 0, 20, WRITABLE), 0);
    assert_int_equal(blk_used_bytes(), 21);
    assert_string_equal((char *)blk_ram + (BUFFER - BLK_RAM_BASE), "candor-disk");
    memset(blk_ram + (BUFFER - BLK_RAM_BASE), UNTOUCHED, 20);
    assert_int_equal(blk_request(8, 0, 3, WRITABLE), 0);
    assert_memory_equal(blk_ram + (BUFFER - BLK_RAM_BASE), "canZ", 4);
}

/* Header, data and status cut into pieces anywhere (2.7.4). */
static void test_a_request_may_be_cut_into_buffers_anywhere(void **state)
{
    (void)state;
    for (u32 cut = 0; cut <= 16; cut++) {
        blk_write_header(0, 3);
        memset(blk_ram + (BUFFER - BLK_RAM_BASE), UNTOUCHED, 1024);
        blk_descriptor = 0;
        blk_describe(HEADER, cut, NEXT);
        blk_describe(HEADER + cut, 16 - cut, NEXT);
        blk_describe(BUFFER, 1 + cut * 20, NEXT | WRITABLE);
        blk_describe(BUFFER + 600, 0, NEXT | WRITABLE);
        blk_describe(BUFFER + 1 + cut * 20, 512 - cut * 20, WRITABLE); /* its last is the status */
        blk_offer(0);
        blk_kick();
        assert_int_equal(blk_used_bytes(), 513);
        assert_memory_equal(blk_ram + (BUFFER - BLK_RAM_BASE), blk_disk + 3 * 512, 512);
        assert_int_equal(blk_ram[BUFFER - BLK_RAM_BASE + 512], 0);
        assert_int_equal(blk_ram[BUFFER - BLK_RAM_BASE + 513], UNTOUCHED);
    }
}

static void test_a_buffer_outside_of_memory_is_an_error_of_the_request(void **state)
{
    static const u64 places[] = {0, BLK_RAM_BASE - 512, BLK_RAM_BASE + BLK_RAM_BYTES - 511,
                                 1UL << 63, ~0UL - 4095};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(places); i++)
        for (u32 type = 0; type < 2; type++) {
            blk_write_header(type, 0);
            blk_descriptor = 0;
            blk_describe(HEADER, 16, NEXT);
            blk_describe(places[i], 512, NEXT | (type == 0 ? WRITABLE : READABLE));
            blk_describe(STATUS, 1, WRITABLE);
            blk_offer(0);
            blk_kick();
            assert_int_equal(blk_peek(STATUS, 1), 1);
            assert_int_equal(blk_used_bytes(), type == 0 ? 0 : 1);
        }
    assert_int_equal(blk_get(REG_STATUS), RUNNING);
}

static void test_work_is_done_in_bounded_steps(void **state)
{
    u32 calls = 1;

    (void)state;
    blk_write_header(0, 0);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(BUFFER, 40 * 512, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_offer(0);
    blk_offer(0);
    blk_put(REG_NOTIFY, 0);
    assert_true(blk.more);
    assert_false(blk.line.level);
    assert_true(blk_peek(STATUS, 1) == UNTOUCHED);
    while (vblk_serve(&blk))
        calls++;
    assert_int_equal(blk_peek(USED + 2, 2), 3);
    assert_true(calls >= 3 * 40 / VBLK_STEPS);
    assert_memory_equal(blk_ram + (BUFFER - BLK_RAM_BASE), blk_disk, 40 * 512);
}

static void test_the_interrupt_is_a_level_until_acknowledged(void **state)
{
    (void)state;
    assert_int_equal(blk_request(4, 0, 0, 0), 0);
    assert_true(blk.line.level);
    assert_int_equal(blk_get(REG_INTERRUPT), 1);
    blk_put(REG_ACKNOWLEDGE, 2);
    assert_true(blk.line.level);
    blk_put(REG_ACKNOWLEDGE, 1);
    assert_false(blk.line.level);
    blk_poke(AVAILABLE, 1, 2); /* no interrupt, please */
    assert_int_equal(blk_request(4, 0, 0, 0), 0);
    assert_int_equal(blk_get(REG_INTERRUPT), 0);
    assert_int_equal(blk_line_changes, 2);
}

static void test_the_ring_indices_wrap_around(void **state)
{
    (void)state;
    for (u32 i = 0; i < 66000; i++) {
        blk_descriptor = 0;
        assert_int_equal(blk_request(4, 0, 0, 0), 0);
    }
}

static void test_nothing_is_served_before_the_driver_is_ready(void **state)
{
    static const u32 statuses[] = {0, 3, 0xb, 0x8f};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(statuses); i++) {
        blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
        blk_put(REG_STATUS, statuses[i]);
        blk_available = 0;
        blk_describe(HEADER, 16, NEXT);
        blk_describe(STATUS, 1, WRITABLE);
        blk_offer(0);
        blk_kick();
        blk_put(REG_NOTIFY, 1);
        assert_int_equal(blk_peek(USED + 2, 2), 0);
    }
}

static void test_a_flush_reaches_the_medium(void **state)
{
    (void)state;
    assert_int_equal(blk_request(1, 0, 512, READABLE), 0);
    assert_int_equal(blk_flushes, 0);
    assert_int_equal(blk_request(4, 0, 0, 0), 0);
    assert_int_equal(blk_flushes, 1);
}

static void test_a_slow_medium_is_waited_for_without_a_step(void **state)
{
    (void)state;
    blk_slow = true;
    blk_write_header(0, 0);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(BUFFER, 2 * 512, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_put(REG_NOTIFY, 0);
    assert_false(blk.more);
    blk_put(REG_NOTIFY, 0);
    assert_false(vblk_serve(&blk));
    assert_int_equal(blk_peek(STATUS, 1), UNTOUCHED);
    assert_int_equal(blk_peek(BUFFER, 1), UNTOUCHED);
    blk_slow = false;
    assert_false(vblk_serve(&blk));
    assert_int_equal(blk_peek(STATUS, 1), 0);
    assert_true(blk.line.level);
    assert_memory_equal(blk_ram + (BUFFER - BLK_RAM_BASE), blk_disk, 2 * 512);
}

static void test_what_the_medium_does_after_a_reset_reaches_no_request(void **state)
{
    (void)state;
    blk_slow = true;
    blk_write_header(0, 0);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(BUFFER, 512, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_put(REG_NOTIFY, 0);
    blk_poke(AVAILABLE + 2, 0, 2);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
    blk_write_header(0, 7);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(BUFFER + 512, 512, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_put(REG_NOTIFY, 0);
    assert_int_equal(blk_peek(STATUS, 1), UNTOUCHED); /* the new one waits for the old */
    blk_slow = false;
    (void)vblk_serve(&blk);
    assert_int_equal(blk_peek(STATUS, 1), 0);
    assert_int_equal(blk_peek(BUFFER, 1), UNTOUCHED);
    assert_memory_equal(blk_ram + (BUFFER + 512 - BLK_RAM_BASE), blk_disk + 7 * 512, 512);
}

static void test_a_reset_ends_what_is_going_on(void **state)
{
    (void)state;
    blk_write_header(0, 0);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(BUFFER, 40 * 512, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_put(REG_NOTIFY, 0);
    assert_true(blk.more);
    blk_put(REG_STATUS, 0);
    assert_false(blk.more);
    assert_false(vblk_serve(&blk));
    assert_int_equal(blk_peek(STATUS, 1), UNTOUCHED);
    blk_poke(AVAILABLE + 2, 0, 2);
    blk_poke(USED + 2, 0, 2);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
    assert_int_equal(blk_request(0, 1, 512, WRITABLE), 0);
}

#define fresh(test) cmocka_unit_test_setup(test, blk_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(test_registers_identify_a_block_device),
        fresh(test_registers_of_other_widths_read_zero_and_write_nothing),
        fresh(test_features_that_were_not_offered_are_refused),
        fresh(test_sectors_are_read_and_written),
        fresh(test_requests_that_cannot_be_fail_and_change_nothing),
        fresh(test_the_device_says_who_it_is),
        fresh(test_a_request_may_be_cut_into_buffers_anywhere),
        fresh(test_a_buffer_outside_of_memory_is_an_error_of_the_request),
        fresh(test_work_is_done_in_bounded_steps),
        fresh(test_the_interrupt_is_a_level_until_acknowledged),
        fresh(test_the_ring_indices_wrap_around),
        fresh(test_nothing_is_served_before_the_driver_is_ready),
        fresh(test_a_flush_reaches_the_medium),
        fresh(test_a_slow_medium_is_waited_for_without_a_step),
        fresh(test_what_the_medium_does_after_a_reset_reaches_no_request),
        fresh(test_a_reset_ends_what_is_going_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
