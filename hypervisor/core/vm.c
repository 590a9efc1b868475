/* SPDX-License-Identifier: MIT */
/*
 * VMs: admitted from the bundle, built, ended and rebooted in steps of bounded length.
 *
 * A VM's own turns pay for its building and ending, so neighbours lose nothing but their queue's
 * next place. Memory is zeroed when it is taken: whatever a VM finds in it is its own.
 *
 * A VM's state, memory and tables change in its own turn alone, on whatever hart that is; the run
 * queue's lock carries them from hart to hart. Other harts leave a wish (end_wanted, events).
 */
#include "core/vm.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/sched.h"
#include "debug/log.h"
#include "debug/trace.h"
#include "driver/devices.h"
#include "mem/frame.h"
#include "string.h"
#include "virt/virt.h"

enum { STEP_FRAMES = 8 }; /* zeroed in one step */

struct vm *vms[VMS_MAX];
u32 vm_count;
bool vm_all_started = true;

static u32 frames_of(const struct vm *vm)
{
    return (u32)(vm->config.memory_bytes >> FRAME_SHIFT);
}

/* ---- admission ---- */

static void console_notify(void *owner, enum console_event event)
{
    (void)event; /* input and room are one event to a guest */
    event_send_vm(owner, EVENT_CONSOLE);
}

static enum trace_level trace_level_of(const struct bundle_vm_view *config)
{
    if (config->flags & BUNDLE_FLAG_TRACE_DETAIL)
        return TRACE_DETAIL;
    return config->flags & BUNDLE_FLAG_TRACE ? TRACE_ON : TRACE_OFF;
}

static const char *vm_make(const struct bundle_vm_view *config)
{
    u64 bytes = sizeof(struct vm) + config->vcpus * sizeof(struct vcpu);
    struct vm *vm = frame_run_alloc(bytes);
    const char *why;

    if (vm == NULL)
        return "no room for another machine";
    vm->id = (u16)(vm_count + 1);
    vm->config = *config;
    strlcpy(vm->name, config->name, sizeof(vm->name));
    vm->virt = virt_find(config->virt);
    vm->traps_bounced = config->traps == BUNDLE_TRAPS_BOUNCED;
    vm->counters_raw = (config->flags & BUNDLE_FLAG_COUNTERS_RAW) != 0;
    vm->fast_paths = true;
    if (config->flags & BUNDLE_FLAG_MARKS)
        console_show_marks();
    vm->vcpu_count = config->vcpus;
    lock_init(&vm->lock, LOCK_VM, "vm");
    why = vm->virt != NULL ? vm->virt->admit(vm)
                           : "its kind of virtualization is not in this build";
    if (why == NULL && config->memory_bytes / CHUNK_BYTES > frame_chunks_all())
        why = "it asks for more memory than the machine has for guests";
    if (why == NULL && !p2m_init(&vm->p2m, gfn(VM_MEMORY_BASE >> FRAME_SHIFT), frames_of(vm)))
        why = "no room for the map of its memory";
    if (why == NULL &&
        console_port_open(&vm->console, vm->name, (config->flags & BUNDLE_FLAG_COLOUR) != 0,
                          console_notify, vm) < 0)
        why = "the console has no port left";
    if (why != NULL) {
        p2m_destroy(&vm->p2m);
        frame_run_free(vm, bytes);
        return why;
    }
    vms[vm_count++] = vm;
    trace_start(trace_level_of(config));
    trace_name(vm);
    vm->state = VM_BUILDING;
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        vm->vcpus[i].vm = vm;
        vm->vcpus[i].index = i;
        vm->vcpus[i].hart = arch_hart();
        vm->vcpus[i].timer = TIME_NEVER;
        list_init(&vm->vcpus[i].link);
        sched_start(&vm->vcpus[i]);
    }
    return NULL;
}

