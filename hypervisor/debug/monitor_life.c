/* SPDX-License-Identifier: MIT */
/*
 * The monitor's commands that steer a VM's life, and those by which VMs come and go. They leave the
 * work to the VM's own turns, and come back at once; `pause` waits until the VM stands wherever it
 * runs, `destroy` until all is given back.
 */
#include "debug/monitor_commands.h"

#include "string.h"

#include "core/machine.h"
#include "core/vm_list.h"
#include "mem/frame.h"

enum {
    WAITS_A_SECOND = 100, /* while a VM ends, or its turn does */
    KIB_SHIFT = 10,
    GIB_SHIFT = 30,
};

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
    struct vm *vm = job->step == 0 ? running_vm(job) : vms[job->target.id - 1];

    if (job->step == 0) {
        if (vm == NULL)
            return STEP_DONE;
        if (vm->paused)
            return monitor_fail(job, "%s is paused already", vm->name);
        vm_pause(vm);
        job->target = (struct monitor_target){vm->id, vm->serial};
        strlcpy(job->text, vm->name, sizeof(job->text));
    } else if (vm == NULL || vm->serial != job->target.serial || !vm->paused) {
        return monitor_fail(job, "%s was resumed or ended meanwhile", job->text);
    }
    if (!vm_stands(vm))
        return monitor_wait(job, machine.timebase_hz / WAITS_A_SECOND);
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
    bool rebooting;

    if (vm == NULL)
        return STEP_DONE;
    rebooting = vm->state == VM_ENDING && vm->exit == VM_EXIT_REBOOT;
    if (vm->state != VM_RUNNING && vm->state != VM_BUILDING &&
        !(rebooting && why == VM_EXIT_KILLED))
        return monitor_fail(job, "%s is %s%s", vm->name, monitor_state(vm),
                            vm->state == VM_OFF && why == VM_EXIT_REBOOT ? ": start it" : "");
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

enum monitor_step monitor_start_step(struct monitor_job *job)
{
    struct vm *vm = monitor_vm(job, job->argument);
    struct vm_refusal why;

    if (vm == NULL)
        return STEP_DONE;
    if (vm->leaving)
        return monitor_fail(job, "%s is being destroyed: create it anew", vm->name);
    if (vm->state != VM_OFF)
        return monitor_fail(job, "%s is %s: only one that is off can be started", vm->name,
                            monitor_state(vm));
    if (!vm_start(vm, &why))
        return monitor_fail(job, "%s", why.text);
    monitor_say(job, "%s starts\n", vm->name);
    return STEP_DONE;
}

/* ---- create ---- */

/* "64M": a number with K, M or G, or of bytes. 0 if it is none. */
static u64 parse_size(const char *text)
{
    u64 size = 0;
    u32 shift = 0;

    for (; *text >= '0' && *text <= '9' && size < 1UL << GIB_SHIFT; text++)
        size = size * BASE_TEN + (u64)(*text - '0');
    if (*text == 'K' || *text == 'k')
        shift = KIB_SHIFT;
    else if (*text == 'M' || *text == 'm')
        shift = MIB_SHIFT;
    else if (*text == 'G' || *text == 'g')
        shift = GIB_SHIFT;
    if (text[shift != 0] != '\0')
        return 0;
    return size << shift >> shift == size ? size << shift : 0;
}

/* Reads what stands behind the name; false after having failed the job. */
static bool parse_options(struct monitor_job *job, const char *rest, struct vm_order *order,
                          char record[MONITOR_NAME_BYTES])
{
    static const char memory[] = "mem=";
    const size_t memory_length = sizeof(memory) - 1;
    char word[MONITOR_NAME_BYTES];

    while (monitor_word(&rest, word)) {
        if (strcmp(word, "from") == 0 && monitor_word(&rest, record)) {
            order->record = record;
        } else if (strncmp(word, memory, memory_length) == 0) {
            order->memory_bytes = parse_size(word + memory_length);
            if (order->memory_bytes == 0 || order->memory_bytes % CHUNK_BYTES != 0) {
                monitor_fail(job, "%s is not a size in whole 2 MiB, such as mem=64M", word);
                return false;
            }
        } else {
            monitor_fail(job, "'%s' is not known: create NAME [from RECORD] [mem=SIZE]", word);
            return false;
        }
    }
    return true;
}

