/* SPDX-License-Identifier: MIT */
/*
 * Whose floating-point values the registers hold. They are stored when a thread that changed them
 * stops running, and loaded when another one runs that has any; threads without any find zeros, so
 * that nothing of another process shows. cpu->fp_holder and fp.cpu agree when the registers of that
 * CPU still hold what thread->fp does.
 */
#include "fp.h"
#include "arch.h"
#include "kernel/cpu.h"
#include "kernel/thread.h"
#include "string.h"

static u64 fs_of(const struct thread *thread)
{
    return thread->frame->status & SSTATUS_FS_MASK;
}

static void set_fs(struct thread *thread, u64 fs)
{
    thread->frame->status = (thread->frame->status & ~(u64)SSTATUS_FS_MASK) | fs;
}

/* The registers of this CPU now hold what thread->fp does. */
static void set_holder(struct thread *thread)
{
    set_fs(thread, SSTATUS_FS_CLEAN);
    thread->fp.cpu = cpu_this();
    cpu_this()->fp_holder = thread;
}

void arch_fp_leave(struct thread *thread)
{
    if (fs_of(thread) == SSTATUS_FS_DIRTY) {
        fp_store_registers(&thread->fp);
        set_holder(thread);
    }
}

void arch_fp_enter(struct thread *thread)
{
    struct cpu *cpu = cpu_this();

    if (fs_of(thread) == SSTATUS_FS_INITIAL) {
        if (cpu->fp_holder != NULL)
            fp_zero_registers();
        cpu->fp_holder = NULL;
    } else if (cpu->fp_holder != thread || thread->fp.cpu != cpu) {
        fp_load_registers(&thread->fp);
        set_holder(thread);
    }
}

bool arch_fp_save(struct thread *thread)
{
    arch_fp_leave(thread);
    return fs_of(thread) != SSTATUS_FS_INITIAL;
}

void arch_fp_load(struct thread *thread)
{
    fp_load_registers(&thread->fp);
    set_holder(thread);
}

void arch_fp_reset(struct thread *thread)
{
    if (fs_of(thread) != SSTATUS_FS_INITIAL)
        fp_zero_registers();
    set_fs(thread, SSTATUS_FS_INITIAL);
    cpu_this()->fp_holder = NULL;
}

void arch_fp_copy(struct thread *child, struct thread *parent)
{
    if (arch_fp_save(parent)) {
        memcpy(&child->fp, &parent->fp, sizeof(child->fp));
        child->fp.cpu = NULL;
    }
    set_fs(child, fs_of(parent));
}
