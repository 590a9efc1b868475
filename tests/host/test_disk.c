/* SPDX-License-Identifier: MIT */
/*
 * Candor's driver of the machine's disks, against devices that do as they should and devices that
 * lie.
 */
#include "check.h"

#include "arch/arch.h"
#include "candor_abi.h"
#include "driver/disk.h"
#include "fake_disk.h"
#include "mem/frame.h"
#include "world.h"

enum { SECTOR = VIRTIO_SECTOR_BYTES };

static struct fake_disk *device = &fake_disks[0];
static struct disk *disk;

/* Two VMs, of which the first has the disk in slot 0. */
static int start(void **state)
{
    const struct world_image images[2] = {{.disk_slot = 1}, {0}};

    (void)state;
    world_start(2, images);
    disk = vms[0]->disk;
    assert_non_null(disk);
    return 0;
}

static int with_disk(void **state)
{
    fake_disks_reset();
    device->there = true;
    return start(state);
}

static maddr_t machine_of(u32 vm, gpa_t address)
{
    return maddr(mfn_to_maddr(p2m_lookup(&vms[vm]->p2m, address.value >> FRAME_SHIFT)).value +
                 address.value % FRAME_BYTES);
}

/* A transfer of whole pages from world_data(n) on. */
static struct disk_transfer transfer(u32 operation, u64 sector, u32 page, u32 pages)
{
    struct disk_transfer made = {.operation = operation, .sector = sector, .piece_count = pages};

    for (u32 i = 0; i < pages; i++)
        made.pieces[i] = (struct disk_piece){machine_of(0, world_data(page + i)), FRAME_BYTES};
    return made;
}

static int submit(struct disk_transfer made)
{
    return disk_submit(disk, &made);
}

static void test_only_what_can_be_used_becomes_a_disk(void **state)
{
    fake_disks_reset();
    fake_disks[0] = (struct fake_disk){.there = true};
    fake_disks[1] = (struct fake_disk){.there = true, .legacy = true};
    fake_disks[2] = (struct fake_disk){.there = true, .no_flush = true};
    fake_disks[4] = (struct fake_disk){.there = true, .read_only = true};
    start(state);
    assert_int_equal(disk->sectors, FAKE_SECTORS);
    assert_non_null(strstr(world_log, "disk in slot 0: 256 sectors\n"));
    assert_non_null(strstr(world_log, "the disk in slot 1 is not used: it is a legacy device"));
    assert_non_null(strstr(world_log, "the disk in slot 2 is not used: it does not take"));
    assert_non_null(strstr(world_log, "disk in slot 4: 256 sectors, read-only\n"));
    assert_null(disk_claim(0, vms[1])); /* vm1 has it */
    assert_null(disk_claim(1, vms[1]));
    assert_null(disk_claim(2, vms[1]));
    assert_null(disk_claim(3, vms[1]));
    assert_null(disk_claim(FAKE_DISKS, vms[1]));
    assert_null(disk_claim(~0U, vms[1]));
    assert_ptr_equal(disk_claim(4, vms[1])->owner, vms[1]);
}

static void test_a_vm_whose_disk_is_not_there_does_not_start(void **state)
{
    const struct world_image images[2] = {{.disk_slot = 1}, {.disk_slot = 1}};

    (void)state;
    fake_disks_reset();
    world_start(2, images);
    assert_null(vms[0]);
    device->there = true;
    world_start(2, images);
    assert_int_equal(vms[0]->state, VM_RUNNING);
    assert_int_equal(vm_count, 1);
    assert_non_null(strstr(world_log, "vm2: not started: the machine has no disk for it"));
}

static void test_many_are_on_their_way_and_come_back_in_any_order(void **state)
{
    bool good, seen[DISK_TRANSFERS_MAX] = {false};
    u32 number;

    (void)state;
    for (u32 i = 0; i < DISK_TRANSFERS_MAX; i++) {
        memset(world_bytes(vms[0], world_data(i)), (int)i + 1, FRAME_BYTES);
        assert_int_equal(submit(transfer(DISK_OPERATION_WRITE, i * 8, i, 1)), i);
    }
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 1)), HC_IN_USE);
    disk_kick(disk);
    assert_int_equal(device->notified, 1);
    assert_false(disk_take_done(disk, &number, &good));
    fake_disk_do_all(device);
    for (u32 i = 0; i < DISK_TRANSFERS_MAX; i++) {
        assert_true(disk_take_done(disk, &number, &good));
        assert_true(good && !seen[number]);
        seen[number] = true;
        assert_int_equal(device->data[number * FRAME_BYTES + 17], number + 1);
    }
    assert_false(disk_take_done(disk, &number, &good));
    assert_true(disk_idle(disk));
}

