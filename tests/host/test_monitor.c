/* SPDX-License-Identifier: MIT */
/*
 * The monitor: line editing, parsing, each command's output, and that it works in steps. Console,
 * VMs and audit are fakes.
 */
#include "monitor_fakes.h"

/* ---- tests ---- */

static void help_lists_every_command(void **state)
{
    (void)state;
    start_monitor();
    monitor_enter();
    type("help\r");
    const char *end = strstr(fake.screen, monitor_commands[0].help);
    for (size_t i = 0; i < monitor_command_count; i++) {
        const char *help = strstr(fake.screen, monitor_commands[i].help);

        assert_non_null(help);
        const char *line = help;
        while (line[-1] != '\n')
            line--;
        assert_int_equal(help - line, strlen("weight VM [N]  "));
    }
    assert_non_null(end);
    assert_string_equal(fake.screen + fake.used - strlen(prompt), prompt);
}

static void unknown_commands_get_a_clear_line(void **state)
{
    (void)state;
    start_monitor();
    type("frobnicate now\r");
    assert_shows("unknown command: frobnicate (try help)\n");
    clear_screen();
    type("\r   \r");
    assert_string_equal(fake.screen, "\ncandor>    \ncandor> ");
}

static void lines_can_be_edited(void **state)
{
    (void)state;
    start_monitor();
    type("rubbish\025hekp\b\blp\r");
    assert_shows("this list");
    assert_null(strstr(fake.screen, "unknown"));
    clear_screen();
    type("audit\003");
    assert_shows("^C\n");
    assert_int_equal(fake.audits, 0);
    type("\033[A\033[1;5C\033OPaudit\177t\r\n");
    assert_int_equal(fake.audits, 1);
}

static void a_line_is_bounded(void **state)
{
    (void)state;
    start_monitor();
    for (int i = 0; i < 1000; i++)
        type("x");
    assert_shows("xx\a\a");
    type("\r");
    assert_shows("unknown command: xxx");
}

static void a_command_that_takes_nothing_gets_nothing(void **state)
{
    (void)state;
    start_monitor();
    type("quit vm1\raudit vm1\r");
    assert_shows("quit: 'vm1' is too much: it takes nothing; nothing is done\ncandor> ");
    assert_int_equal(fake.stopped, -1);
    assert_int_equal(fake.audits, 0);
    request("1 quit vm1\n");
    assert_non_null(strstr(fake.records, "\"ok\":false"));
    assert_int_equal(fake.stopped, -1);
}

static void help_of_one_command(void **state)
{
    (void)state;
    start_monitor();
    type("help walk\rhelp wlak\r");
    assert_shows("\nwalk VM ADDR ");
    assert_null(strstr(fake.screen, "\npause VM "));
    assert_shows("help: there is no command wlak: `help` lists them\n");
}

static void vms_shows_states_times_and_counts(void **state)
{
    (void)state;
    start_monitor();
    vms[0]->vcpus[0].running_time = 5 * (u64)HZ;
    vms[0]->vcpus[0].idle_time = 90 * (u64)HZ + HZ / 4;
    vms[0]->vcpus[0].counts.entries[ENTRY_CAUSES - 1] = 77;
    vms[0]->vcpus[0].counts.calls[HC_CALL_YIELD] = 1234;
    vms[0]->reboots = 3;
    type("vms\r");
    assert_null(strstr(fake.screen, "last 77"));
    clear_screen();
    memset(monitor.typed_job.samples, 0, sizeof(monitor.typed_job.samples));
    type("vms -v\r");
    assert_shows(
        " 1  vm1             idle         5.000    90.250     0.000     5%        3     0\n");
    assert_shows("entries  last 77\n");
    assert_shows("calls    yield 1234\n");
    assert_shows("\n    first    a 1 d 4 e 5 f 6 g 7 h 8 i 9\n    other    a 10 b 11\n 2 ");
    assert_shows(" 2  vm2             running");
    fake.now += HZ;
    vms[0]->vcpus[0].running_time += 2 * (u64)HZ / 3;
    clear_screen();
    type("vms\r");
    assert_shows("    67%        3     0\n");
}

static void switch_takes_numbers_and_names(void **state)
{
    (void)state;
    start_monitor();
    type("switch 2\r");
    assert_int_equal(fake.switched, 2);
    type("  switch   vm1  \r");
    assert_int_equal(fake.switched, 1);
    type("switch 99999999999\rswitch nobody\rswitch\rswitch 2nd\rswitch 18446744073709551618\r");
    assert_int_equal(fake.switched, 1);
    strcpy(vms[0]->name, "2nd");
    type("switch 2\rswitch 2nd\r");
    assert_int_equal(fake.switched, 1);
    assert_shows("there is no VM 99999999999");
    assert_shows("there is no VM nobody");
    assert_shows("of which VM?");
}

