/* SPDX-License-Identifier: MIT */
/*
 * The monitor: line editing, parsing, each command's output, and that it works in steps. Console,
 * VMs and audit are fakes.
 */
#include "check.h"

#include "debug/line_editor.c"
#include "debug/monitor.c"
#include "debug/monitor_life.c"
#include "debug/monitor_vms.c"
#include "debug/monitor_walk.c"

enum { SCREEN_BYTES = 65536, HZ = 10000000 };

static struct {
    char screen[SCREEN_BYTES];
    u32 used, room, switched, audits;
    int stopped;
    bool broken;
    u64 now, alarm, walked;
    char records[SCREEN_BYTES];
    u32 records_used, record_room;
    struct console_activity activity;
    struct virt_walk walk;
} fake;

/* ---- fakes ---- */

struct machine machine = {.timebase_hz = HZ};
struct vm *vms[VMS_MAX];
u32 vm_count;
const char *const hypercall_names[HC_CALL_COUNT] = {[HC_CALL_YIELD] = "yield"};

void console_system_write(const char *text, u32 count)
{
    assert_true(count <= fake.room);
    assert_true(fake.used + count < SCREEN_BYTES);
    memcpy(fake.screen + fake.used, text, count);
    fake.used += count;
    fake.screen[fake.used] = '\0';
}

u32 console_system_room(void)
{
    return fake.room;
}

void console_record_write(const char *text, u32 count)
{
    memcpy(fake.records + fake.records_used, text, count);
    fake.records_used += count;
    fake.records[fake.records_used++] = '\n';
    fake.records[fake.records_used] = '\0';
}

u32 console_record_room(void)
{
    return fake.record_room;
}

struct console_activity console_activity(void)
{
    fake.activity.system_bytes = fake.used;
    return fake.activity;
}

void console_interrupt(void)
{
    monitor_continue();
}

void sched_alarm(u64 time, void (*ring)(void))
{
    assert_ptr_equal(ring, monitor_alarm);
    fake.alarm = time;
}

void vm_pause(struct vm *vm)
{
    vm->paused = true;
}

void vm_resume(struct vm *vm)
{
    vm->paused = false;
}

void vm_end(struct vm *vm, enum vm_exit why)
{
    vm->state = VM_ENDING;
    vm->exit = (u8)why;
}

static void fake_walk(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk)
{
    assert_ptr_equal(vcpu, &vms[0]->vcpus[0]);
    fake.walked = address.value;
    *walk = fake.walk;
}

static const struct virt_ops fake_ops = {.walk = fake_walk};

void console_drain(void)
{
}

bool console_switch(u32 number)
{
    if (number == 0 || number > vm_count)
        return false;
    fake.switched = number;
    return true;
}

void audit_run(struct audit_result *result)
{
    fake.audits++;
    *result = (struct audit_result){.frames = 7, .tables = 3, .entries = 9};
    if (fake.broken) {
        result->violations = 2;
        strcpy(result->first, "a leaf is wrong");
    }
}

void machine_stop(u32 status)
{
    fake.stopped = (int)status;
}

struct vcpu_times sched_times(struct vcpu *vcpu)
{
    u64 since = fake.now - vcpu->state_since;
    bool sleeps = vcpu->state == VCPU_SLEEPING;

    return (struct vcpu_times){vcpu->running_time, vcpu->idle_time + (sleeps ? since : 0),
                               vcpu->steal_time + (sleeps ? 0 : since), 0};
}

u64 stay_longest(u32 kind)
{
    return kind == STAY_BUILDING ? 12345 : 0;
}

const char *stay_name(u32 kind)
{
    (void)kind;
    return "a kind";
}

u64 arch_time_now(void)
{
    return fake.now;
}

const char *arch_entry_name(u32 cause)
{
    return cause == ENTRY_CAUSES - 1 ? "last" : "cause";
}

/* ---- helpers ---- */

