/* SPDX-License-Identifier: MIT */
/*
 * VMs: built, ended and rebooted in steps of bounded length. How they come and go: vm_list.c.
 *
 * A VM's own turns pay for its building and ending, so neighbours lose nothing but their queue's
 * next place. Memory is zeroed when it is taken: whatever a VM finds in it is its own.
 *
 * A VM's own turn is that of its first vCPU, on whatever hart that is: it builds and ends. The
 * others are OFF until the guest starts them, and again before the first gives anything back. What
 * all of them change, they change one at a time (vm_calls_lock). The run queue's lock carries it
 * from hart to hart. Other harts leave a wish (end_wanted, events).
 */
#include "core/vm.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "debug/log.h"
#include "debug/trace.h"
#include "driver/devices.h"
#include "mem/frame.h"
#include "string.h"
#include "virt/virt.h"

enum {
    STEP_FRAMES = 8,             /* zeroed in one step */
    PATIENCES_PER_SECOND = 1000, /* so long a hart waits for others before it goes first */
};

bool vm_all_good = true;
u32 vm_live;

u32 vm_frames(const struct vm *vm)
{
    return (u32)(vm->config.memory_bytes >> FRAME_SHIFT);
}

/* ---- ending ---- */

/* A VM that reboots and reboots does not flood the terminal with lines about it. */
static void tell_reboots(struct vm *vm)
{
    u64 now = arch_time_now(), seconds = (now - vm->reboots_told) / machine.timebase_hz;

    vm->reboots_untold++;
    vm->reboot_lines = (u32)min(vm->reboot_lines + seconds, (u64)REBOOT_LINES_MAX);
    if (vm->reboot_lines == 0)
        return;
    vm->reboot_lines--;
    vm->reboots_told = now;
    if (vm->reboots_untold == 1)
        log_vm_line(vm->name, "reboots");
    else
        log_vm_line(vm->name, "reboots (%u times)", vm->reboots_untold);
    vm->reboots_untold = 0;
}

static void tell_end(struct vm *vm, enum vm_exit why)
{
    if (why == VM_EXIT_REBOOT) {
        tell_reboots(vm);
        return;
    }
    if (vm->reboots_untold > 0)
        log_vm_line(vm->name, "reboots (%u times)", vm->reboots_untold);
    vm->reboots_untold = 0;
    if (why == VM_EXIT_SHUTDOWN)
        log_vm_line(vm->name, "shut down");
    else if (why == VM_EXIT_FAILURE)
        log_vm_line(vm->name, "shut down, and reports a failure");
    else if (why == VM_EXIT_KILLED)
        log_vm_line(vm->name, "ended by the monitor");
}

/* In its turn: the vCPU runs no guest code any more. */
static void leave_guest(struct vcpu *vcpu)
{
    vcpu->shared = NULL;
    vcpu->timer = TIME_NEVER;
    sched_unload(vcpu);
}

