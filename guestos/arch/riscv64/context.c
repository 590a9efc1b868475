/* SPDX-License-Identifier: MIT */
/* First contexts and frames, and how they are shown when the kernel ends. */
#include "context.h"
#include "arch.h"
#include "kernel/printk.h"
#include "string.h"

/* Names of x1 to x31 in the calling convention. */
static const char *const register_names[REG_COUNT] = {
    "pc", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1", "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

void arch_context_init(struct arch_context *context, struct trap_frame *frame, void (*start)(void),
                       void (*user_return)(void))
{
    memset(context, 0, sizeof(*context));
    context->ra = (u64)arch_context_start;
    context->sp = (u64)frame;
    context->s[0] = (u64)start;
    context->s[1] = (u64)user_return;
}

void arch_frame_init(struct trap_frame *frame, u64 pc, u64 sp)
{
    memset(frame->x, 0, sizeof(frame->x));
    frame->x[0] = pc;
    frame->x[REG_SP] = sp;
    frame->status = SSTATUS_UXL_64 | SSTATUS_SPIE |
                    (frame->status & SSTATUS_FS_MASK ? frame->status & SSTATUS_FS_MASK
                                                     : SSTATUS_FS_INITIAL);
    __atomic_fetch_or(&frame->work, FRAME_WORK_RESTORE, __ATOMIC_RELAXED);
}

void arch_print_frame(const struct trap_frame *frame)
{
    for (int i = 0; i < REG_COUNT; i++)
        printk("%3s %016lx%s", register_names[i], frame->x[i], i % 4 == 3 ? "\n" : "  ");
    printk("sstatus %016lx\n", frame->status);
}

/*
 * There is no frame pointer: every word of the stack that may be a return address is shown, with
 * the innermost first. Some may be stale; addr2line tells the names.
 */
void arch_print_backtrace(const struct trap_frame *frame)
{
    const u64 *word = frame != NULL ? (const u64 *)frame->x[REG_SP] : __builtin_frame_address(0);
    int shown = 0;

    if (!IS_ALIGNED((u64)word, sizeof(*word)))
        return;
    printk("calls (perhaps):");
    while (!IS_ALIGNED((u64)word, (u64)CONTEXT_STACK_SIZE) && shown < CONTEXT_BACKTRACE_MAX) {
        if (*word >= (u64)kernel_text_start && *word < (u64)kernel_text_end) {
            printk(" %lx", *word);
            shown++;
        }
        word++;
    }
    printk("\n");
}
