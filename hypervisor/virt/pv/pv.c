/* SPDX-License-Identifier: MIT */
/*
 * The pv path: from an image in the bundle to a running paravirtual guest, and its traps.
 *
 * Building goes in steps of bounded length, in the order of enum pv_phase. Of the direct map, whole
 * chunks become superpages where all of their pages have the same rights; its tables are Candor's
 * own frames.
 */
#include "arch/arch.h"
#include "arch/arch_names.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/vm.h"
#include "debug/log.h"
#include "elf.h"
#include "mem/frame.h"
#include "string.h"
#include "sv39.h"
#include "virt/image.h"
#include "virt/paths.h"
#include "virt/pv/paging.h"
#include "virt/pv/ring.h"

enum pv_phase {
    PV_POOL = 0,  /* its frames are marked, a chunk a step */
    PV_IMAGE = 1, /* segments and initrd are copied, some pages a step */
    PV_MAP = 2,   /* the direct map is made, a chunk a step */
    PV_START = 3, /* start_info, boot root, registers */
};

enum { STEP_POOL_BYTES = CHUNK_BYTES / 2 }; /* of the pool, marked or released in one step */

/* What the direct map's leaves allow. */
enum {
    MAP_CODE = SV39_V | SV39_R | SV39_X,
    MAP_DATA = SV39_V | SV39_R | SV39_W,
    MAP_POOL = SV39_V | SV39_R,
};

/* ---- admission ---- */

static const char *admit_note(struct vm *vm, const struct elf_image *image)
{
    const void *descriptor;
    struct image_note note;
    u32 bytes;
    int error = elf_find_note(image, CANDOR_NOTE_OWNER, CANDOR_NOTE_TYPE, &descriptor, &bytes);

    if (error == ELF_NOTE_MISSING)
        return "its image has no Candor note, so it is not paravirtual";
    if (error != ELF_OK)
        return elf_error_text(error);
    if (bytes < sizeof(note))
        return "the Candor note of its image is too short";
    memcpy(&note, descriptor, sizeof(note));
    if (note.abi_version != CANDOR_ABI_VERSION)
        return "its image was built for another version of the hypercall ABI";
    if (note.reserved != 0 || note.pool_base_gpa % CHUNK_BYTES != 0 ||
        note.pool_bytes % CHUNK_BYTES != 0 || note.pool_bytes == 0)
        return "the pool that its image asks for is not made of whole 2 MiB";
    if (note.pool_base_gpa < VM_MEMORY_BASE || note.pool_base_gpa >= image_memory_end(vm) ||
        note.pool_bytes > image_memory_end(vm) - note.pool_base_gpa)
        return "the pool that its image asks for does not lie in its memory";
    vm->pv.pool_base = note.pool_base_gpa;
    vm->pv.pool_bytes = note.pool_bytes;
    return NULL;
}

/* Segments must lie outside the pool, and code apart from what is written. */
static const char *admit_segments(struct vm *vm)
{
    for (u32 i = 0; i < vm->image.segment_count; i++) {
        const struct elf_segment *segment = &vm->image.segments[i];
        u64 end = segment->physical_address + segment->memory_bytes;

        if (image_ranges_meet(segment->physical_address, end, vm->pv.pool_base,
                              vm->pv.pool_base + vm->pv.pool_bytes))
            return "a segment of its image lies in the pool";
        if (segment->virtual_address != segment->physical_address + PV_DIRECT_MAP)
            return "a segment of its image is not linked at its place in the direct map";
        for (u32 j = 0; j < vm->image.segment_count; j++) {
            const struct elf_segment *other = &vm->image.segments[j];
            u64 other_start = ALIGN_DOWN(other->physical_address, (u64)FRAME_BYTES);
            u64 other_end = ALIGN_UP(other->physical_address + other->memory_bytes,
                                     (u64)FRAME_BYTES);

            if ((segment->flags & ELF_EXECUTE) && (other->flags & ELF_WRITE) &&
                image_ranges_meet(segment->physical_address, end, other_start, other_end))
                return "a page of its image holds both code and data that is written";
        }
    }
    return NULL;
}

