/* SPDX-License-Identifier: MIT */
/*
 * The shadow path: from an image that knows nothing of Candor to a running virtual machine.
 *
 * The image starts as OpenSBI would start it on QEMU's machine: in S-mode, without translation, a0
 * its hart's number, a1 its device tree, which the launcher made.
 */
#include "virt/shadow/shadow.h"

#include "arch/arch_shadow.h"
#include "bundle_unmodified.h"
#include "core/vm.h"
#include "debug/log.h"
#include "mem/frame.h"
#include "string.h"
#include "virt/image.h"
#include "virt/paths.h"

/* An image without a format is one segment. */
static const char *admit_raw(struct vm *vm)
{
    const u64 bytes = vm->config.image_bytes;

    if (BUNDLE_RAW_BASE > image_memory_end(vm) || bytes > image_memory_end(vm) - BUNDLE_RAW_BASE)
        return "its image does not fit into its memory";
    vm->image = (struct vm_image){
        .segments = {{.physical_address = BUNDLE_RAW_BASE,
                      .memory_bytes = bytes,
                      .file_bytes = bytes}},
        .segment_count = 1,
        .base = BUNDLE_RAW_BASE,
        .end = BUNDLE_RAW_BASE + bytes,
        .entry = BUNDLE_RAW_BASE,
    };
    return NULL;
}

static const char *admit_record(const struct bundle_vm_view *record)
{
    if (record->tree_bytes == 0)
        return "its record has no device tree";
    if (record->depriv > BUNDLE_DEPRIV_U)
        return "it asks for options that this build does not have";
    return NULL;
}

static const char *shadow_admit(struct vm *vm)
{
    const char *why = admit_record(&vm->config);

    if (why == NULL)
        why = vm->config.flags & BUNDLE_FLAG_RAW_IMAGE ? admit_raw(vm) : image_admit(vm);
    if (why == NULL)
        why = image_place_initrd(vm, ALIGN_UP(vm->config.tree_bytes, (u64)FRAME_BYTES));
    if (why != NULL)
        return why;
    vm->fast_paths = false;
    vm->shadow = frame_run_alloc(sizeof(*vm->shadow));
    if (vm->shadow == NULL)
        return "no room for another machine";
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        vm->vcpus[i].shadow = &vm->shadow->vcpus[i];
        vm->shadow->vcpus[i].several = vm->vcpu_count > 1;
        vm->shadow->vcpus[i].kernel_in_u = vm->config.depriv == BUNDLE_DEPRIV_U;
        vm->shadow->vcpus[i].sstc = (vm->config.flags & BUNDLE_FLAG_NO_SSTC) == 0;
    }
    vm->shadow->tree = vm->image.initrd - ALIGN_UP(vm->config.tree_bytes, (u64)FRAME_BYTES);
    if (!shadow_tables_init(vm))
        return "no room for what its shadow page tables need";
    return NULL;
}

static int step_start(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpus[0];

    image_load_bytes(vm, vm->shadow->tree, vm->config.tree, vm->config.tree_bytes);
    for (u32 i = 0; i < vm->vcpu_count; i++)
        vm->shadow->vcpus[i].started = false;
    shadow_drop_all(vcpu);
    shadow_cpu_start(vcpu, vm->image.entry, vcpu->index, vm->shadow->tree);
    shadow_machine_start(vm);
    shadow_counts_reset(vm);
    return 0;
}

static int shadow_build(struct vm *vm)
{
    struct vm_shadow *shadow = vm->shadow;
    bool more;

    switch ((enum shadow_phase)shadow->phase) {
    case SHADOW_FRAMES:
        more = shadow_tables_clear(vm, &shadow->cursor);
        break;
    case SHADOW_IMAGE:
        more = image_step(vm, &shadow->cursor);
        break;
    case SHADOW_TABLES:
        if (!shadow_tables_ready(vm)) {
            log_vm_line(vm->name,
                        "not started: no memory is left for its shadow page tables, or too "
                        "few address-space identifiers for its vCPUs");
            return -1;
        }
        more = false;
        break;
    default:
        return step_start(vm);
    }
    if (!more) {
        shadow->phase++;
        shadow->cursor = 0;
    }
    return 1;
}

static bool shadow_release(struct vm *vm)
{
    vm->shadow->phase = SHADOW_FRAMES;
    vm->shadow->cursor = 0;
    return shadow_tables_release(vm);
}

static bool shadow_discard(struct vm *vm)
{
    if (vm->shadow == NULL)
        return false;
    shadow_tables_destroy(vm);
    frame_run_free(vm->shadow, sizeof(*vm->shadow));
    vm->shadow = NULL;
    return false;
}

const struct virt_ops virt_shadow = {
    .name = "shadow",
    .admit = shadow_admit,
    .build = shadow_build,
    .release = shadow_release,
    .discard = shadow_discard,
    .trap = shadow_trap,
    .enter = shadow_enter,
    .tick = shadow_tick,
    .written = shadow_written,
    .events = shadow_events,
    .firmware_has = shadow_firmware_has,
    .firmware_call = shadow_firmware_call,
    .walk = shadow_walk,
    .count = shadow_count,
    .audit = shadow_audit,
};