static void a_vm_can_be_paused_and_resumed(void **state)
{
    (void)state;
    start_monitor();
    type("pause vm2\r");
    assert_true(vms[1]->paused);
    assert_shows("vm2 is paused\n");
    type("vms\rpause 2\r");
    assert_shows(" 2  vm2             paused ");
    assert_shows("pause: vm2 is paused already\n");
    type("resume 2\rresume vm2\r");
    assert_false(vms[1]->paused);
    assert_shows("vm2 goes on\n");
    assert_shows("resume: vm2 is not paused\n");
}

static void a_vm_can_be_ended_and_rebooted(void **state)
{
    (void)state;
    start_monitor();
    type("kill vm1\rreboot vm2\r");
    assert_int_equal(vms[0]->exit, VM_EXIT_KILLED);
    assert_int_equal(vms[1]->exit, VM_EXIT_REBOOT);
    vms[1]->state = VM_ENDING;
    type("reboot vm2\rkill vm2\r");
    assert_shows("reboot: vm2 is ending\n");
    assert_null(strstr(fake.screen, "kill: vm2"));
    assert_int_equal(vms[1]->exit, VM_EXIT_KILLED);
}

static void commands_for_a_vm_that_is_not_there_change_nothing(void **state)
{
    static const char *const verbs[] = {"pause", "resume", "kill", "reboot"};
    char line[64];

    (void)state;
    start_monitor();
    vms[0]->state = VM_OFF;
    vms[1]->state = VM_ENDING;
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        snprintf(line, sizeof(line), "%s vm1\r%s vm2\r%s vm3\r%s\r", verbs[i], verbs[i], verbs[i],
                 verbs[i]);
        clear_screen();
        type(line);
        snprintf(line, sizeof(line), "%s: vm1 is off", verbs[i]);
        assert_shows(line);
        snprintf(line, sizeof(line), "%s: vm2 is ending\n", verbs[i]);
        assert_shows(line);
        assert_shows(": there is no VM vm3: `vms` lists them\n");
        assert_shows(": of which VM?");
    }
    assert_int_equal(vms[0]->exit, VM_EXIT_NONE);
    assert_int_equal(vms[1]->exit, VM_EXIT_NONE);
}

static void walk_shows_entries_and_faults(void **state)
{
    (void)state;
    start_monitor();
    fake.walk = (struct virt_walk){
        .count = 2,
        .entries = {{.level = 2, .index = 256, .table = {0x80a00000}, .value = 0x21, .flags = "v"},
                    {.level = 1, .index = 3, .table = {0x80a01000}, .flags = "--------"}},
        .user = {"nothing is there", NULL, NULL},
    };
    type("walk vm1 0xFFFFffc000600010\r");
    assert_true(fake.walked == 0xffffffc000600010);
    assert_shows("  level 2: entry 256 of the table at machine 0080a00000: 0000000000000021  v\n");
    assert_shows("  user   read   fault: nothing is there\n");
    assert_shows("  kernel fetch  yes\n");
    fake.walk.mapped = fake.walk.owned = true;
    fake.walk.physical = gpa(0x80345010);
    fake.walk.machine = maddr(0x91345010);
    type("walk 1 10010\r");
    assert_shows("  gva 10010 -> gpa 80345010 (data) -> machine 91345010\n");
}

static void walk_refuses_what_is_no_address(void **state)
{
    (void)state;
    start_monitor();
    type("walk\rwalk vm1\rwalk vm9 0\rwalk vm1 0x\rwalk vm1 zz\rwalk vm1 11112222333344445\r");
    vms[0]->state = VM_OFF;
    type("walk vm1 10000\r");
    assert_shows("walk: give a VM and an address");
    assert_shows("walk: there is no VM vm9: `vms` lists them\n");
    assert_shows("walk: 0x is not an address");
    assert_shows("walk: zz is not an address");
    assert_shows("walk: 11112222333344445 is not an address");
    assert_shows("walk: vm1 is off\n");
    assert_true(fake.walked == 0);
}

static void a_second_passes(void)
{
    assert_true(fake.alarm == fake.now + HZ);
    time_passes();
}

