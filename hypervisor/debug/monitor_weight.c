/* SPDX-License-Identifier: MIT */
/*
 * The monitor's command `weight`: what part of a busy hart a VM gets beside others.
 */
#include "debug/monitor_commands.h"

#include "core/sched_policy.h"

/* The number that a word is; 0 if it is none from 1 to BUNDLE_WEIGHT_MAX. */
static u32 weight_from(const char *word)
{
    u32 weight = 0;

    for (; *word >= '0' && *word <= '9' && weight <= BUNDLE_WEIGHT_MAX; word++)
        weight = weight * BASE_TEN + (u32)(*word - '0');
    return *word == '\0' && weight <= BUNDLE_WEIGHT_MAX ? weight : 0;
}

enum monitor_step monitor_weight_step(struct monitor_job *job)
{
    char name[MONITOR_NAME_BYTES];
    const char *number = job->argument;
    bool named = monitor_word(&number, name);
    struct vm *vm = monitor_vm(job, named ? name : "");

    if (vm == NULL)
        return STEP_DONE;
    if (sched_policy->weigh == NULL)
        return monitor_fail(job, "there are none: the scheduler is %s (cure: --scheduler %s)",
                            sched_policy->name, sched_weighted.name);
    if (*number != '\0') {
        u32 weight = weight_from(number);

        if (weight == 0)
            return monitor_fail(job, "'%s' is not a number from 1 to %u; nothing has changed",
                                number, BUNDLE_WEIGHT_MAX);
        if (vm->state == VM_OFF || vm->state == VM_ENDING)
            return monitor_fail(job, "%s is %s", vm->name, monitor_state(vm));
        vm_set_weight(vm, weight);
    }
    monitor_say(job, "%s has weight %u\n", vm->name, vm->vcpus[0].weight);
    monitor_row(job, "\"vm\":\"%s\",\"weight\":%u", vm->name, vm->vcpus[0].weight);
    return STEP_DONE;
}
