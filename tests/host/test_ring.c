/* SPDX-License-Identifier: MIT */
/*
 * A paravirtual guest's disk: what its requests do, what becomes of those that may not be, and that
 * what is on its way stays its own to the end.
 */
#include "check.h"

#include "candor_dispatch.h"
#include "core/event.h"
#include "core/sched.h"
#include "fake_disk.h"
#include "mem/frame.h"
#include "world.h"

enum {
    RING = 32,
    RING_PAGE = 40, /* world_data() of it */
    SECTOR = VIRTIO_SECTOR_BYTES,
};

static struct fake_disk *device = &fake_disks[0];
static struct vcpu *cpu;
static struct disk_ring *ring;
static u32 read_so_far; /* responses */

static int start(void **state)
{
    const struct world_image images[2] = {{.disk_slot = 1}, {0}};

    (void)state;
    world_start(2, images);
    cpu = &vms[0]->vcpus[0];
    while (arch_hart()->current != cpu) {
        arch_hart()->reschedule = true;
        (void)sched_next(arch_hart());
    }
    ring = world_bytes(vms[0], world_data(RING_PAGE));
    read_so_far = 0;
    return 0;
}

static int attached(void **state)
{
    fake_disks_reset();
    device->there = true;
    start(state);
    memset(ring, 0xee, sizeof(*ring));
    assert_int_equal(check_value(hc_disk_attach(cpu, world_data(RING_PAGE))), FAKE_SECTORS);
    return 0;
}

static int audited(void **state)
{
    (void)state;
    assert_int_equal(world_audit(), 0);
    return 0;
}

/* A request for one page. */
static struct disk_request page_request(u64 id, u32 operation, u64 sector, u32 page)
{
    return (struct disk_request){
        .id = id,
        .operation = operation,
        .sector = sector,
        .segment_count = operation != DISK_OPERATION_FLUSH,
        .segments = {{.gpa = world_data(page).value, .bytes = FRAME_BYTES}},
    };
}

static void put(struct disk_request request)
{
    ring->requests[ring->requests_made++ % RING] = request;
}

/* What the guest is told next. */
static struct disk_response next(void)
{
    event_deliver(cpu);
    assert_int_not_equal(ring->responses_made, read_so_far);
    return ring->responses[read_so_far++ % RING];
}

static void expect_none(void)
{
    event_deliver(cpu);
    assert_int_equal(ring->responses_made, read_so_far);
}

static void test_a_ring_is_attached_once_and_is_empty(void **state)
{
    (void)state;
    assert_int_equal(ring->sectors, FAKE_SECTORS);
    assert_int_equal(ring->flags, 0);
    assert_int_equal(ring->requests_made, 0);
    assert_int_equal(ring->responses_made, 0);
    check_error(hc_disk_attach(cpu, world_data(1)), HC_EXISTS);
    assert_int_equal(check_value(hc_disk_kick(cpu)), 0);
    check_value(hc_disk_detach(cpu));
    check_error(hc_disk_detach(cpu), HC_DENIED);
    check_error(hc_disk_kick(cpu), HC_DENIED);
    check_value(hc_disk_attach(cpu, world_data(1)));
}

static void test_a_page_that_may_not_be_a_ring_is_refused(void **state)
{
    (void)state;
    check_value(hc_disk_detach(cpu));
    check_error(hc_disk_attach(cpu, gpa(world_data(1).value + 8)), HC_INVALID_ADDRESS);
    check_error(hc_disk_attach(cpu, gpa(VM_MEMORY_BASE + WORLD_VM_MEMORY)), HC_INVALID_ADDRESS);
    check_error(hc_disk_attach(cpu, gpa(0)), HC_INVALID_ADDRESS);
    check_error(hc_disk_attach(cpu, world_pool(3)), HC_IS_POOL);
    check_error(hc_disk_attach(&vms[1]->vcpus[0], world_data(1)), HC_NOT_SUPPORTED);
    check_error(hc_disk_attach(&vms[1]->vcpus[0], world_pool(1)), HC_IS_POOL);
    check_error(hc_disk_kick(&vms[1]->vcpus[0]), HC_DENIED);
    check_error(hc_disk_detach(&vms[1]->vcpus[0]), HC_DENIED);
}