/* In the turn of one of its vCPUs. Two may come here at once, on different harts. */
static void end_now(struct vm *vm, enum vm_exit why)
{
    u32 state = READ_ONCE(vm->state);

    if ((state != VM_RUNNING && state != VM_BUILDING) ||
        !__atomic_compare_exchange_n(&vm->state, &state, VM_ENDING, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    vm->exit = (u8)why;
    trace(TRACE_END, vm->id, why);
    if (why == VM_EXIT_FAULT || why == VM_EXIT_FAILURE)
        __atomic_store_n(&vm_all_good, false, __ATOMIC_SEQ_CST);
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        if (sched_in_turn(&vm->vcpus[i])) {
            leave_guest(&vm->vcpus[i]);
            sched_requeue(&vm->vcpus[i]);
        } else {
            sched_notify(&vm->vcpus[i]);
        }
    }
    vm_resume(vm);
    tell_end(vm, why);
}

static bool in_turn(const struct vm *vm)
{
    const struct vcpu *current = arch_hart()->current;

    return current != NULL && current->vm == vm;
}

void vm_end(struct vm *vm, enum vm_exit why)
{
    u32 none = VM_EXIT_NONE;

    if (in_turn(vm) && vm->state != VM_ENDING) {
        end_now(vm, why);
    } else if (vm->state != VM_OFF &&
               __atomic_compare_exchange_n(&vm->end_wanted, &none, why, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST)) {
        vm_resume(vm);
        sched_notify(&vm->vcpus[0]);
    }
}

void vm_serve(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    u32 why = READ_ONCE(vm->end_wanted);

    if (why != VM_EXIT_NONE && vm->state != VM_ENDING) {
        __atomic_store_n(&vm->end_wanted, VM_EXIT_NONE, __ATOMIC_SEQ_CST);
        end_now(vm, why);
    } else if (READ_ONCE(vm->state) == VM_ENDING) { /* by another one's turn */
        leave_guest(vcpu);
    }
}

/* ---- several vCPUs ---- */

struct vcpu *vm_vcpu(struct vm *vm, u64 number)
{
    return number < vm->vcpu_count ? &vm->vcpus[number] : NULL;
}

/* Whether a hart may try to take it: no other one is to have it next. Who is impatient will be. */
static bool may_take_calls(struct vm *vm, u32 self, bool impatient)
{
    u32 first = READ_ONCE(vm->calls_first);

    if (first == 0 && impatient)
        __atomic_compare_exchange_n(&vm->calls_first, &first, self, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    return first == 0 || first == self;
}

void vm_calls_lock(struct vm *vm)
{
    const u64 patience = machine.timebase_hz / PATIENCES_PER_SECOND;
    struct hart *hart = arch_hart();
    u32 self = hart->index + 1, turns = 0;
    u64 since = 0;

    while (!may_take_calls(vm, self, since != 0 && arch_time_now() - since > patience) ||
           __atomic_exchange_n(&vm->calls_taken, 1, __ATOMIC_ACQUIRE) != 0) {
        if (since == 0)
            since = arch_time_now();
        hart_wait(hart, vm, &turns);
    }
    hart_wait_end(hart, turns);
    if (READ_ONCE(vm->calls_first) == self)
        WRITE_ONCE(vm->calls_first, 0);
}

/* The other harts on which a vCPU of the VM may use what became stale. Those whose vCPU is loaded
   while nobody is in its guest, or that are in another space, drop it before they go there: who
   loads a vCPU, or switches spaces, looks at `stale` after that. */
static u64 harts_to_flush(const struct vcpu *vcpu)
{
    const struct vm *vm = vcpu->vm;
    u64 which = 0;

    for (u32 i = 0; i < hart_count; i++) {
        const struct vcpu *loaded = __atomic_load_n(&harts[i].loaded, __ATOMIC_SEQ_CST);

        if (loaded == vcpu || loaded < vm->vcpus || loaded >= vm->vcpus + vm->vcpu_count)
            continue;
        if (vm->stale == STALE_ALL || mfn_equal(arch_space_root(loaded), vm->stale_root))
            which |= BIT(i);
    }
    return which;
}

void vm_calls_flush(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    u64 which;

    if (vm->stale == STALE_NONE)
        return;
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        if (&vm->vcpus[i] != vcpu)
            __atomic_store_n(&vm->vcpus[i].stale, true, __ATOMIC_SEQ_CST);
    }
    which = harts_to_flush(vcpu);
    if (which != 0)
        hart_flush(which);
    vm->stale = STALE_NONE;
}

void vm_calls_unlock(struct vcpu *vcpu)
{
    vm_calls_flush(vcpu);
    __atomic_store_n(&vcpu->vm->calls_taken, 0, __ATOMIC_RELEASE);
    hart_end_waits(vcpu->vm);
}

int vm_vcpu_startable(struct vcpu *vcpu)
{
    if (READ_ONCE(vcpu->vm->state) != VM_RUNNING)
        return HC_DENIED;
    return sched_is_off(vcpu) ? HC_OK : HC_EXISTS;
}

void vm_start_vcpu(struct vcpu *vcpu)
{
    vcpu->ran_on = NULL;
    vcpu->events_wanted = 0;
    sched_start(vcpu);
}

void vm_stop_vcpu(struct vcpu *vcpu)
{
    leave_guest(vcpu);
    arch_space_remove(vcpu);
    vcpu->stopping = false;
    sched_stop(vcpu); /* another hart may start it from here on */
}

/* Whether one besides the first may still be in the guest, or start another that is. */
static bool others_run(struct vm *vm)
{
    bool found = false;

    if (vm->vcpu_count == 1)
        return false;
    vm_calls_lock(vm);
    for (u32 i = 1; i < vm->vcpu_count; i++)
        found = found || !sched_is_off(&vm->vcpus[i]);
    vm_calls_unlock(vm->vcpus);
    return found;
}

void vm_pause(struct vm *vm)
{
    WRITE_ONCE(vm->paused, true);
    for (u32 i = 0; i < vm->vcpu_count; i++)
        sched_pause(&vm->vcpus[i]);
}

bool vm_stands(struct vm *vm)
{
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        if (sched_has_turn(&vm->vcpus[i]))
            return false;
    }
    return true;
}