/* The initial RAM disk ends where memory ends; the start_info page stands before it. */
static const char *admit_places(struct vm *vm)
{
    const char *why = image_place_initrd(vm, FRAME_BYTES);

    if (why != NULL)
        return why;
    vm->pv.start_info = vm->image.initrd - FRAME_BYTES;
    if (image_ranges_meet(vm->pv.start_info, image_memory_end(vm), vm->pv.pool_base,
                          vm->pv.pool_base + vm->pv.pool_bytes))
        return "its initrd does not fit between its pool and the end of its memory";
    return NULL;
}

static const char *pv_admit(struct vm *vm)
{
    struct elf_image image;
    const char *why;
    int error = elf_open(&image, vm->config.image, vm->config.image_bytes, vm->config.image_bytes);

    if (error != ELF_OK)
        return elf_error_text(error);
    if (vm->config.memory_bytes > (u64)PV_DIRECT_MAP_GIB << 30)
        return "it asks for more memory than a paravirtual machine can have";
    why = admit_note(vm, &image);
    if (why == NULL)
        why = image_admit(vm);
    if (why == NULL)
        why = admit_segments(vm);
    if (why == NULL)
        why = admit_places(vm);
    if (why == NULL && (image.entry < PV_DIRECT_MAP || image.entry % 2 != 0))
        why = "its image does not start at an address in the direct map";
    return why;
}

/* ---- building ---- */

static bool step_pool(struct vm *vm)
{
    u64 first = vm->pv.pool_base + vm->pv.cursor;

    for (u64 at = first; at < first + STEP_POOL_BYTES; at += FRAME_BYTES) {
        mfn_t frame = p2m_lookup(&vm->p2m, at >> FRAME_SHIFT);

        frame_get(frame)->type = FRAME_POOL;
        p2m_set(&vm->p2m, gfn(at >> FRAME_SHIFT), frame, true);
    }
    vm->pv.cursor += STEP_POOL_BYTES;
    return vm->pv.cursor < vm->pv.pool_bytes;
}

struct span {
    u64 start;
    u64 end;
};

/* The whole pages that a segment makes code: none if it is not executable. */
static struct span code_pages(const struct elf_segment *segment)
{
    struct span span = {
        .start = ALIGN_DOWN(segment->physical_address, (u64)FRAME_BYTES),
        .end = ALIGN_UP(segment->physical_address + segment->memory_bytes, (u64)FRAME_BYTES),
    };

    return segment->flags & ELF_EXECUTE ? span : (struct span){0, 0};
}

/* Whether one executable segment covers all (or else any) of [start, end), by whole pages. */
static bool code_covers(const struct vm *vm, u64 start, u64 end, bool all)
{
    for (u32 i = 0; i < vm->image.segment_count; i++) {
        struct span code = code_pages(&vm->image.segments[i]);

        if (all ? code.start <= start && end <= code.end
                : image_ranges_meet(code.start, code.end, start, end))
            return true;
    }
    return false;
}

/* The entries of a chunk of which some pages are code. */
static void map_pages(const struct vm *vm, u64 start, mfn_t chunk, u64 *pages)
{
    for (u32 i = 0; i < SV39_ENTRIES; i++)
        pages[i] = sv39_leaf(mfn(chunk.number + i), MAP_DATA);
    for (u32 i = 0; i < vm->image.segment_count; i++) {
        struct span code = code_pages(&vm->image.segments[i]);
        u64 end = min(code.end, start + CHUNK_BYTES);

        for (u64 at = max(code.start, start); at < end; at += FRAME_BYTES) {
            u64 page = (at - start) >> FRAME_SHIFT;

            pages[page] = sv39_leaf(mfn(chunk.number + page), MAP_CODE);
        }
    }
}

/* A table of the direct map, on the VM's list of them. */
static mfn_t map_table(struct vm *vm, u8 level)
{
    mfn_t table = frame_table_alloc(vm->id, level);

    if (mfn_valid(table)) {
        frame_get(table)->gfn = vm->pv.map_tables;
        vm->pv.map_tables = table.number;
    }
    return table;
}

