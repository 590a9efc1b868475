/* SPDX-License-Identifier: MIT */
/*
 * The monitor's commands that steer a VM's life. They leave the work to the VM's own turns, and
 * come back at once.
 */
#include "debug/monitor_commands.h"

/* The VM of a command, if it is running (also: paused); else NULL, and the job has failed. */
static struct vm *running_vm(struct monitor_job *job)
{
    struct vm *vm = monitor_vm(job, job->argument);

    if (vm == NULL || vm->state == VM_RUNNING)
        return vm;
    monitor_fail(job, "%s is %s", vm->name, monitor_state(vm));
    return NULL;
}

enum monitor_step monitor_pause_step(struct monitor_job *job)
{
    struct vm *vm = running_vm(job);

    if (vm == NULL)
        return STEP_DONE;
    if (vm->paused)
        return monitor_fail(job, "%s is paused already", vm->name);
    vm_pause(vm);
    monitor_say(job, "%s is paused\n", vm->name);
    return STEP_DONE;
}

enum monitor_step monitor_resume_step(struct monitor_job *job)
{
    struct vm *vm = running_vm(job);

    if (vm == NULL)
        return STEP_DONE;
    if (!vm->paused)
        return monitor_fail(job, "%s is not paused", vm->name);
    vm_resume(vm);
    monitor_say(job, "%s goes on\n", vm->name);
    return STEP_DONE;
}

/* Candor's own line on the console says that it ends, and why. */
static enum monitor_step end(struct monitor_job *job, enum vm_exit why)
{
    struct vm *vm = monitor_vm(job, job->argument);

    if (vm == NULL)
        return STEP_DONE;
    if (vm->state != VM_RUNNING && vm->state != VM_BUILDING)
        return monitor_fail(job, "%s is %s", vm->name, monitor_state(vm));
    vm_end(vm, why);
    return STEP_DONE;
}

enum monitor_step monitor_kill_step(struct monitor_job *job)
{
    return end(job, VM_EXIT_KILLED);
}

enum monitor_step monitor_reboot_step(struct monitor_job *job)
{
    return end(job, VM_EXIT_REBOOT);
}