static void top_shows_rates_until_a_key_is_typed(void **state)
{
    (void)state;
    start_monitor();
    monitor_enter();
    type("top\r");
    assert_false(monitor_busy());
    assert_null(strstr(fake.screen, "calls/s"));
    vms[0]->config.memory_bytes = 64 << 20;
    vms[0]->vcpus[0].running_time += HZ / 4;
    vms[0]->vcpus[0].steal_time += HZ / 2;
    vms[0]->vcpus[0].counts.calls[HC_CALL_YIELD] += 300;
    vms[0]->vcpus[0].counts.standard_calls += 20;
    vms[0]->vcpus[0].counts.entries[ENTRY_CAUSES - 1] += 77;
    a_second_passes();
    assert_shows(
        " 1  vm1             idle       25%    50%        320         77      64 M       0\n");
    assert_null(strstr(fake.screen, "\033["));
    clear_screen();
    a_second_passes();
    assert_shows(
        " 1  vm1             idle        0%     0%          0          0      64 M       0\n");
    clear_screen();
    type("x");
    assert_string_equal(fake.screen, prompt);
    assert_true(fake.alarm == TIME_NEVER);
    type("\r");
    assert_string_equal(fake.screen, "candor> \ncandor> ");
}

static void top_covers_its_own_table_and_nothing_else(void **state)
{
    (void)state;
    start_monitor();
    type("top\r");
    a_second_passes();
    a_second_passes();
    assert_shows("\033[3A\033[J #  VM");
    for (u32 i = 0; i < 2; i++) {
        char *start = fake.screen + fake.used;

        if (i == 0)
            fake.activity.guest_bytes++;
        else
            console_system_write("candor: vm2: ended\n", 19);
        a_second_passes();
        assert_null(strstr(start, "\033["));
        a_second_passes();
        assert_non_null(strstr(start, "\033["));
    }
    monitor_leave();
    assert_true(fake.alarm == TIME_NEVER);
    assert_false(monitor_busy());
}

static void what_is_typed_is_shown_again_below_candors_line(void **state)
{
    (void)state;
    start_monitor();
    monitor_enter();
    type("vm");
    clear_screen();
    fake.line_cut = true;
    assert_true(monitor_busy());
    monitor_continue();
    assert_string_equal(fake.screen, "candor> vm");
    assert_false(monitor_busy());
    monitor_leave();
    fake.line_cut = true;
    assert_false(monitor_busy());
    monitor_continue();
    assert_string_equal(fake.screen, "candor> vm");
}

static void a_program_gets_records_and_the_screen_nothing(void **state)
{
    (void)state;
    start_monitor();
    request("41 pause vm2\n");
    assert_string_equal(fake.records, "{\"id\":41,\"ok\":true,\"error\":\"\"}\n");
    request("42 vms\n");
    assert_non_null(strstr(fake.records,
                           "{\"id\":42,\"row\":{\"number\":2,\"vm\":\"vm2\",\"state\":"
                           "\"paused\",\"running_ms\":0,"));
    assert_non_null(strstr(fake.records, "}}\n{\"id\":42,\"ok\":true,\"error\":\"\"}\n"));
    vms[0]->vcpus[0].counts.entries[ENTRY_CAUSES - 1] = 5;
    vms[0]->vcpus[0].counts.entries[0] = 6;
    request("43 vms -v\n");
    assert_non_null(strstr(fake.records, "\"entries\":{\"cause\":6,\"last\":5}}}\n"));
    assert_non_null(strstr(fake.records, "{\"id\":43,\"row\":{\"vm\":\"vm1\",\"first\":{\"a\":1,"
                                         "\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}}}\n"
                                         "{\"id\":43,\"row\":{\"vm\":\"vm1\",\"other\":{\"a\":10,"
                                         "\"b\":11}}}\n{"));
    assert_string_equal(fake.screen, "");
}

static void a_program_is_told_what_failed(void **state)
{
    (void)state;
    start_monitor();
    request("1 pause \"\\\n");
    assert_string_equal(fake.records, "{\"id\":1,\"ok\":false,\"error\":\"there is no VM \\\"\\\\: "
                                      "`vms` lists them\"}\n");
    request("2 dance\n");
    assert_non_null(
        strstr(fake.records, "\"ok\":false,\"error\":\"unknown command: dance (try help)\""));
    request("3\n");
    assert_non_null(strstr(fake.records, "{\"id\":3,\"ok\":false"));
    request("4 top\n");
    assert_non_null(strstr(fake.records, "{\"id\":4,\"ok\":false"));
    char line[400];
    memset(line, 'x', sizeof(line));
    strcpy(line + sizeof(line) - 2, "\n");
    request(line);
    assert_non_null(strstr(fake.records, "too-long"));
    assert_string_equal(fake.screen, "");
}

