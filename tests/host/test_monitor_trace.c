/* SPDX-License-Identifier: MIT */
/*
 * The monitor's `trace`: switching it, its state, the last records; and that a reading that is
 * overtaken by the writer says so and shows nothing wrong.
 */
#include "monitor_fakes.h"

/* A hart writes a record. */
static void record(u32 hart, u64 time, u64 what, u64 a, u64 b)
{
    struct trace_record *next = (struct trace_record *)*harts[hart].trace_place;
    u64 place = (u64)(next - fake_rings[hart]);

    *next = (struct trace_record){time, what, a, b};
    *harts[hart].trace_place = (u64)&fake_rings[hart][(place + 1) % TRACE_RING_RECORDS];
}

static void start_trace(void)
{
    start_monitor();
    fake.may_trace = true;
    type("trace on\r");
    assert_shows("the trace is on\n");
    assert_int_equal(trace_header.level, TRACE_ON);
    clear_screen();
}

static void the_trace_is_switched_and_tells_its_state(void **state)
{
    (void)state;
    start_monitor();
    type("trace\rtrace on\rtrace last\r");
    assert_shows("the trace is off\n");
    assert_shows("trace: no room for its rings, 64 KiB for each hart: destroy a VM\n");
    assert_shows("trace: there is no record: switch it on first (trace on)\n");
    assert_int_equal(trace_header.level, TRACE_OFF);
    start_trace();
    type("trace last\r");
    assert_shows("trace: there is no record: switch it on first (trace on)\n");
    record(0, fake.now - HZ, TRACE_TIMER, 1, 0);
    record(0, fake.now, TRACE_TIMER, 1, 0);
    clear_screen();
    type("trace\r");
    assert_string_equal(
        fake.screen + strlen("trace\n"),
        "the trace is on\n  hart 0: on, 2 records of the last 1.000 s, none is lost\n"
        "  hart 1: on, 0 records\ncandor> ");
    for (u32 i = 0; i < TRACE_RING_RECORDS; i++)
        record(1, fake.now - HZ / 2, TRACE_TIMER, 1, 0);
    clear_screen();
    type("trace detail\rtrace\rtrace off\r");
    assert_shows("  hart 1: detail, 2048 records of the last 0.500 s; older ones are lost\n");
    assert_int_equal(trace_header.level, TRACE_OFF);
    request("5 trace\n");
    assert_non_null(strstr(fake.records, "{\"trace\":\"off\",\"ring_records\":2048}"));
    assert_non_null(
        strstr(fake.records, "{\"hart\":1,\"level\":\"off\",\"records\":2048,\"lost\":true}"));
}

static void what_is_not_known_changes_nothing(void **state)
{
    (void)state;
    start_trace();
    type("trace of\rtrace on off\rtrace last 0\rtrace last 257\rtrace last x\rtrace last 4 4\r");
    assert_shows("trace: 'of' is not known: trace [on | detail | off | last [N]]\n");
    assert_shows("trace: 'on off' is not known");
    assert_shows("trace: '0' is no number from 1 to 256\n");
    assert_shows("trace: '257' is no number from 1 to 256\n");
    assert_shows("trace: 'x' is no number");
    assert_shows("trace: '4 4' is no number");
    assert_int_equal(trace_header.level, TRACE_ON);
}

static void the_last_records_are_shown_in_order_with_names(void **state)
{
    (void)state;
    start_trace();
    vms[0]->made_at = vms[1]->made_at = 1;
    fake.now += HZ;
    record(0, fake.now - 900, TRACE_TIMER, 1, 0);
    record(1, fake.now - 800, TRACE_CALL, HC_CALL_YIELD, 77);
    record(0, fake.now - 700, TRACE_SWITCH, 1, 2);
    record(0, fake.now - 600, (u64)HC_CALL_YIELD - HC_CALL_TABLE_MAKE, 0x1234, 0);
    trace_header.rings[0].vm = 2;
    trace_header.rings[1].vm = 1;
    type("trace last 3\r");
    assert_string_equal(
        fake.screen + strlen("trace last 3\n"),
        "       80 us ago  hart 1  vm1              hypercall yield, second argument 4d\n"
        "       70 us ago  hart 0  vm1              switch, from 1, to 2\n"
        "       60 us ago  hart 0  vm2              hypercall yield at pc 1234\n"
        "candor> ");
    vms[1]->made_at = fake.now; /* another has that number now */
    clear_screen();
    type("trace last 1\r");
    assert_shows("hart 0  (2, gone)        hypercall yield at pc 1234\n");
    request("8 trace last 1\n");
    assert_non_null(strstr(fake.records, "{\"us_ago\":60,\"hart\":0,\"vm\":\"(2, gone)\",\"what\":"
                                         "\"hypercall yield at pc 1234\"}"));
}

static void the_header_may_be_late_about_a_switch(void **state)
{
    (void)state;
    start_trace();
    vms[0]->made_at = vms[1]->made_at = 1;
    trace_header.rings[0].vm = 1;
    record(0, fake.now - 30, TRACE_SWITCH, 1, 2);
    record(0, fake.now - 20, TRACE_TIMER, 2, 0);
    type("trace last 2\r");
    assert_shows("hart 0  vm2              timer, vm 2\n");
}

/* As many records as that are written after each step of a command that shows all it can. */
static bool read_while_written(u32 each_step, bool half)
{
    u64 started = fake.now;
    u32 steps = 0;

    start_trace();
    fake.now += HZ;
    started = fake.now;
    for (u64 i = 0; i < TRACE_RING_RECORDS; i++)
        record(0, started - TRACE_RING_RECORDS + i, TRACE_EVENT, i, i);
    for (const char *c = "9 trace last 256\n"; *c != '\0'; c++)
        monitor_request((u8)*c);
    for (; monitor_busy() && steps < 1000; steps++) {
        monitor_continue();
        fake.now++;
        for (u32 i = 0; i < each_step; i++)
            record(0, fake.now, TRACE_FAULT, 0, 0);
        if (half) /* the next one has its time, and no more */
            ((struct trace_record *)*harts[0].trace_place)->time = fake.now;
    }
    assert_null(strstr(fake.records, "fault"));
    if (strstr(fake.records, "\"ok\":true") == NULL) {
        assert_null(strstr(fake.records, "\"row\""));
        assert_non_null(strstr(fake.records, "records were overwritten while they were read: ask "
                                             "for fewer, or switch the trace off first"));
        return false;
    }
    for (u64 i = 1; i <= 256; i++) {
        char text[64];

        snprintf(text, sizeof(text), "event, vm %lx, bits %lx\"", TRACE_RING_RECORDS - i,
                 TRACE_RING_RECORDS - i);
        assert_non_null(strstr(fake.records, text));
    }
    return true;
}

static void a_reading_that_is_overtaken_says_so_and_shows_nothing_wrong(void **state)
{
    (void)state;
    assert_true(read_while_written(0, true));
    assert_true(read_while_written(20, false));
    assert_true(read_while_written(20, true));
    assert_false(read_while_written(40, false));
    assert_false(read_while_written(40, true));
    assert_false(read_while_written(2047, true));
    assert_false(read_while_written(5000, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trace_is_switched_and_tells_its_state),
        cmocka_unit_test(what_is_not_known_changes_nothing),
        cmocka_unit_test(the_last_records_are_shown_in_order_with_names),
        cmocka_unit_test(the_header_may_be_late_about_a_switch),
        cmocka_unit_test(a_reading_that_is_overtaken_says_so_and_shows_nothing_wrong),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    for (u32 i = 0; i < vm_count; i++)
        free(vms[i]);
    return failed;
}