static void test_what_is_written_is_read_again(void **state)
{
    struct disk_response response;

    (void)state;
    memset(world_bytes(vms[0], world_data(1)), 0x5a, FRAME_BYTES);
    put(page_request(7, DISK_OPERATION_WRITE, 16, 1));
    put(page_request(8, DISK_OPERATION_FLUSH, 0, 0));
    assert_int_equal(check_value(hc_disk_kick(cpu)), 2);
    assert_int_equal(device->notified, 1);
    expect_none();
    while (fake_disk_do(device, 0))
        continue;
    fake_disk_interrupt(device);
    response = next();
    assert_int_equal(response.id, 7);
    assert_int_equal(response.status, HC_OK);
    assert_int_equal(next().id, 8);
    assert_int_equal(device->flushed, 1);
    put(page_request(9, DISK_OPERATION_READ, 16, 2));
    assert_int_equal(check_value(hc_disk_kick(cpu)), 1);
    fake_disk_do_all(device);
    response = next();
    assert_int_equal(response.id, 9);
    assert_int_equal(response.status, HC_OK);
    assert_memory_equal(world_bytes(vms[0], world_data(1)), world_bytes(vms[0], world_data(2)),
                        FRAME_BYTES);
    expect_none();
}

static void test_segments_of_sectors_follow_each_other(void **state)
{
    struct disk_request request = {
        .id = 1, .operation = DISK_OPERATION_READ, .sector = 10, .segment_count = 4};

    (void)state;
    for (u32 i = 0; i < sizeof(device->data); i++)
        device->data[i] = (u8)(i / SECTOR);
    for (u32 i = 0; i < 4; i++)
        request.segments[i] = (struct disk_segment){
            .gpa = world_data(i).value + FRAME_BYTES - (i + 1) * SECTOR, .bytes = (i + 1) * SECTOR};
    put(request);
    check_value(hc_disk_kick(cpu));
    fake_disk_do_all(device);
    assert_int_equal(next().status, HC_OK);
    for (u32 i = 0, sector = 10; i < 4; i++) {
        const u8 *bytes = world_bytes(vms[0], gpa(request.segments[i].gpa));

        for (u32 j = 0; j <= i; j++)
            assert_int_equal(bytes[j * SECTOR], sector++);
    }
}

/* What is wrong with a request, and what its answer is. */
struct wrong {
    struct disk_request request;
    i64 status;
};

#define SEGMENT(address, length)                                            \
    {                                                                       \
        .operation = DISK_OPERATION_READ, .segment_count = 1, .segments = { \
            {.gpa = (address), .bytes = (length)}                           \
        }                                                                   \
    }

