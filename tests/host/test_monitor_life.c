/* SPDX-License-Identifier: MIT */
/*
 * The monitor's commands by which VMs come and go, for people and for programs; VMs that vanish
 * while a command goes through the list.
 */
#include "monitor_fakes.h"

static void create_reads_its_words(void **state)
{
    (void)state;
    start_monitor();
    fake.may_create = true;
    type("create vm2\r");
    assert_string_equal(fake.created, "vm2");
    assert_string_equal(fake.created_from, "vm2");
    assert_true(fake.created_bytes == 0);
    assert_shows("vm2 is number 2, and starts\n");
    type("create  vm1   from  other  mem=32M\r");
    assert_string_equal(fake.created, "vm1");
    assert_string_equal(fake.created_from, "other");
    assert_true(fake.created_bytes == 32 << 20);
    type("create vm1 mem=1g from vm2\r");
    assert_true(fake.created_bytes == 1UL << 30);
    request("7 create vm2\n");
    assert_string_equal(fake.records, "{\"id\":7,\"row\":{\"vm\":\"vm2\",\"number\":2}}\n"
                                      "{\"id\":7,\"ok\":true,\"error\":\"\"}\n");
}

static void create_says_what_is_wrong_and_makes_nothing(void **state)
{
    static const char *const bad[] = {
        "create x mem=\r",    "create x mem=0\r",
        "create x mem=3M\r",  "create x mem=12\r",
        "create x mem=4Mb\r", "create x mem=-2M\r",
        "create x mem=M\r",   "create x from\r",
        "create x of vm1\r",  "create x mem=99999999999999999999G\r",
    };

    (void)state;
    start_monitor();
    fake.may_create = true;
    type("create\r");
    assert_shows("create: of which name? ");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        clear_screen();
        type(bad[i]);
        assert_shows("create: ");
        assert_string_equal(fake.created, "");
    }
    fake.may_create = false;
    type("create vm3 from vm1\r");
    assert_shows("create: there is no room\n");
    request("8 create vm3\n");
    assert_string_equal(fake.records, "{\"id\":8,\"ok\":false,\"error\":\"there is no room\"}\n");
}

static void start_is_for_those_that_are_off(void **state)
{
    (void)state;
    start_monitor();
    type("start vm1\rstart vm9\rstart\r");
    assert_shows("start: vm1 is idle: only one that is off can be started\n");
    assert_shows("start: there is no VM vm9");
    assert_shows("start: of which VM?");
    vms[0]->state = VM_OFF;
    type("start vm1\r");
    assert_shows("start: there is no room\n");
    assert_int_equal(vms[0]->state, VM_OFF);
    fake.may_create = true;
    type("start vm1\r");
    assert_shows("vm1 starts\n");
    assert_int_equal(vms[0]->state, VM_BUILDING);
}

static void pause_waits_until_the_turn_is_over(void **state)
{
    (void)state;
    start_monitor();
    monitor_enter();
    fake.looks_in_turn = 2;
    type("pause vm1\r");
    assert_true(vms[0]->paused);
    assert_false(monitor_busy());
    assert_null(strstr(fake.screen, "is paused"));
    time_passes();
    assert_null(strstr(fake.screen, "is paused"));
    time_passes();
    assert_shows("vm1 is paused\n");
    assert_true(fake.alarm == TIME_NEVER);
    fake.looks_in_turn = 2;
    type("pause vm2\r");
    vm_resume(vms[1]);
    time_passes();
    assert_shows("pause: vm2 was resumed or ended meanwhile\n");
}

static void destroy_waits_until_all_is_given_back(void **state)
{
    (void)state;
    start_monitor();
    vms[0]->config.memory_bytes = 64 << 20;
    fake.unshown = 2;
    monitor_enter();
    type("destroy vm1\r");
    assert_true(vms[0]->leaving);
    assert_int_equal(vms[0]->exit, VM_EXIT_KILLED);
    assert_false(monitor_busy());
    vms[0]->state = VM_RUNNING; /* it was rebooting: it is ended once more */
    time_passes();
    assert_int_equal(vms[0]->state, VM_ENDING);
    request("9 destroy vm1\n");
    assert_non_null(strstr(fake.records, "\"error\":\"vm1 is being destroyed already\""));
    vms[0]->state = VM_OFF;
    request("10 start vm1\n");
    assert_non_null(strstr(fake.records, "\"error\":\"vm1 is being destroyed: create it anew\""));
    time_passes();
    time_passes();
    assert_non_null(vms[0]);
    clear_screen();
    time_passes();
    assert_null(vms[0]);
    assert_string_equal(fake.screen, "vm1 is gone, and its 64 MiB are free\ncandor> ");
    assert_true(fake.alarm == TIME_NEVER);
    clear_screen();
    type("destroy vm1\rdestroy 1\rkill 1\rvms\r");
    assert_shows("destroy: there is no VM vm1");
    assert_shows("destroy: there is no VM 1");
    assert_shows("kill: there is no VM 1");
    assert_shows("\n 2  vm2 ");
    assert_null(strstr(fake.screen, " 1  "));
}