static void test_pieces_follow_each_other(void **state)
{
    struct disk_transfer made = transfer(DISK_OPERATION_READ, 4, 1, 2);
    bool good;
    u32 number;

    (void)state;
    for (u32 i = 0; i < sizeof(device->data); i++)
        device->data[i] = (u8)(i / SECTOR);
    made.pieces[0].bytes = SECTOR;
    made.pieces[1].address = maddr(made.pieces[1].address.value + SECTOR);
    made.pieces[1].bytes = 2 * SECTOR;
    assert_int_equal(submit(made), 0);
    fake_disk_do_all(device);
    assert_true(disk_take_done(disk, &number, &good) && good);
    assert_int_equal(*(u8 *)world_bytes(vms[0], world_data(1)), 4);
    assert_int_equal(((u8 *)world_bytes(vms[0], world_data(1)))[SECTOR], 0);
    assert_int_equal(((u8 *)world_bytes(vms[0], world_data(2)))[SECTOR], 5);
    assert_int_equal(((u8 *)world_bytes(vms[0], world_data(2)))[2 * SECTOR], 6);
}

static void test_the_device_is_given_no_memory_but_its_owners_data(void **state)
{
    struct disk_transfer made = transfer(DISK_OPERATION_READ, 0, 0, 1);
    const maddr_t wrong[] = {
        machine_of(1, world_data(0)),
        machine_of(0, world_pool(0)),
        machine_of(0, world_pool(5)),
        maddr(HOST_MEMORY_BASE + FRAME_BYTES),
        maddr(mfn_to_maddr(frame_open_end).value),
        maddr(0),
        maddr(~0UL & ~(u64)(FRAME_BYTES - 1)),
        mfn_to_maddr(mfn(frame_open_base.number - 1)),
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        made.pieces[0].address = wrong[i];
        assert_int_equal(submit(made), HC_INVALID_ADDRESS);
    }
    made = transfer(DISK_OPERATION_READ, 0, 0, 1); /* one that goes on into the pool */
    made.pieces[0] = (struct disk_piece){
        machine_of(0, gpa(VM_MEMORY_BASE + 2 * CHUNK_BYTES - FRAME_BYTES)), 2 * FRAME_BYTES};
    assert_int_equal(submit(made), HC_INVALID_ADDRESS);
    made.pieces[0].bytes = 0;
    assert_int_equal(submit(made), HC_INVALID_ADDRESS);
    assert_true(disk_idle(disk));
}

static void test_impossible_transfers_are_refused(void **state)
{
    struct disk_transfer made;

    (void)state;
    assert_int_equal(submit(transfer(3, 0, 0, 1)), HC_INVALID_PARAM);
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 0)), HC_INVALID_PARAM);
    assert_int_equal(submit(transfer(DISK_OPERATION_FLUSH, 0, 0, 1)), HC_INVALID_PARAM);
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, FAKE_SECTORS - 7, 0, 1)),
                     HC_INVALID_PARAM);
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, ~0UL - 3, 0, 1)), HC_INVALID_PARAM);
    made = transfer(DISK_OPERATION_READ, 0, 0, 1);
    made.piece_count = DISK_PIECES_MAX + 1;
    assert_int_equal(submit(made), HC_INVALID_PARAM);
    made = transfer(DISK_OPERATION_READ, 0, 0, 1);
    made.pieces[0].bytes = SECTOR + 1;
    assert_int_equal(submit(made), HC_INVALID_PARAM);
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, FAKE_SECTORS - 8, 0, 1)), 0);
    fake_disk_do_all(device);
    assert_true(disk_idle(disk));
}

static void test_a_read_only_disk_is_not_written(void **state)
{
    (void)state;
    fake_disks_reset();
    *device = (struct fake_disk){.there = true, .read_only = true};
    start(state);
    assert_int_equal(submit(transfer(DISK_OPERATION_WRITE, 0, 0, 1)), HC_DENIED);
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 1)), 0);
    fake_disk_do_all(device);
    assert_true(disk_idle(disk));
}

static void test_an_error_is_told(void **state)
{
    bool good = true;
    u32 number;

    (void)state;
    device->fails = true;
    assert_int_equal(submit(transfer(DISK_OPERATION_WRITE, 0, 0, 1)), 0);
    assert_int_equal(submit(transfer(DISK_OPERATION_FLUSH, 0, 0, 0)), 1);
    fake_disk_do_all(device);
    assert_true(disk_take_done(disk, &number, &good) && !good);
    assert_true(disk_take_done(disk, &number, &good) && !good);
    assert_false(disk->broken);
}

