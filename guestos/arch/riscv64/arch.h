/* SPDX-License-Identifier: MIT */
/*
 * What the common code needs to know of the processor: registers of user mode, saved contexts,
 * interrupts on and off. tp points to this CPU's struct cpu while the kernel runs.
 */
#pragma once

#include "riscv.h"
#include "types.h"

struct cpu;
struct thread;
struct frank_ucontext;

enum arch_register {
    REG_RA = 1,
    REG_SP = 2,
    REG_GP = 3,
    REG_TP = 4,
    REG_A0 = 10,
    REG_A1 = 11,
    REG_A2 = 12,
    REG_A7 = 17,
    REG_COUNT = 32,
};

/* What a trap saves, at the top of the thread's stack for user mode, further down for the kernel's
   own traps. Filled and read by trap_entry.S; the stack stays aligned to 16. */
struct trap_frame {
    u64 x[REG_COUNT]; /* x[0] holds the pc */
    u64 status;       /* sstatus */
    struct cpu *cpu;  /* for tp, when the kernel is entered from this frame */
    u32 work;         /* atomic, enum frame_work: to do before user mode is entered */
    u32 unused;
    u64 padding;
};

enum frame_work {
    FRAME_WORK_PREEMPT = 1, /* somebody else should run */
    FRAME_WORK_SIGNAL = 2,  /* the process has a signal to take */
    FRAME_WORK_TIMED = 8,   /* note when user mode begins (kernel/account.h) */
    FRAME_WORK_STOP = 16,   /* the process may be stopped */
    FRAME_WORK_RESTORE = 4, /* all registers of the frame count, not only what a call may change */
};

/* Where a thread left off inside the kernel: what a C function preserves. */
struct arch_context {
    u64 ra;
    u64 sp;
    u64 s[12];
};

struct arch_fp {
    u64 f[32];
    u64 fcsr;
    struct cpu *cpu; /* the CPU that held these values last */
};

static inline struct cpu *arch_this_cpu(void)
{
    struct cpu *cpu;

    __asm__ volatile("mv %0, tp" : "=r"(cpu));
    return cpu;
}

static inline void arch_set_this_cpu(struct cpu *cpu)
{
    __asm__ volatile("mv tp, %0" : : "r"(cpu));
}

/* Interrupts off, returning whether they were on; on. */
static inline bool arch_interrupts_off(void)
{
    return (csr_read_clear(sstatus, SSTATUS_SIE) & SSTATUS_SIE) != 0;
}

static inline void arch_interrupts_on(void)
{
    csr_set(sstatus, SSTATUS_SIE);
}

/* Wait a little in a spin. */
static inline void arch_relax(void)
{
    __asm__ volatile("nop" : : : "memory");
}

/* Make instructions written to memory visible to this CPU's fetches. */
static inline void arch_instruction_sync(void)
{
    __asm__ volatile("fence.i" : : : "memory");
}

/* Save the running context in `from` and go on in `to`. Interrupts off. */
void arch_switch(struct arch_context *from, const struct arch_context *to);

/* Make a context that begins in start(), a C function, on a stack whose frame is `frame`, and that
   goes to user mode through user_return() if start returns. */
void arch_context_init(struct arch_context *context, struct trap_frame *frame, void (*start)(void),
                       void (*user_return)(void));

/* Registers for a new program. */
void arch_frame_init(struct trap_frame *frame, u64 pc, u64 sp);

/*
 * Floating point (interrupts off). The FS field of a thread's frame says where its values are:
 * INITIAL, all zero and in no need of a place; CLEAN, in thread->fp; DIRTY, in the registers alone.
 */
/* The running thread is about to stop, or to run. */
void arch_fp_leave(struct thread *thread);
void arch_fp_enter(struct thread *thread);
/* Bring thread->fp of the running thread up to date. False: it has used no floating point. */
bool arch_fp_save(struct thread *thread);
/* The running thread goes on with what thread->fp holds, or with zeros. */
void arch_fp_load(struct thread *thread);
void arch_fp_reset(struct thread *thread);
/* `child`, which has not run, begins with the values of `parent`, which runs. */
void arch_fp_copy(struct thread *child, struct thread *parent);

/* A branch to itself with interrupts on: what idle=spin runs. Never returns by itself. */
NORETURN void arch_idle_spin(void);

/* Copies between the kernel and user memory, one side of each: 0 or -EFAULT. arch_user_string stops
   behind a zero and returns how many bytes came before it, or `size` if there was none. The user's
   addresses were checked to be a user's. */
MUST_CHECK long arch_user_copy(void *to, const void *from, size_t bytes);
MUST_CHECK long arch_user_zero(void *to, size_t bytes);
MUST_CHECK long arch_user_string(char *to, const void *from, size_t size);

/* Whole pages, fast. */
void arch_page_zero(void *page);
void arch_page_copy(void *to, const void *from);

/* The kernel's own panic: registers of a frame (NULL: none) and the calls that led here. */
void arch_print_frame(const struct trap_frame *frame);
void arch_print_backtrace(const struct trap_frame *frame);
