/* SPDX-License-Identifier: MIT */
/*
 * VMs made of records of the bundle, and taken away again: see vm_list.h.
 *
 * Memory is promised when a VM is made and taken while it is built, so what is promised and not yet
 * taken is counted as gone: a VM that was made before, or reboots, finds its memory. Of a bundle's
 * VMs the first have theirs, in its order.
 */
#include "core/vm_list.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/sched.h"
#include "core/sched_policy.h"
#include "debug/log.h"
#include "debug/trace.h"
#include "fnv.h"
#include "mem/frame.h"
#include "printf.h"
#include "string.h"
#include "virt/virt.h"

enum {
    MIB_SHIFT = 20,
    /* Of open memory, besides a VM's own: tables of its direct map, which are single frames. */
    TABLE_CHUNKS = 1,
};

struct vm *vms[VMS_MAX];
u32 vm_count;

/* What start-up found; no record if there is no bundle. */
static struct bundle bundle;
static u32 vms_made;

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

static u64 record_bytes(u32 vcpus)
{
    return sizeof(struct vm) + vcpus * sizeof(struct vcpu);
}

/* The lowest identifier that no VM has; 0 when there is none. */
static u16 free_id(void)
{
    for (u32 id = 1; id <= VMS_MAX; id++) {
        if (vms[id - 1] == NULL)
            return (u16)id;
    }
    return 0;
}

static void init_vcpus(struct vm *vm)
{
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        vm->vcpus[i].vm = vm;
        vm->vcpus[i].index = i;
        vm->vcpus[i].hart = arch_hart();
        vm->vcpus[i].timer = TIME_NEVER;
        vm->vcpus[i].weight = vm->config.weight;
        list_init(&vm->vcpus[i].link);
    }
}

/* Among 64 VMs a name is found by one comparison each. */
static u64 name_hash(const char *name)
{
    return fnv64_update(FNV64_START, name, strlen(name));
}

static void init_vm(struct vm *vm, u16 id, const struct bundle_vm_view *config)
{
    vm->id = id;
    vm->serial = ++vms_made;
    vm->made_at = arch_time_now();
    vm->config = *config;
    strlcpy(vm->name, config->name, sizeof(vm->name));
    vm->name_hash = name_hash(vm->name);
    vm->virt = virt_find(config->virt);
    vm->traps_bounced = config->traps == BUNDLE_TRAPS_BOUNCED;
    vm->counters_raw = (config->flags & BUNDLE_FLAG_COUNTERS_RAW) != 0;
    vm->fast_paths = (config->flags & BUNDLE_FLAG_NO_FAST_PATHS) == 0;
    vm->reboots_told = vm->made_at;
    vm->reboot_lines = REBOOT_LINES_MAX;
    vm->vcpu_count = config->vcpus;
    init_vcpus(vm);
}

/* The record of a VM, with what admission took for it. */
static void record_free(struct vm *vm)
{
    while (vm->virt != NULL && vm->virt->discard != NULL && vm->virt->discard(vm))
        continue;
    disk_release(vm->disk);
    frame_run_free(vm, record_bytes(vm->vcpu_count));
}

/* Everything that can fail, in an order that leaves nothing behind but what is given back. */
static const char *admit(struct vm *vm)
{
    static char text[sizeof(((struct vm_refusal *)0)->text)];
    const struct bundle_vm_view *config = &vm->config;
    const char *why = vm->virt != NULL ? vm->virt->admit(vm)
                                       : "its kind of virtualization is not in this build";

    if (why != NULL)
        return why;
    if (config->disk_slot != 0) {
        vm->disk = disk_claim(config->disk_slot - 1, vm);
        if (vm->disk == NULL)
            return "the machine has no disk for it, or another one has it";
    }
    if (config->memory_bytes / CHUNK_BYTES > frame_chunks_all()) {
        snprintf(text, sizeof(text),
                 "it asks for more memory than the machine has for guests, %u MiB: " MEMORY_CURE,
                 frame_chunks_all() * (CHUNK_BYTES >> MIB_SHIFT));
        return text;
    }
    if (config->memory_bytes > vm_memory_free()) {
        snprintf(text, sizeof(text), "it needs %lu MiB, and %lu MiB are left for it: " MEMORY_CURE,
                 config->memory_bytes >> MIB_SHIFT, vm_memory_free() >> MIB_SHIFT);
        return text;
    }
    if (!p2m_init(&vm->p2m, gfn(VM_MEMORY_BASE >> FRAME_SHIFT), vm_frames(vm)))
        return "no room for the map of its memory: " MEMORY_CURE;
    if (!console_port_open(&vm->console, vm->id, vm->name,
                           (config->flags & BUNDLE_FLAG_COLOUR) != 0, console_notify, vm)) {
        p2m_destroy(&vm->p2m);
        return "the console has no port left";
    }
    return NULL;
}

static const char *vm_make(const struct bundle_vm_view *config)
{
    u16 id = free_id();
    struct vm *vm = id != 0 ? frame_run_alloc(record_bytes(config->vcpus)) : NULL;
    const char *why;

    if (vm == NULL)
        return "no room for another machine; destroy one";
    if (config->flags & BUNDLE_FLAG_MARKS)
        console_show_marks();
    init_vm(vm, id, config);
    why = admit(vm);
    if (why != NULL) {
        record_free(vm);
        return why;
    }
    vms[id - 1] = vm;
    vm_count = max(vm_count, (u32)id);
    trace_name(vm);
    vm_build(vm);
    return NULL;
}

/* ---- start-up ---- */

u32 vm_record_count(void)
{
    return bundle.vm_count;
}

int vm_record(u32 index, struct bundle_vm_view *view)
{
    return bundle_vm_open(&bundle, index, view);
}