void vm_start_all(const void *bytes, u64 limit_bytes)
{
    struct bundle bundle;
    int error = bundle_open(&bundle, bytes, limit_bytes);

    if (error != BUNDLE_OK) {
        log_line("no machine is started: %s", bundle_error_text(error));
        vm_all_started = false;
        return;
    }
    for (u32 i = 0; i < bundle.vm_count; i++) {
        static struct bundle_vm_view config;
        const char *why = NULL;

        error = bundle_vm_open(&bundle, i, &config);
        if (error != BUNDLE_OK)
            why = bundle_error_text(error);
        else
            why = vm_make(&config);
        if (why == NULL)
            continue;
        vm_all_started = false;
        log_vm_line(config.name, "not started: %s", why);
    }
}

void vm_set_fast_paths(struct vm *vm, bool on)
{
    vm->fast_paths = on;
    for (u32 i = 0; i < vm->vcpu_count; i++)
        arch_vcpu_fast_paths(&vm->vcpus[i], on);
}

/* ---- ending ---- */

static void end_now(struct vm *vm, enum vm_exit why)
{
    if (vm->state != VM_RUNNING && vm->state != VM_BUILDING)
        return;
    vm->state = VM_ENDING;
    vm->exit = (u8)why;
    trace(TRACE_END, vm->id, why);
    if (why == VM_EXIT_FAULT || why == VM_EXIT_FAILURE)
        vm->faulted = true;
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        struct vcpu *vcpu = &vm->vcpus[i];

        vcpu->shared = NULL;
        vcpu->timer = TIME_NEVER;
        sched_unload(vcpu);
        sched_requeue(vcpu);
    }
    vm_resume(vm);
    if (why == VM_EXIT_SHUTDOWN)
        log_vm_line(vm->name, "shut down");
    else if (why == VM_EXIT_REBOOT)
        log_vm_line(vm->name, "reboots");
    else if (why == VM_EXIT_FAILURE)
        log_vm_line(vm->name, "shut down, and reports a failure");
    else if (why == VM_EXIT_KILLED)
        log_vm_line(vm->name, "ended by the monitor");
}

void vm_end(struct vm *vm, enum vm_exit why)
{
    u32 none = VM_EXIT_NONE;

    if (sched_in_turn(&vm->vcpus[0])) {
        end_now(vm, why);
    } else if (vm->state != VM_OFF &&
               __atomic_compare_exchange_n(&vm->end_wanted, &none, why, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST)) {
        vm_resume(vm);
        sched_notify(&vm->vcpus[0]);
    }
}

void vm_serve(struct vm *vm)
{
    u32 why = READ_ONCE(vm->end_wanted);

    if (why == VM_EXIT_NONE || vm->state == VM_ENDING)
        return;
    __atomic_store_n(&vm->end_wanted, VM_EXIT_NONE, __ATOMIC_SEQ_CST);
    end_now(vm, why);
}

void vm_pause(struct vm *vm)
{
    WRITE_ONCE(vm->paused, true);
    for (u32 i = 0; i < vm->vcpu_count; i++)
        sched_pause(&vm->vcpus[i]);
}

void vm_resume(struct vm *vm)
{
    WRITE_ONCE(vm->paused, false);
    for (u32 i = 0; i < vm->vcpu_count; i++)
        sched_resume(&vm->vcpus[i]);
}

void vm_end_fault(struct vcpu *vcpu, const char *what, u64 address)
{
    u64 pc = arch_vcpu_pc(vcpu);

    trace(TRACE_FAULT, pc, address);
    log_vm_line(vcpu->vm->name, "ended: %s at pc 0x%lx, value 0x%lx", what, pc, address);
    vm_end(vcpu->vm, VM_EXIT_FAULT);
}

void vm_check_last(void)
{
    bool good = vm_all_started;

    for (u32 i = 0; i < vm_count; i++) {
        if (__atomic_load_n(&vms[i]->state, __ATOMIC_SEQ_CST) != VM_OFF)
            return;
        good = good && !vms[i]->faulted;
    }
    console_drain();
    machine_stop(good ? 0 : 1);
}