static void a_person_and_a_program_can_wait_at_once(void **state)
{
    (void)state;
    start_monitor();
    type("top\r");
    request("11 destroy vm2\n");
    assert_string_equal(fake.records, "");
    vms[1]->state = VM_OFF;
    assert_true(fake.alarm < fake.now + HZ);
    time_passes();
    assert_string_equal(fake.records, "{\"id\":11,\"ok\":true,\"error\":\"\"}\n");
    assert_null(strstr(fake.screen, "calls/s"));
    time_passes();
    assert_shows("calls/s");
    assert_shows(" 1  vm1 ");
    assert_null(strstr(fake.screen, "vm2"));
}

static void a_vm_that_goes_meanwhile_is_left_out(void **state)
{
    (void)state;
    start_monitor();
    for (u32 i = 0; i < ENTRY_CAUSES; i++)
        vms[0]->vcpus[0].counts.entries[i] = vms[1]->vcpus[0].counts.entries[i] = i + 1;
    fake.records_used = 0;
    for (const char *c = "12 vms -v\n"; *c != '\0'; c++)
        monitor_request((u8)*c);
    for (u32 i = 0; i < 4; i++)
        monitor_continue(); /* in the middle of vm1's entries */
    vms[0]->state = VM_OFF;
    assert_true(vm_destroy(vms[0]));
    run_steps();
    assert_non_null(strstr(fake.records, "{\"number\":1,"));
    assert_non_null(strstr(fake.records, "{\"number\":2,"));
    assert_non_null(strstr(fake.records, "{\"id\":12,\"ok\":true"));
    assert_null(strstr(fake.records, "\"vm\":\"vm1\",\"calls\""));
    assert_non_null(strstr(fake.records, "\"vm\":\"vm2\",\"calls\""));
}

static void a_new_vm_with_an_old_number_starts_from_nothing(void **state)
{
    (void)state;
    start_monitor();
    vms[0]->vcpus[0].running_time = 50 * (u64)HZ;
    type("vms\r");
    vms[0]->vcpus[0].running_time = HZ;
    vms[0]->vcpus[0].idle_time = 3 * (u64)HZ;
    vms[0]->serial = 17;
    clear_screen();
    type("vms\r");
    assert_shows(" 1  vm1             idle         1.000     3.000     0.000    25% ");
}

static void bundle_lists_records_and_free_memory(void **state)
{
    (void)state;
    start_monitor();
    type("bundle\r");
    assert_shows("record0              64 M  started with the machine\n");
    assert_shows("record1              64 M  not started with the machine\n");
    assert_shows("100 MiB are free for VMs, and 32 KiB for what Candor keeps of them\n");
    request("13 bundle\n");
    assert_non_null(strstr(fake.records, "{\"free_bytes\":104857600,\"free_closed_bytes\":32768}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_reads_its_words),
        cmocka_unit_test(create_says_what_is_wrong_and_makes_nothing),
        cmocka_unit_test(start_is_for_those_that_are_off),
        cmocka_unit_test(pause_waits_until_the_turn_is_over),
        cmocka_unit_test(destroy_waits_until_all_is_given_back),
        cmocka_unit_test(a_person_and_a_program_can_wait_at_once),
        cmocka_unit_test(a_vm_that_goes_meanwhile_is_left_out),
        cmocka_unit_test(a_new_vm_with_an_old_number_starts_from_nothing),
        cmocka_unit_test(bundle_lists_records_and_free_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    for (u32 i = 0; i < vm_count; i++)
        free(vms[i]);
    return failed;
}
