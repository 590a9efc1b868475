/* SPDX-License-Identifier: MIT */
/*
 * Rings, and the records that C code writes. See trace.h. No lock: a ring belongs to its hart.
 */
#include "debug/trace.h"

#include "arch/arch.h"
#include "candor_abi.h"
#include "core/hart.h"
#include "core/vm.h"
#include "debug/log.h"
#include "mem/frame.h"
#include "string.h"

#define TRACE_MAGIC 0x4543415254444e43ULL /* "CNDTRACE" as bytes */

struct trace_header trace_header;

void trace_start(enum trace_level level)
{
    struct trace_header *header = &trace_header;
    u64 rings;

    if (level == TRACE_OFF || header->level != TRACE_OFF)
        return;
    rings = (u64)frame_run_alloc((hart_count + 1) * (u64)TRACE_RING_BYTES);
    if (rings == 0) {
        log_line("no trace: no room for its rings");
        return;
    }
    rings = ALIGN_UP(rings, (u64)TRACE_RING_BYTES);
    for (u32 i = 0; i < hart_count; i++) {
        header->rings[i].address = rings + i * (u64)TRACE_RING_BYTES;
        harts[i].trace_next = header->rings[i].address;
        harts[i].trace_place = &harts[i].trace_next;
    }
    header->version = TRACE_VERSION;
    header->record_bytes = sizeof(struct trace_record);
    header->ring_bytes = TRACE_RING_BYTES;
    header->ring_count = hart_count;
    header->timebase_hz = machine.timebase_hz;
    header->level = level;
    __atomic_store_n(&header->magic, TRACE_MAGIC, __ATOMIC_RELEASE);
}

void trace_name(const struct vm *vm)
{
    if (vm->id <= TRACE_VMS)
        strlcpy(trace_header.vm_names[vm->id - 1], vm->name, TRACE_NAME_BYTES);
}

void trace_write(enum trace_kind kind, u64 a, u64 b)
{
    u64 *place = arch_hart()->trace_place;
    u64 next = *place;
    u64 ring = ALIGN_DOWN(next, (u64)TRACE_RING_BYTES);

    *(struct trace_record *)next = (struct trace_record){arch_time_now(), kind, a, b};
    *place = ring + (next + sizeof(struct trace_record)) % TRACE_RING_BYTES;
}

void trace_switched(struct vcpu *from, struct vcpu *to)
{
    struct hart *hart = arch_hart();
    u64 *place = to != NULL ? &to->trace_next : &hart->trace_next;
    u64 vm = to != NULL ? to->vm->id : 0;

    *place = *hart->trace_place;
    hart->trace_place = place;
    trace_header.rings[hart->index].vm = vm;
    trace_write(TRACE_SWITCH, from != NULL ? from->vm->id : 0, vm);
}