static void vm_ended(struct vm *vm)
{
    u32 wanted = __atomic_exchange_n(&vm->end_wanted, VM_EXIT_NONE, __ATOMIC_SEQ_CST);

    vm->step = 0;
    if (vm->exit == VM_EXIT_REBOOT && (wanted == VM_EXIT_NONE || wanted == VM_EXIT_REBOOT)) {
        vm->exit = VM_EXIT_NONE;
        vm->reboots++;
        console_port_restart(&vm->console);
        vm->state = VM_BUILDING;
        return;
    }
    if (wanted != VM_EXIT_NONE)
        vm->exit = (u8)wanted;
    console_port_close(&vm->console);
    for (u32 i = 0; i < vm->vcpu_count; i++)
        sched_stop(&vm->vcpus[i]);
    /* Two that end at once on two harts: one of them sees that both are gone. */
    __atomic_store_n(&vm->state, VM_OFF, __ATOMIC_SEQ_CST);
    vm_check_last();
}

/* Chunks go back one in each step, after everything that could translate to them is gone. */
static void step_ending(struct vm *vm)
{
    u64 first;
    mfn_t chunk;

    if (vm->virt->release(vm))
        return;
    if (vm->step > 0 && !vm->flushed) {
        hart_flush_all();
        vm->flushed = true;
    }
    first = (u64)vm->p2m.base_gfn + vm->returned;
    chunk = vm->returned < vm->step ? p2m_lookup(&vm->p2m, first) : MFN_NONE;
    if (mfn_valid(chunk)) {
        frame_chunk_free(chunk);
        p2m_clear(&vm->p2m, gfn(first), CHUNK_FRAMES);
        vm->returned += CHUNK_FRAMES;
        return;
    }
    vm->returned = 0;
    vm->flushed = false;
    vm_ended(vm);
}

/* ---- building ---- */

/* Takes the next chunk when the last is used up, then zeroes and maps some of its frames. */
static bool step_memory(struct vm *vm)
{
    mfn_t chunk;

    if (vm->step % CHUNK_FRAMES == 0) {
        vm->chunk = frame_chunk_alloc(vm->id);
        if (!mfn_valid(vm->chunk)) {
            log_vm_line(vm->name, "not started: it needs %lu MiB, and %u MiB more are not free",
                        vm->config.memory_bytes >> 20,
                        (frames_of(vm) - vm->step) / (CHUNK_FRAMES / 2));
            return false;
        }
    }
    chunk = vm->chunk;
    for (u32 i = 0; i < STEP_FRAMES; i++, vm->step++) {
        mfn_t frame = mfn(chunk.number + vm->step % CHUNK_FRAMES);
        gfn_t guest = gfn(vm->p2m.base_gfn + vm->step);

        memset(arch_frame_bytes(frame), 0, FRAME_BYTES);
        *frame_get(frame) = (struct frame){.type = FRAME_DATA, .vm = vm->id, .gfn = guest.number};
        p2m_set(&vm->p2m, guest, frame, false);
    }
    return true;
}

static void step_building(struct vm *vm)
{
    int more;

    if (vm->step < frames_of(vm)) {
        if (!step_memory(vm))
            vm_end(vm, VM_EXIT_FAULT);
        return;
    }
    more = vm->virt->build(vm);
    if (more < 0) {
        vm_end(vm, VM_EXIT_FAULT);
    } else if (more == 0) {
        for (u32 i = 0; i < vm->vcpu_count; i++) {
            vm->vcpus[i].counts = (struct counters){0};
            vm->vcpus[i].ran_on = NULL; /* all is new to whatever hart it comes to */
            vm->vcpus[i].events_wanted = 0;
        }
        vm->started_at = arch_time_now();
        trace(TRACE_START, vm->id, 0);
        vm->state = VM_RUNNING;
    }
}

void vm_step(struct vm *vm)
{
    if (vm->state == VM_BUILDING)
        step_building(vm);
    else if (vm->state == VM_ENDING)
        step_ending(vm);
}