/* Maps the chunk at the cursor. 1, 0 or -1 as virt_ops.build. */
static int step_map(struct vm *vm)
{
    u64 start = VM_MEMORY_BASE + vm->pv.cursor;
    mfn_t chunk = p2m_lookup(&vm->p2m, start >> FRAME_SHIFT);
    mfn_t *upper = &vm->pv.direct_map[vm->pv.cursor >> 30];
    bool in_pool = start >= vm->pv.pool_base && start < vm->pv.pool_base + vm->pv.pool_bytes;
    bool mixed = !in_pool && code_covers(vm, start, start + CHUNK_BYTES, false) &&
                 !code_covers(vm, start, start + CHUNK_BYTES, true);
    u64 *entry;

    if (!mfn_valid(*upper))
        *upper = map_table(vm, 1);
    if (!mfn_valid(*upper))
        return -1;
    frame_get(*upper)->links = 1;
    entry = (u64 *)arch_frame_bytes(*upper) + sv39_index(gva(start), 1);
    if (mixed) {
        mfn_t lower = map_table(vm, 0);

        if (!mfn_valid(lower))
            return -1;
        map_pages(vm, start, chunk, arch_frame_bytes(lower));
        *entry = sv39_link(lower);
    } else {
        bool code = !in_pool && code_covers(vm, start, start + CHUNK_BYTES, true);

        *entry = sv39_leaf(chunk, in_pool ? MAP_POOL : code ? MAP_CODE : MAP_DATA);
    }
    vm->pv.cursor += CHUNK_BYTES;
    return vm->pv.cursor < vm->config.memory_bytes;
}

static int step_start(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpus[0];
    gpa_t boot_root = gpa(vm->pv.pool_base);
    struct start_info info = {
        .abi_version = CANDOR_ABI_VERSION,
        .flags = (vm->traps_bounced ? START_FLAG_TRAPS_BOUNCED : 0) |
                 (machine.has_sstc ? START_FLAG_SSTC : 0),
        .memory_base_gpa = VM_MEMORY_BASE,
        .memory_bytes = vm->config.memory_bytes,
        .direct_map_gva = PV_DIRECT_MAP,
        .pool_base_gpa = vm->pv.pool_base,
        .pool_bytes = vm->pv.pool_bytes,
        .boot_root_gpa = boot_root.value,
        .image_base_gpa = vm->image.base,
        .image_bytes = vm->image.end - vm->image.base,
        .initrd_gpa = vm->config.initrd_bytes > 0 ? vm->image.initrd : 0,
        .initrd_bytes = vm->config.initrd_bytes,
        .start_info_gpa = vm->pv.start_info,
        .timebase_hz = machine.timebase_hz,
        .vcpu_count = vm->vcpu_count,
    };

    strlcpy(info.vm_name, vm->name, sizeof(info.vm_name));
    strlcpy(info.args, vm->config.args, sizeof(info.args));
    image_load_bytes(vm, vm->pv.start_info, &info, sizeof(info));
    if (paging_make_root(vcpu, boot_root) != HC_OK) {
        log_vm_line(vm->name, "not started: no address-space identifier is left");
        return -1;
    }
    arch_vcpu_reset(vcpu, gva(vm->image.entry), vcpu->index, PV_DIRECT_MAP + vm->pv.start_info);
    return hc_space_switch(vcpu, boot_root).error == HC_OK ? 0 : -1;
}

static int pv_build(struct vm *vm)
{
    int more;

    switch ((enum pv_phase)vm->pv.phase) {
    case PV_POOL:
        more = step_pool(vm);
        break;
    case PV_IMAGE:
        more = image_step(vm, &vm->pv.cursor);
        break;
    case PV_MAP:
        more = step_map(vm);
        if (more < 0)
            log_vm_line(vm->name,
                        "not started: no memory is left for its direct map: " MEMORY_CURE);
        break;
    default:
        return step_start(vm);
    }
    if (more != 0)
        return more;
    vm->pv.phase++;
    vm->pv.cursor = 0;
    return 1;
}

/* ---- ending ---- */

