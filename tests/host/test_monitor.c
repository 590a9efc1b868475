/* SPDX-License-Identifier: MIT */
/*
 * The monitor: line editing, parsing, each command's output, and that it works in steps. Console,
 * VMs and audit are fakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "debug/line_editor.c"
#include "debug/monitor.c"

enum { SCREEN_BYTES = 65536, HZ = 10000000 };

static struct {
    char screen[SCREEN_BYTES];
    u32 used;
    u32 room;
    u32 switched;
    u32 audits;
    int stopped;
    u64 now;
    bool broken;
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

u32 console_port_by_name(const char *name)
{
    for (u32 i = 0; i < vm_count; i++) {
        if (strcmp(vms[i]->name, name) == 0)
            return i + 1;
    }
    return 0;
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
    fake.stopped = -1;
    fake.now = 100 * (u64)HZ;
    for (u32 i = 0; i < 2; i++) {
        free(vms[i]);
        vms[i] = calloc(1, sizeof(struct vm) + sizeof(struct vcpu));
        snprintf(vms[i]->name, sizeof(vms[i]->name), "vm%u", i + 1);
        vms[i]->id = (u16)(i + 1);
        vms[i]->vcpu_count = 1;
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
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        assert_shows(commands[i].help);
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
    assert_shows("to which VM?");
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
    monitor_run("vms");
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
