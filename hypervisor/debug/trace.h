/* SPDX-License-Identifier: MIT */
/*
 * The trace: what Candor did, in fixed-size records, in a ring for each hart.
 *
 * Rings lie in closed memory and are read from outside, by whoever can read the machine's memory
 * (tools/candor run --trace): no guest sees them and reading costs the machine nothing. The
 * assembly writes records of entries and calls itself (entry.S: it is instantiated once for each
 * trace level, so without a trace nothing is tested for); what happens rarely is written by the
 * functions here.
 *
 * Where a hart's next record goes is held by the vCPU that is loaded on it, else by the hart: the
 * assembly has no other pointer. A ring has 64 KiB at a multiple of 64 KiB, so storing the lower
 * half-word of the place wraps it. Records are ordered by time, so a reader needs no more than the
 * ring.
 *
 * A record does not name its VM: SWITCH records do, from and to. NAME and NAME_MORE records tell
 * the 16 bytes of a VM's name when it is made, for its identifier may have been another's before.
 *
 * The level can be changed at any time: trace_header.level is what is wanted, and each hart goes
 * over to it by itself (trace_adopt), on a way that ends with leaving by the trap entry of its
 * level. So what enters by an entry that records has a place to record to, and switched off nothing
 * is left to be tested for. It does so with its next interrupt at the latest.
 */
#pragma once

#include "arch/arch.h"
#include "core/hart.h"
#include "core/machine.h"
#include "debug/trace_kinds.h"

struct vcpu;
struct vm;

enum trace_kind {
#define TRACE_KIND(name, number, ...) TRACE_##name = (number),
    TRACE_KINDS(TRACE_KIND)
#undef TRACE_KIND
};

enum trace_level {
    TRACE_OFF = 0,
    TRACE_ON = 1,     /* one record for each entry, but for trap_return */
    TRACE_DETAIL = 2, /* of every entry, and of every exit */
    TRACE_LEVELS = 3,
};

enum {
    TRACE_VERSION = 1,
    TRACE_RING_BYTES = 1 << 16,
    TRACE_RING_RECORDS = TRACE_RING_BYTES / 32,
    TRACE_NAME_BYTES = 16,
    TRACE_VMS = 64,
};

/*
 * `what` is an enum trace_kind, or else an entry: of an exception its cause with the bits of
 * CAUSE_ECALL_S turned over, of an interrupt likewise (bit 63 is set), of one of Candor's calls
 * below table_make its number minus table_make's (negative), of another call a number above all
 * kinds. Then a is the pc, and, in detail or if it is a call, b is register a7.
 */
struct trace_record {
    u64 time;
    u64 what;
    u64 a;
    u64 b;
};
_Static_assert(sizeof(struct trace_record) * TRACE_RING_RECORDS == TRACE_RING_BYTES,
               "the assembly and readers count on it");

/* What readers find by its symbol. */
struct trace_header {
    u64 magic;
    u32 version;
    u32 level;
    u32 record_bytes;
    u32 ring_bytes;
    u32 ring_count;
    u32 reserved;
    u64 timebase_hz;
    struct {
        u64 address; /* machine address of the ring */
        u64 vm;      /* identifier of the VM loaded now; 0: none */
    } rings[HARTS_MAX];
    char vm_names[TRACE_VMS][TRACE_NAME_BYTES]; /* by identifier - 1 */
};

extern struct trace_header trace_header;

/* Makes the rings and traces; by the boot hart before any vCPU is started. Without room for the
   rings the trace stays off. */
void trace_start(enum trace_level level);

/* Makes the rings, one in each step: 1: there is more to do; 0: they are there; negative: there is
 * no room for them. They stay for good. */
MUST_CHECK int trace_prepare(void);

/* Whether the rings are there. */
bool trace_ready(void);

/* All harts trace on that level from now on; but for TRACE_OFF the rings must be there. This hart
 * at once, on a way that ends in trap_resume; others soon. The caller holds no lock. */
void trace_set(enum trace_level level);

/* Names a VM for readers. */
void trace_name(const struct vm *vm);

/* The slow halves of what follows. */
void trace_adopt_level(struct hart *hart);
void trace_write(enum trace_kind kind, u64 a, u64 b);
void trace_switched(struct vcpu *from, struct vcpu *to);

/* A record of this hart. Any context. */
static inline void trace(enum trace_kind kind, u64 a, u64 b)
{
    if (arch_hart()->trace_level != TRACE_OFF)
        trace_write(kind, a, b);
}

/* The same of what only a trace in detail tells. */
static inline void trace_detail(enum trace_kind kind, u64 a, u64 b)
{
    if (arch_hart()->trace_level == TRACE_DETAIL)
        trace_write(kind, a, b);
}

/* This hart goes over to the level that is wanted. */
static inline void trace_adopt(struct hart *hart)
{
    if (hart->trace_level != READ_ONCE(trace_header.level))
        trace_adopt_level(hart);
}

/* This hart changes the vCPU that is loaded on it (either may be NULL): by arch_vcpu_switch alone.
 */
static inline void trace_switch(struct vcpu *from, struct vcpu *to)
{
    if (arch_hart()->trace_level != TRACE_OFF)
        trace_switched(from, to);
}
