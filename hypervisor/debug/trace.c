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

/* The ring of the hart that is next to get one. */
static u32 rings_made;

static u64 ring_of(u32 hart)
{
    return trace_header.rings[hart].address;
}

static void describe_rings(struct trace_header *header)
{
    header->version = TRACE_VERSION;
    header->record_bytes = sizeof(struct trace_record);
    header->ring_bytes = TRACE_RING_BYTES;
    header->ring_count = hart_count;
    header->timebase_hz = machine.timebase_hz;
    __atomic_store_n(&header->magic, TRACE_MAGIC, __ATOMIC_RELEASE);
}

bool trace_ready(void)
{
    return trace_header.magic == TRACE_MAGIC;
}

int trace_prepare(void)
{
    static u64 rings;
    struct trace_record *records;

    if (trace_ready())
        return 0;
    if (rings_made == 0)
        rings = (u64)frame_run_take((hart_count + 1) * (u64)TRACE_RING_BYTES);
    if (rings == 0)
        return -1;
    trace_header.rings[rings_made].address = ALIGN_UP(rings, (u64)TRACE_RING_BYTES) +
                                             rings_made * (u64)TRACE_RING_BYTES;
    records = (struct trace_record *)ring_of(rings_made);
    for (u32 i = 0; i < TRACE_RING_RECORDS; i++)
        records[i].time = 0;
    harts[rings_made].trace_next = ring_of(rings_made);
    harts[rings_made].trace_place = &harts[rings_made].trace_next;
    if (++rings_made < hart_count)
        return 1;
    rings_made = 0;
    describe_rings(&trace_header);
    return 0;
}

void trace_start(enum trace_level level)
{
    int more = level != TRACE_OFF && trace_header.level == TRACE_OFF;

    if (!more)
        return;
    while (more > 0)
        more = trace_prepare();
    if (more < 0)
        log_line("no trace: no room for its rings");
    else
        trace_set(level);
}

void trace_set(enum trace_level level)
{
    struct hart *self = arch_hart();

    __atomic_store_n(&trace_header.level, level, __ATOMIC_SEQ_CST);
    trace_adopt(self);
    for (u32 i = 0; i < hart_count; i++) {
        if (&harts[i] != self && hart_is_online(&harts[i]))
            hart_send(&harts[i], HART_MAIL_RESCHEDULE);
    }
}

void trace_adopt_level(struct hart *hart)
{
    struct vcpu *vcpu = hart->loaded;
    enum trace_level before = hart->trace_level;

    hart->trace_level = (u8)READ_ONCE(trace_header.level);
    if (before == TRACE_OFF && vcpu != NULL) {
        trace_switched(NULL, vcpu);
    } else if (hart->trace_level == TRACE_OFF) {
        hart->trace_next = *hart->trace_place;
        hart->trace_place = &hart->trace_next;
    }
}

void trace_name(const struct vm *vm)
{
    char name[TRACE_NAME_BYTES] = {0};
    u64 words[TRACE_NAME_BYTES / sizeof(u64)];

    strlcpy(name, vm->name, sizeof(name));
    memcpy(words, name, sizeof(words));
    if (vm->id <= TRACE_VMS)
        memcpy(trace_header.vm_names[vm->id - 1], name, sizeof(name));
    trace(TRACE_NAME, vm->id, words[0]);
    trace(TRACE_NAME_MORE, vm->id, words[1]);
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