static void start_monitor(void)
{
    memset(&monitor, 0, sizeof(monitor));
    memset(&fake, 0, sizeof(fake));
    fake.room = 4096;
    fake.record_room = 1 << 14;
    fake.alarm = TIME_NEVER;
    fake.stopped = -1;
    fake.now = 100 * (u64)HZ;
    for (u32 i = 0; i < 2; i++) {
        free(vms[i]);
        vms[i] = calloc(1, sizeof(struct vm) + sizeof(struct vcpu));
        snprintf(vms[i]->name, sizeof(vms[i]->name), "vm%u", i + 1);
        vms[i]->id = (u16)(i + 1);
        vms[i]->vcpu_count = 1;
        vms[i]->virt = &fake_ops;
        vms[i]->state = VM_RUNNING;
        vms[i]->vcpus[0].state = i == 0 ? VCPU_SLEEPING : VCPU_RUNNABLE;
        vms[i]->vcpus[0].state_since = fake.now;
    }
    vm_count = 2;
}

static u32 run_steps(void)
{
    u32 steps = 0;

    for (; monitor_busy(); steps++) {
        assert_true(steps < 1000);
        monitor_continue();
    }
    return steps;
}

static void type(const char *text)
{
    for (; *text != '\0'; text++)
        monitor_input((u8)*text);
    run_steps();
}

static void clear_screen(void)
{
    fake.used = 0;
    fake.screen[0] = '\0';
}

#define assert_shows(text) assert_non_null(strstr(fake.screen, text))

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
        assert_int_equal(help - line, strlen("walk VM ADDR  "));
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
    type("\r");
    assert_shows("unknown command: xxx");
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
    assert_shows(" 2  vm2             running");
    fake.now += HZ;
    vms[0]->vcpus[0].running_time += HZ / 2;
    clear_screen();
    type("vms\r");
    assert_shows("    50%        3     0\n");
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
        snprintf(line, sizeof(line), "%s: vm1 is off\n", verbs[i]);
        assert_shows(line);
        snprintf(line, sizeof(line), "%s: vm2 is ending\n", verbs[i]);
        assert_shows(line);
        assert_shows(": there is no VM vm3\n");
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
    assert_shows("walk: there is no VM vm9\n");
    assert_shows("walk: 0x is not an address");
    assert_shows("walk: zz is not an address");
    assert_shows("walk: 11112222333344445 is not an address");
    assert_shows("walk: vm1 is off\n");
    assert_true(fake.walked == 0);
}

/* The alarm rings at its time, and what follows is done. */
static void a_second_passes(void)
{
    assert_true(fake.alarm == fake.now + HZ);
    fake.now = fake.alarm;
    fake.alarm = TIME_NEVER;
    monitor_alarm();
    run_steps();
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
    assert_shows(" 1  vm1             idle       25%    50%        320         77      64 M\n");
    assert_null(strstr(fake.screen, "\033["));
    clear_screen();
    a_second_passes();
    assert_shows(" 1  vm1             idle        0%     0%          0          0      64 M\n");
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

static void request(const char *line)
{
    fake.records_used = 0;
    fake.records[0] = '\0';
    for (; *line != '\0'; line++)
        monitor_request((u8)*line);
    run_steps();
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
    assert_string_equal(fake.screen, "");
}

static void a_program_is_told_what_failed(void **state)
{
    (void)state;
    start_monitor();
    request("1 pause \"\\\n");
    assert_string_equal(fake.records,
                        "{\"id\":1,\"ok\":false,\"error\":\"there is no VM \\\"\\\\\"}\n");
    request("2 dance\n");
    assert_non_null(strstr(fake.records, "\"ok\":false,\"error\":\"dance (try help)\""));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_lists_every_command),
        cmocka_unit_test(unknown_commands_get_a_clear_line),
        cmocka_unit_test(lines_can_be_edited),
        cmocka_unit_test(a_line_is_bounded),
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
        cmocka_unit_test(what_is_typed_meanwhile_is_kept),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    for (u32 i = 0; i < vm_count; i++)
        free(vms[i]);
    return failed;
}