static void test_each_wrong_request_is_answered_by_itself(void **state)
{
    const u64 data = world_data(1).value, end = VM_MEMORY_BASE + WORLD_VM_MEMORY;
    struct wrong wrong[] = {
        {{.operation = 3}, HC_INVALID_PARAM},
        {{.operation = ~0U, .segment_count = 1}, HC_INVALID_PARAM},
        {{.operation = DISK_OPERATION_READ}, HC_INVALID_PARAM},
        {page_request(0, DISK_OPERATION_READ, 0, 1), HC_INVALID_PARAM}, /* 5 segments */
        {page_request(0, DISK_OPERATION_READ, 0, 1), HC_INVALID_PARAM}, /* a flush of a page */
        {page_request(0, DISK_OPERATION_READ, FAKE_SECTORS - 7, 1), HC_INVALID_PARAM},
        {page_request(0, DISK_OPERATION_READ, ~0UL - 6, 1), HC_INVALID_PARAM},
        {page_request(0, DISK_OPERATION_READ, 1UL << 55, 1), HC_INVALID_PARAM},
        {SEGMENT(data, 0), HC_INVALID_PARAM},
        {SEGMENT(data, SECTOR - 1), HC_INVALID_PARAM},
        {SEGMENT(data, 2 * FRAME_BYTES), HC_INVALID_PARAM},
        {SEGMENT(data, ~0U & ~(u32)(SECTOR - 1)), HC_INVALID_PARAM},
        {SEGMENT(data + SECTOR, FRAME_BYTES), HC_INVALID_PARAM}, /* on into the next page */
        {SEGMENT(data + 8, SECTOR), HC_INVALID_ADDRESS},
        {SEGMENT(end, SECTOR), HC_INVALID_ADDRESS},
        {SEGMENT(0, SECTOR), HC_INVALID_ADDRESS},
        {SEGMENT(~0UL & ~(u64)(FRAME_BYTES - 1), SECTOR), HC_INVALID_ADDRESS},
        {SEGMENT(VM_MEMORY_BASE - FRAME_BYTES, SECTOR), HC_INVALID_ADDRESS},
        {SEGMENT(world_pool(0).value, FRAME_BYTES), HC_IS_POOL},
        {SEGMENT(world_pool(9).value, FRAME_BYTES), HC_IS_POOL},
        {page_request(0, DISK_OPERATION_READ, 0, 1), HC_INVALID_PARAM}, /* reserved words */
        {page_request(0, DISK_OPERATION_READ, 0, 1), HC_INVALID_PARAM},
    };

    (void)state;
    wrong[3].request.segment_count = 5;
    for (u32 i = 1; i < ARRAY_SIZE(wrong[3].request.segments); i++)
        wrong[3].request.segments[i] = wrong[3].request.segments[0];
    wrong[4].request.operation = DISK_OPERATION_FLUSH;
    wrong[ARRAY_SIZE(wrong) - 2].request.reserved = 1;
    wrong[ARRAY_SIZE(wrong) - 1].request.segments[0].reserved = 1;
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct disk_response response;

        wrong[i].request.id = 1000 + i;
        put(wrong[i].request);
        assert_int_equal(check_value(hc_disk_kick(cpu)), 1);
        response = next();
        assert_int_equal(response.id, 1000 + i);
        if (response.status != wrong[i].status)
            fail_msg("request %u: status %ld", i, response.status);
        assert_false(fake_disk_do(device, 0));
    }
    check_value(hc_disk_detach(cpu));
}

static void test_the_last_good_segment_does_not_excuse_a_bad_one(void **state)
{
    struct disk_request request = page_request(1, DISK_OPERATION_READ, 0, 1);

    (void)state;
    request.segment_count = 2;
    request.segments[1] = (struct disk_segment){.gpa = world_pool(1).value, .bytes = FRAME_BYTES};
    put(request);
    check_value(hc_disk_kick(cpu));
    assert_int_equal(next().status, HC_IS_POOL);
    assert_false(fake_disk_do(device, 0));
}

static void test_a_read_only_disk_says_so(void **state)
{
    fake_disks_reset();
    *device = (struct fake_disk){.there = true, .read_only = true};
    start(state);
    check_value(hc_disk_attach(cpu, world_data(RING_PAGE)));
    assert_int_equal(ring->flags, DISK_FLAG_READ_ONLY);
    put(page_request(1, DISK_OPERATION_WRITE, 0, 1));
    check_value(hc_disk_kick(cpu));
    assert_int_equal(next().status, HC_DENIED);
}

static void test_what_the_disk_cannot_do_has_failed(void **state)
{
    (void)state;
    device->fails = true;
    put(page_request(1, DISK_OPERATION_WRITE, 0, 1));
    check_value(hc_disk_kick(cpu));
    fake_disk_do_all(device);
    assert_int_equal(next().status, HC_FAILED);
}

static void test_an_index_from_nowhere_takes_nothing(void **state)
{
    const u32 wrong[] = {RING + 1, 1000, 1U << 31, ~0U};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        ring->requests_made = wrong[i];
        check_error(hc_disk_kick(cpu), HC_INVALID_PARAM);
    }
    ring->requests_made = 0;
    put(page_request(1, DISK_OPERATION_READ, 0, 1));
    assert_int_equal(check_value(hc_disk_kick(cpu)), 1);
    ring->requests_made = 0; /* taken back: it is gone */
    check_error(hc_disk_kick(cpu), HC_INVALID_PARAM);
    fake_disk_do_all(device);
    assert_int_equal(next().id, 1);
}

