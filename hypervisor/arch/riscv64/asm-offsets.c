/* SPDX-License-Identifier: MIT */
/*
 * Offsets for entry.S. Compiled to assembly only; see asm_offset.h.
 */
#include "asm_offset.h"
#include "boot.h"
#include "core/hart.h"
#include "core/vcpu.h"
#include "debug/trace.h"
#include "mem/frame.h"

void asm_offsets(void);

void asm_offsets(void)
{
    OFFSET(VCPU_X, struct vcpu, arch.x);
    OFFSET(VCPU_STACK, struct vcpu, arch.stack_top);
    OFFSET(VCPU_HART, struct vcpu, arch.hart);
    OFFSET(VCPU_EXTENSION, struct vcpu, arch.extension);
    OFFSET(VCPU_ENTRY_OFFSET, struct vcpu, arch.entry_offset);
    OFFSET(VCPU_TRACE_NEXT, struct vcpu, trace_next);
    OFFSET(RECORD_TIME, struct trace_record, time);
    OFFSET(RECORD_WHAT, struct trace_record, what);
    OFFSET(RECORD_A, struct trace_record, a);
    OFFSET(RECORD_B, struct trace_record, b);
    DEFINE(RECORD_BYTES, sizeof(struct trace_record));
    DEFINE(RECORD_CALL_FAST, TRACE_CALL_FAST);
    DEFINE(RECORD_CALL, TRACE_CALL);
    DEFINE(RECORD_EXIT, TRACE_EXIT);
    DEFINE(LEVEL_OFF, TRACE_OFF);
    DEFINE(LEVEL_ON, TRACE_ON);
    DEFINE(LEVEL_DETAIL, TRACE_DETAIL);
    OFFSET(VCPU_P2M_BASE, struct vcpu, arch.p2m_base);
    OFFSET(VCPU_P2M_COUNT, struct vcpu, arch.p2m_count);
    OFFSET(VCPU_P2M_ENTRIES, struct vcpu, arch.p2m_entries);
    OFFSET(VCPU_FRAME_TABLE, struct vcpu, arch.frame_table);
    OFFSET(VCPU_ROOTS, struct vcpu, arch.roots);
    OFFSET(VCPU_TABLES, struct vcpu, arch.tables);
    OFFSET(VCPU_SATP, struct vcpu, arch.satp);
    OFFSET(FAST_ROOT_NAME, struct fast_root, name);
    OFFSET(FAST_ROOT_SATP, struct fast_root, satp);
    OFFSET(FAST_TABLE_ROOT, struct fast_table, root);
    OFFSET(FAST_TABLE_REGION, struct fast_table, region);
    OFFSET(FAST_TABLE_TABLE, struct fast_table, table);
    OFFSET(VCPU_COUNT_SPACE_SWITCH, struct vcpu, counts.calls[HC_CALL_SPACE_SWITCH]);
    OFFSET(VCPU_COUNT_PTE_SET, struct vcpu, counts.calls[HC_CALL_PTE_SET]);
    OFFSET(VCPU_COUNT_FLUSHES, struct vcpu, counts.flushes);
    OFFSET(HART_LOADED, struct hart, loaded);
    OFFSET(HART_RESCHEDULE, struct hart, reschedule);
    OFFSET(FRAME_GFN, struct frame, gfn);
    DEFINE(FRAME_SIZE_SHIFT, 4);
    DEFINE(FAST_ROOTS_COUNT, FAST_ROOTS);
    DEFINE(FAST_TABLES_COUNT, FAST_TABLES);
    DEFINE(FAST_ROOT_BYTES, sizeof(struct fast_root));
    DEFINE(FAST_TABLE_BYTES, sizeof(struct fast_table));
    OFFSET(SAVED_F, struct arch_vcpu_saved, f);
    OFFSET(SAVED_FCSR, struct arch_vcpu_saved, fcsr);
    OFFSET(HERE_PC, struct backtrace_start, pc);
    OFFSET(HERE_STACK, struct backtrace_start, stack);
    OFFSET(HERE_LINK, struct backtrace_start, link);
    DEFINE(HART_STACK_BYTES_ASM, HART_STACK_BYTES);
    DEFINE(HARTS_MAX_ASM, HARTS_MAX);
}
