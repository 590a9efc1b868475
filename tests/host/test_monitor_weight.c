/* SPDX-License-Identifier: MIT */
/*
 * The monitor's command `weight`: what it shows, sets, and refuses. The monitor around it is a
 * fake; VMs and the policies are the real ones.
 */
#include "check.h"

#include <stdio.h>

#include "debug/monitor_weight.c"
#include "world.h"

static struct monitor_job job;
static char said[1024], row[1024], error[1024];

static void put(char *text, const char *format, va_list arguments)
{
    vsnprintf(text, sizeof(said), format, arguments);
}

void monitor_say(const struct monitor_job *of, const char *format, ...)
{
    va_list arguments;

    (void)of;
    va_start(arguments, format);
    put(said, format, arguments);
    va_end(arguments);
}

void monitor_row(const struct monitor_job *of, const char *format, ...)
{
    va_list arguments;

    (void)of;
    va_start(arguments, format);
    put(row, format, arguments);
    va_end(arguments);
}

enum monitor_step monitor_fail(struct monitor_job *of, const char *format, ...)
{
    va_list arguments;

    (void)of;
    va_start(arguments, format);
    put(error, format, arguments);
    va_end(arguments);
    return STEP_DONE;
}

const char *monitor_state(const struct vm *vm)
{
    return vm->state == VM_OFF ? "off" : "running";
}

bool monitor_word(const char **text, char word[MONITOR_NAME_BYTES])
{
    int used = 0;

    word[0] = '\0';
    assert_true(sscanf(*text, "%15s %n", word, &used) >= 0);
    *text += used;
    return word[0] != '\0';
}

struct vm *monitor_vm(struct monitor_job *of, const char *word)
{
    for (u32 i = 0; i < vm_count; i++) {
        if (strcmp(vms[i]->name, word) == 0)
            return vms[i];
    }
    monitor_fail(of, "there is no VM %s", word);
    return NULL;
}

static int start(void **state)
{
    (void)state;
    world_start(2, NULL);
    return 0;
}

static void command(const char *argument)
{
    said[0] = row[0] = error[0] = '\0';
    job.argument = argument;
    assert_int_equal(monitor_weight_step(&job), STEP_DONE);
}

static void test_a_weight_is_shown_and_set(void **state)
{
    (void)state;
    command("vm1");
    assert_string_equal(said, "vm1 has weight 100\n");
    assert_string_equal(row, "\"vm\":\"vm1\",\"weight\":100");
    command("vm1   10000");
    assert_string_equal(said, "vm1 has weight 10000\n");
    assert_int_equal(vms[0]->vcpus[0].weight, 10000);
    command("vm1 1");
    assert_int_equal(vms[0]->vcpus[0].weight, 1);
    assert_int_equal(vms[1]->vcpus[0].weight, 100);
}

static void test_what_is_no_weight_is_refused_and_changes_nothing(void **state)
{
    static const char *const bad[] = {"0",   "10001",      "-1", "1x",  "x", "99999999999999999999",
                                      "1 2", "4294967396", "+1", "0x10"};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        char argument[64];

        snprintf(argument, sizeof(argument), "vm1 %s", bad[i]);
        command(argument);
        assert_non_null(strstr(error, "is not a number from 1 to 10000; nothing has changed"));
        assert_int_equal(vms[0]->vcpus[0].weight, 100);
    }
    command("nobody 5");
    assert_string_equal(error, "there is no VM nobody");
}

static void test_a_vm_that_is_gone_gets_no_weight(void **state)
{
    (void)state;
    vm_end(vms[1], VM_EXIT_KILLED);
    world_settle();
    command("vm2 5");
    assert_string_equal(error, "vm2 is off");
    assert_int_equal(vms[1]->vcpus[0].weight, 100);
}

static void test_round_robin_says_that_it_has_none(void **state)
{
    (void)state;
    sched_use(&sched_round_robin);
    command("vm1");
    assert_non_null(strstr(error, "there are none: the scheduler is round-robin"));
    command("vm1 5");
    assert_non_null(strstr(error, "--scheduler weighted"));
    assert_int_equal(vms[0]->vcpus[0].weight, 100);
}

#define turn(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        turn(test_a_weight_is_shown_and_set),
        turn(test_what_is_no_weight_is_refused_and_changes_nothing),
        turn(test_a_vm_that_is_gone_gets_no_weight),
        turn(test_round_robin_says_that_it_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