static void test_a_full_ring_is_taken_in_pieces_and_no_further(void **state)
{
    (void)state;
    for (u32 i = 0; i < RING; i++)
        put(page_request(i, DISK_OPERATION_READ, i, i % 8));
    assert_int_equal(check_value(hc_disk_kick(cpu)), 16);
    assert_int_equal(check_value(hc_disk_kick(cpu)), 16);
    assert_int_equal(check_value(hc_disk_kick(cpu)), 0);
    put(page_request(99, DISK_OPERATION_READ, 0, 1));
    check_error(hc_disk_kick(cpu), HC_IN_USE);
    fake_disk_do_all(device);
    for (u32 i = 0; i < RING; i++)
        assert_int_equal(next().id, RING - 1 - i);
    assert_int_equal(check_value(hc_disk_kick(cpu)), 1);
    fake_disk_do_all(device);
    assert_int_equal(next().id, 99);
}

static void test_counts_wrap_around(void **state)
{
    (void)state;
    vms[0]->pv.ring.taken = vms[0]->pv.ring.answered = ~0U - 5;
    ring->requests_made = ring->responses_made = read_so_far = ~0U - 5;
    for (u32 i = 0; i < 20; i++) {
        put(page_request(i, DISK_OPERATION_READ, i, 1));
        assert_int_equal(check_value(hc_disk_kick(cpu)), 1);
        fake_disk_do_all(device);
        assert_int_equal(next().id, i);
    }
}

static void test_a_request_that_is_changed_on_its_way_stays_what_it_was(void **state)
{
    (void)state;
    device->data[0] = 0x77;
    put(page_request(5, DISK_OPERATION_READ, 0, 1));
    check_value(hc_disk_kick(cpu));
    memset(ring->requests, 0xff, sizeof(ring->requests));
    ring->responses_made = 12345; /* nor does Candor read what it has written */
    fake_disk_do_all(device);
    event_deliver(cpu);
    assert_int_equal(ring->responses_made, 1);
    assert_int_equal(ring->responses[0].id, 5);
    assert_int_equal(*(u8 *)world_bytes(vms[0], world_data(1)), 0x77);
}

static void test_a_ring_with_requests_on_their_way_stays(void **state)
{
    (void)state;
    put(page_request(5, DISK_OPERATION_READ, 0, 1));
    check_value(hc_disk_kick(cpu));
    check_error(hc_disk_detach(cpu), HC_IN_USE);
    fake_disk_do_all(device);
    event_deliver(cpu);
    check_value(hc_disk_detach(cpu));
    event_send(cpu, EVENT_DISK); /* an event of before finds no ring */
    event_deliver(cpu);
}

static void test_the_event_comes_with_the_responses(void **state)
{
    struct shared_page *shared = world_bytes(vms[0], world_data(41));

    (void)state;
    check_value(hc_shared_page(cpu, world_data(41)));
    put(page_request(5, DISK_OPERATION_READ, 0, 1));
    put((struct disk_request){.operation = 9});
    check_value(hc_disk_kick(cpu));
    event_deliver(cpu);
    assert_int_equal(shared->pending & EVENT_DISK, EVENT_DISK); /* of the one that is wrong */
    assert_int_equal(ring->responses_made, 1);
    shared->pending = 0;
    fake_disk_do_all(device);
    event_deliver(cpu);
    assert_int_equal(shared->pending & EVENT_DISK, EVENT_DISK);
    assert_int_equal(ring->responses_made, 2);
}