void vm_resume(struct vm *vm)
{
    WRITE_ONCE(vm->paused, false);
    for (u32 i = 0; i < vm->vcpu_count; i++)
        sched_resume(&vm->vcpus[i]);
}

void vm_set_weight(struct vm *vm, u32 weight)
{
    for (u32 i = 0; i < vm->vcpu_count; i++)
        sched_set_weight(&vm->vcpus[i], weight);
}

void vm_end_fault(struct vcpu *vcpu, const char *what, u64 address)
{
    u64 pc = arch_vcpu_pc(vcpu);

    trace(TRACE_FAULT, pc, address);
    log_vm_line(vcpu->vm->name, "ended: %s at pc 0x%lx, value 0x%lx", what, pc, address);
    vm_end(vcpu->vm, VM_EXIT_FAULT);
}

void vm_power_off(void)
{
    console_drain();
    machine_stop(__atomic_load_n(&vm_all_good, __ATOMIC_SEQ_CST) ? 0 : 1);
}

static void vm_ended(struct vm *vm)
{
    u32 wanted = __atomic_exchange_n(&vm->end_wanted, VM_EXIT_NONE, __ATOMIC_SEQ_CST);
    bool leaving;

    vm->step = 0;
    if (vm->exit == VM_EXIT_REBOOT) {
        if (wanted == VM_EXIT_NONE || wanted == VM_EXIT_REBOOT) {
            vm->exit = VM_EXIT_NONE;
            vm->reboots++;
            console_port_restart(&vm->console);
            vm->state = VM_BUILDING;
            return;
        }
        vm->exit = (u8)wanted;
        tell_end(vm, wanted);
    }
    console_port_close(&vm->console);
    sched_stop(&vm->vcpus[0]);
    leaving = READ_ONCE(vm->leaving);
    __atomic_store_n(&vm->state, VM_OFF, __ATOMIC_SEQ_CST);
    /* From here on the VM may be gone. */
    if (__atomic_sub_fetch(&vm_live, 1, __ATOMIC_SEQ_CST) == 0 && !leaving)
        vm_power_off();
}

void vm_build(struct vm *vm)
{
    __atomic_add_fetch(&vm_live, 1, __ATOMIC_SEQ_CST);
    vm->exit = VM_EXIT_NONE;
    vm->end_wanted = VM_EXIT_NONE;
    vm->state = VM_BUILDING;
    sched_start(&vm->vcpus[0]); /* the others when the guest wants it */
}

/* Chunks go back one in each step, after everything that could translate to them is gone. */
static void step_ending(struct vm *vm)
{
    u64 first;
    mfn_t chunk;

    if (others_run(vm) || (vm->disk != NULL && !disk_idle(vm->disk))) {
        sched_give_way(&vm->vcpus[0]); /* they still read and write the memory */
        return;
    }
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
            log_vm_line(vm->name,
                        "not started: it needs %lu MiB, and %u MiB more are not free: " MEMORY_CURE,
                        vm->config.memory_bytes >> 20,
                        (vm_frames(vm) - vm->step) / (CHUNK_FRAMES / 2));
            return false;
        }
        p2m_clear(&vm->p2m, gfn(vm->p2m.base_gfn + vm->step), CHUNK_FRAMES);
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

    if (vm->step < vm_frames(vm)) {
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