/* True if a record is there to make a VM of later. */
static bool start_record(u32 index)
{
    static struct bundle_vm_view config;
    int error = vm_record(index, &config);
    const char *why = error != BUNDLE_OK ? bundle_error_text(error) : NULL;

    if (why == NULL && (config.flags & BUNDLE_FLAG_ROUND_ROBIN))
        sched_use(&sched_round_robin);
    if (why == NULL && (config.flags & BUNDLE_FLAG_LATER))
        return true;
    trace_start(trace_level_of(&config));
    if (why == NULL)
        why = vm_make(&config);
    if (why == NULL)
        return false;
    vm_all_good = false;
    log_vm_line(config.name, "not started: %s", why);
    return false;
}

void vm_start_all(const void *bytes, u64 limit_bytes)
{
    int error = bundle_open(&bundle, bytes, limit_bytes);
    bool more = false;

    sched_use(&sched_weighted);
    if (error != BUNDLE_OK) {
        bundle.vm_count = 0;
        log_line("no machine is started: %s", bundle_error_text(error));
        vm_all_good = false;
    }
    for (u32 i = 0; i < vm_record_count(); i++)
        more = start_record(i) || more;
    if (__atomic_load_n(&vm_live, __ATOMIC_SEQ_CST) > 0)
        return;
    if (more)
        log_line("no machine is started yet: Ctrl-T m, then create");
    else
        vm_power_off();
}

/* ---- later ---- */

struct vm *vm_find(const char *name)
{
    u64 hash = name_hash(name);

    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i] != NULL && vms[i]->name_hash == hash && strcmp(vms[i]->name, name) == 0)
            return vms[i];
    }
    return NULL;
}

/* Chunks that VMs were promised and have not taken: a VM that runs has taken all. */
static u32 chunks_promised(void)
{
    u32 promised = 0;

    for (u32 i = 0; i < vm_count; i++) {
        const struct vm *vm = vms[i];
        u32 all, taken;

        if (vm == NULL || vm->state == VM_RUNNING || vm->state == VM_OFF ||
            (vm->state == VM_ENDING && vm->exit != VM_EXIT_REBOOT))
            continue;
        all = vm_frames(vm) / CHUNK_FRAMES;
        taken = (READ_ONCE(vm->step) - READ_ONCE(vm->returned)) / CHUNK_FRAMES;
        promised += all - min(all, taken);
    }
    return promised;
}

u64 vm_memory_free(void)
{
    u32 promised = chunks_promised() + TABLE_CHUNKS, chunks = frame_chunks_free();

    return chunks > promised ? (u64)(chunks - promised) * CHUNK_BYTES : 0;
}

static bool refuse(struct vm_refusal *why, const char *text)
{
    strlcpy(why->text, text, sizeof(why->text));
    return false;
}

static bool has_memory(u64 bytes, struct vm_refusal *why)
{
    u64 available = vm_memory_free();

    if (bytes <= available)
        return true;
    snprintf(why->text, sizeof(why->text), "it needs %lu MiB, and %lu MiB are free: %s",
             bytes >> MIB_SHIFT, available >> MIB_SHIFT,
             "kill a VM, or create it with less (mem=)");
    return false;
}

/* The record of that name. */
static bool find_record(const char *name, struct bundle_vm_view *config, struct vm_refusal *why)
{
    for (u32 i = 0; i < vm_record_count(); i++) {
        int error;

        if (!bundle_vm_named(&bundle, i, name))
            continue;
        error = vm_record(i, config);
        if (error == BUNDLE_OK)
            return true;
        snprintf(why->text, sizeof(why->text), "the record %s of the bundle is unusable: %s", name,
                 bundle_error_text(error));
        return false;
    }
    snprintf(why->text, sizeof(why->text), "the bundle has no record %s: `bundle` lists them",
             name);
    return false;
}

static bool name_free(const char *name, struct vm_refusal *why)
{
    const struct vm *other = vm_find(name);

    if (other == NULL)
        return true;
    snprintf(why->text, sizeof(why->text), "there is a VM %s already: %s", name,
             other->state == VM_OFF ? "start it, or destroy it first" : "give another name");
    return false;
}

bool vm_plan(const struct vm_order *order, struct bundle_vm_view *config, struct vm_refusal *why)
{
    if (!bundle_name_usable(order->name))
        return refuse(why, bundle_error_text(BUNDLE_BAD_NAME));
    if (!name_free(order->name, why) || !find_record(order->record, config, why))
        return false;
    strlcpy(config->name, order->name, sizeof(config->name));
    if (order->memory_bytes != 0 && config->tree_bytes != 0)
        return refuse(why, "its device tree says how much memory it has: create it without mem=");
    if (order->memory_bytes != 0)
        config->memory_bytes = order->memory_bytes;
    return has_memory(config->memory_bytes, why);
}

bool vm_create(const struct bundle_vm_view *config, struct vm_refusal *why)
{
    const char *reason;

    if (!name_free(config->name, why))
        return false;
    reason = vm_make(config);
    return reason == NULL || refuse(why, reason);
}

bool vm_start(struct vm *vm, struct vm_refusal *why)
{
    if (!has_memory(vm->config.memory_bytes, why))
        return false;
    console_port_reopen(&vm->console);
    vm_build(vm);
    return true;
}

bool vm_destroy(struct vm *vm)
{
    if (!console_port_finish(&vm->console) || (vm->virt->discard != NULL && vm->virt->discard(vm)))
        return false;
    console_port_remove(&vm->console);
    vms[vm->id - 1] = NULL;
    while (vm_count > 0 && vms[vm_count - 1] == NULL)
        vm_count--;
    p2m_destroy(&vm->p2m);
    record_free(vm);
    return true;
}