static void test_a_vm_does_not_end_before_its_disk_is_done(void **state)
{
    mfn_t frame = p2m_lookup(&vms[0]->p2m, world_data(1).value >> FRAME_SHIFT);
    struct vm *vm = vms[0];

    (void)state;
    put(page_request(5, DISK_OPERATION_READ, 0, 1));
    put(page_request(6, DISK_OPERATION_READ, 0, 2));
    check_value(hc_disk_kick(cpu));
    vm_end(vm, VM_EXIT_REBOOT);
    for (u32 i = 0; i < 1000; i++)
        vm_step(vm);
    assert_int_equal(vm->state, VM_ENDING);
    assert_int_equal(frame_get(frame)->vm, vm->id);
    assert_int_equal(frame_get(frame)->type, FRAME_DATA);
    assert_true(fake_disk_do(device, 1));
    vm_step(vm);
    assert_int_equal(frame_get(frame)->vm, vm->id);
    assert_true(fake_disk_do(device, 0));
    world_settle();
    assert_int_equal(vm->state, VM_RUNNING);
    assert_int_equal(vm->reboots, 1);
    check_error(hc_disk_kick(cpu), HC_DENIED); /* a new life has no ring yet */
    check_value(hc_disk_attach(cpu, world_data(3)));
}

/* What the guest has asked for and was not told of: by id. */
static struct {
    bool asked, bad;
} asked[64];

static void random_step(u32 random)
{
    u32 id = random % ARRAY_SIZE(asked);
    u32 outstanding = ring->requests_made - read_so_far;

    switch (random >> 8 & 7) {
    case 0:
    case 1:
    case 2:
        if (asked[id].asked || outstanding == RING)
            return;
        put(page_request(id, random >> 12 & 3, random >> 14 & 0x1ff, random >> 23 & 7));
        asked[id].asked = true;
        asked[id].bad = (random >> 12 & 3) > DISK_OPERATION_FLUSH ||
                        ((random >> 14 & 0x1ff) > FAKE_SECTORS - 8 &&
                         (random >> 12 & 3) != DISK_OPERATION_FLUSH) ||
                        (random >> 14 & 0x1ff) > FAKE_SECTORS;
        return;
    case 3:
        (void)hc_disk_kick(cpu);
        return;
    case 4:
        (void)fake_disk_do(device, random >> 12 & 7);
        return;
    case 5:
        fake_disk_interrupt(device);
        return;
    default:
        event_deliver(cpu);
    }
    for (; read_so_far != ring->responses_made; read_so_far++) {
        struct disk_response response = ring->responses[read_so_far % RING];

        assert_in_range(response.id, 0, ARRAY_SIZE(asked) - 1);
        assert_true(asked[response.id].asked);
        assert_int_equal(response.status != HC_OK, asked[response.id].bad);
        asked[response.id].asked = false;
    }
}

static void test_whatever_is_asked_for_is_answered_once(void **state)
{
    u64 random = 20261123;

    (void)state;
    for (u32 i = 0; i < 200000; i++) {
        random = random * 6364136223846793005UL + 1442695040888963407UL;
        random_step((u32)(random >> 33));
        assert_true(ring->requests_made - read_so_far <= RING);
    }
    while (ring->requests_made != vms[0]->pv.ring.taken || device->waiting_count > 0 ||
           vms[0]->disk->busy != 0) {
        (void)hc_disk_kick(cpu);
        fake_disk_do_all(device);
        event_deliver(cpu);
    }
    random_step(7 << 8);
    for (u32 i = 0; i < ARRAY_SIZE(asked); i++)
        assert_false(asked[i].asked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, attached, audited)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_ring_is_attached_once_and_is_empty),
        TEST(test_a_page_that_may_not_be_a_ring_is_refused),
        TEST(test_what_is_written_is_read_again),
        TEST(test_segments_of_sectors_follow_each_other),
        TEST(test_each_wrong_request_is_answered_by_itself),
        TEST(test_the_last_good_segment_does_not_excuse_a_bad_one),
        cmocka_unit_test(test_a_read_only_disk_says_so),
        TEST(test_what_the_disk_cannot_do_has_failed),
        TEST(test_an_index_from_nowhere_takes_nothing),
        TEST(test_a_full_ring_is_taken_in_pieces_and_no_further),
        TEST(test_counts_wrap_around),
        TEST(test_a_request_that_is_changed_on_its_way_stays_what_it_was),
        TEST(test_a_ring_with_requests_on_their_way_stays),
        TEST(test_the_event_comes_with_the_responses),
        TEST(test_a_vm_does_not_end_before_its_disk_is_done),
        TEST(test_whatever_is_asked_for_is_answered_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