/* Everything on its way has failed, and nothing can be asked for any more. */
static void expect_broken(u32 on_their_way)
{
    bool good;
    u32 number;

    for (u32 i = 0; i < on_their_way; i++) {
        assert_true(disk_take_done(disk, &number, &good));
        assert_false(good);
    }
    assert_false(disk_take_done(disk, &number, &good));
    assert_int_equal(device->status, 0); /* reset: it touches memory no more */
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 1)), HC_FAILED);
    disk_kick(disk);
    assert_true(disk_idle(disk));
    assert_non_null(strstr(world_log, "the disk in slot 0 breaks the rules"));
}

static void test_a_device_that_names_what_is_not_on_its_way_is_stopped(void **state)
{
    /* first descriptors: between two transfers, of none, of one that is not on its way, beyond */
    const u32 wrong[] = {1, 7, 2 * 8, 31 * 8, 32 * 8, 0xffffffff, 0xfffffff8};

    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        with_disk(state);
        assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 1)), 0);
        assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 1, 1)), 1);
        fake_disk_give(device, wrong[i], 1);
        expect_broken(2);
    }
}

static void test_a_device_that_answers_twice_or_too_often_is_stopped(void **state)
{
    bool good;
    u32 number;

    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 1)), 0);
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 1, 1)), 1);
    fake_disk_give(device, 0, 1);
    fake_disk_give(device, 0, 1);
    assert_true(disk_take_done(disk, &number, &good));
    expect_broken(1);
    with_disk(state);
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 1)), 0);
    assert_true(
        fake_disk_do(device, 0)); /* what it has done with the first is not believed either */
    fake_disk_give(device, 0, DISK_TRANSFERS_MAX);
    expect_broken(1);
}

static void test_a_device_that_wants_a_reset_is_not_used_any_more(void **state)
{
    (void)state;
    assert_int_equal(submit(transfer(DISK_OPERATION_READ, 0, 0, 1)), 0);
    device->status |= VIRTIO_STATUS_NEEDS_RESET;
    device->interrupt_status |= VIRTIO_INTERRUPT_CONFIGURATION;
    fake_disk_interrupt(device);
    assert_int_equal(device->interrupt_status, 0);
    expect_broken(1);
}

static void test_the_bounce_sector_is_the_devices_too(void **state)
{
    struct disk_transfer made = {.operation = DISK_OPERATION_READ,
                                 .piece_count = 1,
                                 .sector = 3,
                                 .pieces = {disk_bounce_piece(disk)}};

    (void)state;
    device->data[3 * SECTOR] = 77;
    assert_int_equal(submit(made), 0);
    fake_disk_do_all(device);
    assert_true(disk_idle(disk));
    assert_int_equal(disk_bounce(disk)[0], 77);
    made.pieces[0].bytes += SECTOR; /* no more than it */
    assert_int_equal(submit(made), HC_INVALID_ADDRESS);
}

static void test_an_interrupt_is_for_its_owner(void **state)
{
    (void)state;
    vms[0]->vcpus[0].events_wanted = 0;
    assert_ptr_equal(disk_interrupt(1), vms[0]);
    assert_null(disk_interrupt(2)); /* an empty slot */
    assert_null(disk_interrupt(99));
    assert_int_equal(vms[0]->vcpus[0].events_wanted & EVENT_DISK, EVENT_DISK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_can_be_used_becomes_a_disk),
        cmocka_unit_test(test_a_vm_whose_disk_is_not_there_does_not_start),
        cmocka_unit_test_setup(test_many_are_on_their_way_and_come_back_in_any_order, with_disk),
        cmocka_unit_test_setup(test_pieces_follow_each_other, with_disk),
        cmocka_unit_test_setup(test_the_device_is_given_no_memory_but_its_owners_data, with_disk),
        cmocka_unit_test_setup(test_impossible_transfers_are_refused, with_disk),
        cmocka_unit_test_setup(test_a_read_only_disk_is_not_written, with_disk),
        cmocka_unit_test_setup(test_an_error_is_told, with_disk),
        cmocka_unit_test_setup(test_a_device_that_names_what_is_not_on_its_way_is_stopped,
                               with_disk),
        cmocka_unit_test_setup(test_a_device_that_answers_twice_or_too_often_is_stopped, with_disk),
        cmocka_unit_test_setup(test_a_device_that_wants_a_reset_is_not_used_any_more, with_disk),
        cmocka_unit_test_setup(test_the_bounce_sector_is_the_devices_too, with_disk),
        cmocka_unit_test_setup(test_an_interrupt_is_for_its_owner, with_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