static void a_program_waits_for_no_person(void **state)
{
    (void)state;
    start_monitor();
    type("top\r");
    request("5 vms\n");
    assert_non_null(strstr(fake.records, "{\"id\":5,\"ok\":true"));
    fake.room = 0;
    request("6 help\n");
    assert_non_null(strstr(fake.records, "{\"id\":6,\"ok\":true"));
}

static void audit_tells_its_result(void **state)
{
    (void)state;
    start_monitor();
    type("audit\r");
    assert_shows("audit: clean: 7 frames, 3 tables, 9 entries");
    fake.broken = true;
    type("audit\r");
    assert_shows("audit: BROKEN: 2 violations, the first: a leaf is wrong\n");
}

static void quit_powers_off(void **state)
{
    (void)state;
    start_monitor();
    type("quit\r");
    assert_int_equal(fake.stopped, 0);
}

static void a_command_waits_for_room(void **state)
{
    (void)state;
    start_monitor();
    monitor_run("vms -v");
    fake.room = 100;
    for (int i = 0; i < 10; i++)
        monitor_continue();
    assert_string_equal(fake.screen, "");
    fake.room = 4096;
    assert_true(run_steps() > 3);
    assert_shows("vm2");
    assert_null(strstr(fake.screen, prompt));
}

static void what_is_typed_meanwhile_is_kept(void **state)
{
    (void)state;
    start_monitor();
    for (const char *c = "vms\rswitch 2\r"; *c != '\0'; c++)
        monitor_input((u8)*c);
    assert_int_equal(fake.switched, 0);
    run_steps();
    assert_int_equal(fake.switched, 2);
}

static void type_ahead(const char *text, size_t times)
{
    while (times-- > 0) {
        for (const char *c = text; *c != '\0'; c++)
            monitor_input((u8)*c);
    }
}

/* Whatever is lost, what is carried out was typed so. */
static void of_what_is_too_much_whole_lines_are_lost(void **state)
{
    static const char line[] = "pause vm2x\r", next[] = "resume vm2\r";

    (void)state;
    start_monitor();
    monitor_input('v');
    type_ahead("ms\r", 1);
    type_ahead(line, 2 * MONITOR_TYPED_BYTES / strlen(line));
    run_steps();
    assert_shows("\ntoo much was typed at once: this line is lost, and lines behind it\ncandor> ");
    assert_null(strstr(fake.screen, "unknown command"));
    assert_false(vms[1]->paused);
    clear_screen();
    for (u32 i = 0; i < 2; i++) {
        type(next);
        assert_shows(i == 0 ? "" : "resume: vm2 is not paused\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_lists_every_command),
        cmocka_unit_test(unknown_commands_get_a_clear_line),
        cmocka_unit_test(lines_can_be_edited),
        cmocka_unit_test(a_line_is_bounded),
        cmocka_unit_test(a_command_that_takes_nothing_gets_nothing),
        cmocka_unit_test(help_of_one_command),
        cmocka_unit_test(vms_shows_states_times_and_counts),
        cmocka_unit_test(switch_takes_numbers_and_names),
        cmocka_unit_test(a_vm_can_be_paused_and_resumed),
        cmocka_unit_test(a_vm_can_be_ended_and_rebooted),
        cmocka_unit_test(commands_for_a_vm_that_is_not_there_change_nothing),
        cmocka_unit_test(walk_shows_entries_and_faults),
        cmocka_unit_test(walk_refuses_what_is_no_address),
        cmocka_unit_test(top_shows_rates_until_a_key_is_typed),
        cmocka_unit_test(top_covers_its_own_table_and_nothing_else),
        cmocka_unit_test(a_program_gets_records_and_the_screen_nothing),
        cmocka_unit_test(a_program_is_told_what_failed),
        cmocka_unit_test(a_program_waits_for_no_person),
        cmocka_unit_test(audit_tells_its_result),
        cmocka_unit_test(quit_powers_off),
        cmocka_unit_test(a_command_waits_for_room),
        cmocka_unit_test(what_is_typed_is_shown_again_below_candors_line),
        cmocka_unit_test(what_is_typed_meanwhile_is_kept),
        cmocka_unit_test(of_what_is_too_much_whole_lines_are_lost),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    for (u32 i = 0; i < vm_count; i++)
        free(vms[i]);
    return failed;
}