/* What it is to be made of; false after having failed the job. */
static bool plan(struct monitor_job *job)
{
    char name[MONITOR_NAME_BYTES], record[MONITOR_NAME_BYTES];
    const char *rest = job->argument;
    struct vm_order order = {.name = name, .record = name};
    struct vm_refusal why;

    if (!monitor_word(&rest, name)) {
        monitor_fail(job, "of which name? create NAME [from RECORD] [mem=SIZE]; `bundle` lists the "
                          "records");
        return false;
    }
    if (!parse_options(job, rest, &order, record))
        return false;
    if (vm_plan(&order, &job->plan, &why))
        return true;
    monitor_fail(job, "%s", why.text);
    return false;
}

enum monitor_step monitor_create_step(struct monitor_job *job)
{
    enum { STEP_PLAN, STEP_CREATE };
    const struct vm *vm;
    struct vm_refusal why;

    if (job->step == STEP_PLAN)
        return plan(job) ? STEP_MORE : STEP_DONE;
    if (job->step == STEP_CREATE) {
        if (!vm_create(&job->plan, &why))
            return monitor_fail(job, "%s", why.text);
        return STEP_MORE;
    }
    vm = vm_find(job->plan.name);
    if (vm == NULL)
        return STEP_DONE; /* somebody was quick to destroy it */
    monitor_say(job, "%s is number %u, and starts\n", vm->name, vm->id);
    monitor_row(job, "\"vm\":\"%s\",\"number\":%u", vm->name, vm->id);
    return STEP_DONE;
}

/* ---- destroy ---- */

enum monitor_step monitor_destroy_step(struct monitor_job *job)
{
    struct vm *vm = job->step == 0 ? monitor_vm(job, job->argument) : vms[job->target.id - 1];
    u64 memory_bytes;

    if (vm == NULL)
        return STEP_DONE;
    if (job->step == 0) {
        if (vm->leaving)
            return monitor_fail(job, "%s is being destroyed already", vm->name);
        vm->leaving = true;
        job->target = (struct monitor_target){vm->id, vm->serial};
    }
    memory_bytes = vm->config.memory_bytes;
    if (__atomic_load_n(&vm->state, __ATOMIC_SEQ_CST) != VM_OFF) {
        vm_end(vm, VM_EXIT_KILLED); /* once more, for it may be rebooting */
        return monitor_wait(job, machine.timebase_hz / WAITS_A_SECOND);
    }
    strlcpy(job->text, vm->name, sizeof(job->text));
    if (!vm_destroy(vm))
        return monitor_wait(job, machine.timebase_hz / WAITS_A_SECOND);
    monitor_say(job, "%s is gone, and its %lu MiB are free\n", job->text,
                memory_bytes >> MIB_SHIFT);
    return STEP_DONE;
}

/* ---- bundle ---- */

static void say_record(const struct monitor_job *job, u32 index)
{
    static struct bundle_vm_view view;
    int error = vm_record(index, &view);
    bool later = (view.flags & BUNDLE_FLAG_LATER) != 0;

    if (error != BUNDLE_OK) {
        monitor_say(job, "%-15s  unusable: %s\n", view.name, bundle_error_text(error));
        monitor_row(job, "\"record\":\"%s\",\"unusable\":\"%s\"", view.name,
                    bundle_error_text(error));
        return;
    }
    monitor_say(job, "%-15s  %6lu M  %s\n", view.name, view.memory_bytes >> MIB_SHIFT,
                later ? "not started with the machine" : "started with the machine");
    monitor_row(job, "\"record\":\"%s\",\"memory_bytes\":%lu,\"started\":%s", view.name,
                view.memory_bytes, later ? "false" : "true");
}

enum monitor_step monitor_bundle_step(struct monitor_job *job)
{
    u64 closed = (u64)frame_heap_free() << FRAME_SHIFT;

    if (job->step < vm_record_count()) {
        say_record(job, job->step);
        return STEP_MORE;
    }
    monitor_say(job, "%lu MiB are free for VMs, and %lu KiB for what Candor keeps of them\n",
                vm_memory_free() >> MIB_SHIFT, closed >> KIB_SHIFT);
    monitor_row(job, "\"free_bytes\":%lu,\"free_closed_bytes\":%lu", vm_memory_free(), closed);
    return STEP_DONE;
}
