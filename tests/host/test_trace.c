/* SPDX-License-Identifier: MIT */
/* The trace's rings: where records go, and who holds the place. */
#include "check.h"

#include "core/hart.h"
#include "core/vm.h"
#include "debug/trace.h"
#include "host.h"
#include "mem/frame.h"

enum {
    MEMORY_BYTES = 32 << 20,
    CLOSED = HOST_MEMORY_BASE + (4 << 20),
    RING_RECORDS = TRACE_RING_BYTES / sizeof(struct trace_record),
};

static const struct trace_record *ring(void)
{
    return (const struct trace_record *)trace_header.rings[0].address;
}

static int start(void **state)
{
    (void)state;
    host_start(MEMORY_BYTES);
    memset(&trace_header, 0, sizeof(trace_header));
    return frame_init(maddr(CLOSED), maddr(HOST_MEMORY_BASE + MEMORY_BYTES)) ? 0 : -1;
}

static void test_nothing_is_written_before_it_is_started(void **state)
{
    (void)state;
    trace(TRACE_TIMER, 1, 2);
    assert_null(harts[0].trace_place);
    assert_int_equal(trace_header.magic, 0);
}

static void test_records_stand_one_behind_the_other_and_wrap(void **state)
{
    (void)state;
    trace_start(TRACE_ON);
    for (u64 i = 0; i < RING_RECORDS + 3; i++)
        trace(TRACE_EVENT, i, ~i);
    assert_int_equal(ring()[2].a, RING_RECORDS + 2);
    assert_int_equal(ring()[3].a, 3);
    assert_int_equal(ring()[3].what, TRACE_EVENT);
    assert_int_equal(ring()[RING_RECORDS - 1].b, ~(u64)(RING_RECORDS - 1));
    assert_int_equal((u64)ring() % TRACE_RING_BYTES, 0);
}

static void test_the_place_goes_with_the_vcpu_that_is_loaded(void **state)
{
    static struct vm one = {.id = 1}, two = {.id = 2};
    static struct vcpu a, b;

    (void)state;
    a.vm = &one;
    b.vm = &two;
    trace_start(TRACE_ON);
    trace_switch(NULL, &a);
    trace(TRACE_TIMER, 1, 0);
    assert_ptr_equal((void *)a.trace_next, &ring()[2]);
    trace_switch(&a, &b);
    trace_switch(&b, NULL);
    trace(TRACE_SLEEP, 0, 0);
    assert_ptr_equal((void *)harts[0].trace_next, &ring()[5]);
    assert_int_equal(ring()[2].a, 1);
    assert_int_equal(ring()[2].b, 2);
    assert_int_equal(ring()[3].a, 2);
    assert_int_equal(ring()[3].b, 0);
    assert_int_equal(trace_header.rings[0].vm, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_is_written_before_it_is_started, start),
        cmocka_unit_test_setup(test_records_stand_one_behind_the_other_and_wrap, start),
        cmocka_unit_test_setup(test_the_place_goes_with_the_vcpu_that_is_loaded, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