/* First the pool's tables, STEP_POOL_BYTES of it a step, then the direct map's. */
static bool pv_release(struct vm *vm)
{
    u32 next = vm->pv.map_tables;

    if (vm->pv.phase > PV_POOL) {
        vm->pv.cursor = 0;
        vm->pv.phase = PV_POOL;
        vm->pv.releasing = true;
    }
    if (vm->pv.releasing) {
        u64 first = vm->pv.pool_base + vm->pv.cursor;

        for (u64 at = first; at < first + STEP_POOL_BYTES; at += FRAME_BYTES)
            paging_release_frame(p2m_lookup(&vm->p2m, at >> FRAME_SHIFT));
        vm->pv.cursor += STEP_POOL_BYTES;
        vm->pv.releasing = vm->pv.cursor < vm->pv.pool_bytes;
        return true;
    }
    vm->pv.cursor = 0;
    memset(vm->pv.direct_map, 0, sizeof(vm->pv.direct_map));
    vm->pv.ring.page = NULL;
    if (next == 0)
        return false;
    vm->pv.map_tables = frame_get(mfn(next))->gfn;
    frame_table_free(mfn(next));
    return true;
}

/* ---- traps ---- */

/* An aligned address of the direct map. */
static bool is_entry(const struct vm *vm, gva_t entry, u64 alignment)
{
    return entry.value % alignment == 0 && entry.value >= PV_DIRECT_MAP &&
           p2m_entry(&vm->p2m, (entry.value - PV_DIRECT_MAP) >> FRAME_SHIFT) != 0;
}

struct hc_result hc_vcpu_start(struct vcpu *vcpu, u64 number, gva_t entry, u64 argument)
{
    enum { CODE_ALIGNMENT = 2 };
    struct vcpu *named = vm_vcpu(vcpu->vm, number);
    mfn_t root = arch_space_root(vcpu);
    int error;

    if (named == NULL)
        return hc_error(HC_INVALID_PARAM);
    if (!is_entry(vcpu->vm, entry, CODE_ALIGNMENT))
        return hc_error(HC_INVALID_ADDRESS);
    error = vm_vcpu_startable(named);
    if (error == HC_OK) {
        arch_vcpu_reset(named, entry, named->index, argument);
        arch_space_install(named, root, frame_get(root)->space_id);
        vm_start_vcpu(named);
    }
    return hc_error(error);
}

struct hc_result hc_trap_register(struct vcpu *vcpu, gva_t entry, u64 causes)
{
    enum { ENTRY_ALIGNMENT = 4, CAUSES_MAX = 64 };

    if (!is_entry(vcpu->vm, entry, ENTRY_ALIGNMENT))
        return hc_error(HC_INVALID_ADDRESS);
    for (u32 cause = 0; cause < CAUSES_MAX; cause++) {
        if ((causes >> cause & 1) && !arch_cause_is_kernels(cause))
            return hc_error(HC_INVALID_PARAM);
    }
    return hc_value(arch_vcpu_trap_register(vcpu, entry, causes));
}

struct hc_result hc_trap_return(struct vcpu *vcpu)
{
    const struct shared_page *page = vcpu->shared;

    if (page == NULL)
        return hc_error(HC_DENIED);
    arch_vcpu_trap_return(vcpu, READ_ONCE(page->return_a6), READ_ONCE(page->return_a7));
    return hc_value(0);
}

/* What the hardware did not hand to the guest's kernel itself. Its kernel must be able to take it.
 */
static void pv_trap(struct vcpu *vcpu, const struct virt_trap *trap)
{
    if (trap->kernel && !arch_cause_is_kernels(trap->cause)) {
        vm_end_fault(vcpu, arch_entry_name(trap->cause), trap->value);
        return;
    }
    vcpu->counts.upcalls++;
    if (!arch_vcpu_upcall(vcpu, trap->cause, trap->value))
        vm_end_fault(vcpu, arch_entry_name(trap->cause), trap->value);
}

/* The pending word of the shared page is the one truth; the doorbell says "look there". */
static void pv_events(struct vcpu *vcpu, u64 events)
{
    struct shared_page *page = vcpu->shared;

    if ((events & EVENT_DISK) != 0)
        ring_answer(vcpu);
    if (page != NULL)
        __atomic_fetch_or(&page->pending, events, __ATOMIC_RELEASE);
    arch_vcpu_doorbell(vcpu);
}

const struct virt_ops virt_pv = {
    .name = "pv",
    .admit = pv_admit,
    .build = pv_build,
    .release = pv_release,
    .trap = pv_trap,
    .events = pv_events,
    .own_calls = true,
    .walk = paging_walk,
    .audit = paging_audit,
};
