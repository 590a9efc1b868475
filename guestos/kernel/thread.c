/* SPDX-License-Identifier: MIT */
/* Threads: making, running, waking and freeing them. thread.h tells states and locks. */
#include "kernel/thread.h"

#include "kernel/account.h"
#include "kernel/main.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/space.h"
#include "kernel/wait.h"
#include "string.h"

enum thread_limits {
    SLICE_NS = 10000000,
    EXIT_LOOKS_PER_SLICE = 10,
    EXIT_TRIES = 1000,
    STACK_PAGES = THREAD_STACK_SIZE / PAGE_SIZE,
};

static u64 slice_ticks;
static u32 exiting_count; /* atomic: thread_begin_exit() */

/* The last one that was freed, kept with its stack so that the next fork is quick; or NULL. Atomic.
 */
static struct thread *spare;

static void expire_sleep(struct timer *timer)
{
    thread_wake(container_of(timer, struct thread, timer), -ETIMEDOUT);
}

static void init_fields(struct thread *thread)
{
    memset(thread, 0, offsetof(struct thread, fp)); /* fp counts once it has been stored to */
    list_init(&thread->process_node);
    list_init(&thread->run_node);
    list_init(&thread->wait_node);
    timer_init(&thread->timer, expire_sleep);
    thread->frame = (struct trap_frame *)((char *)thread + THREAD_STACK_SIZE) - 1;
    thread->canary = THREAD_STACK_CANARY;
}

static struct thread *take_memory(void)
{
    struct thread *thread = __atomic_exchange_n(&spare, NULL, __ATOMIC_ACQUIRE);
    pa_t stack = thread == NULL ? page_alloc_run(STACK_PAGES) : 0;

    return stack != 0 ? pa_to_kva(stack) : thread;
}

/* What the switch to this thread left to do. */
static void finish_switch(void)
{
    struct cpu *cpu = cpu_this();
    struct thread *previous = cpu->previous;
    bool is_dead = previous->state == THREAD_DEAD;

    spin_release(&cpu->run_lock);
    if (is_dead) {
        thread_destroy(previous);
        __atomic_fetch_sub(&exiting_count, 1, __ATOMIC_RELEASE);
    }
}

/* The first C code of a new thread. */
static void thread_begin(void)
{
    struct thread *thread = thread_current();

    cpu_this()->interrupts_were_on = true;
    finish_switch();
    thread->entry(thread->argument);
}

struct thread *thread_create(void (*entry)(void *argument), void *argument)
{
    struct thread *thread = take_memory();

    if (thread == NULL)
        return NULL;
    init_fields(thread);
    thread->entry = entry;
    thread->argument = argument;
    thread->state = THREAD_NEW;
    thread->cpu = cpu_this();  /* a signal may come before it is started */
    thread->frame->cpu = NULL; /* it has run nowhere */
    thread->frame->work = account_frame_work();
    thread->frame->status = 0;
    arch_frame_init(thread->frame, 0, 0);
    arch_context_init(&thread->context, thread->frame, thread_begin, kernel_plat_info->user_return);
    return thread;
}

void thread_destroy(struct thread *thread)
{
    thread = __atomic_exchange_n(&spare, thread, __ATOMIC_ACQ_REL);
    for (u64 i = 0; thread != NULL && i < STACK_PAGES; i++)
        page_put(kva_to_pa((char *)thread + i * PAGE_SIZE));
}

/* ---- queues of several CPUs --------------------------------------------------------------------
 */

/* How much a CPU has to do. Without its run_lock that is a guess. */
static u32 load_of(const struct cpu *cpu)
{
    return READ_ONCE(cpu->runnable_count) + (READ_ONCE(cpu->current) != cpu->idle);
}

/* Where a thread that was on `last` is to go. */
static struct cpu *least_loaded(struct cpu *last)
{
    struct cpu *best = last;
    u32 least = load_of(last);

    for (u32 i = 0; least > 0 && i < cpu_count; i++) {
        u32 load = load_of(&cpus[i]);

        if (load < least) {
            best = &cpus[i];
            least = load;
        }
    }
    return best;
}

/* A thread was queued on a CPU that is busy. One that went idle meanwhile, and saw nothing, is
   told: it has looked after it said that it is idle, we look at that after we have queued the
   thread. */
static void offer(const struct cpu *queued)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (load_of(queued) < 2)
        return;
    for (u32 i = 0; i < cpu_count; i++)
        if (load_of(&cpus[i]) == 0) {
            plat_cpu_notify(i);
            return;
        }
}

/* Take the thread's CPU's run_lock; returns that CPU. */
static struct cpu *lock_cpu_of(struct thread *thread)
{
    for (;;) {
        struct cpu *cpu = READ_ONCE(thread->cpu);

        spin_acquire(&cpu->run_lock);
        if (READ_ONCE(thread->cpu) == cpu)
            return cpu;
        spin_release(&cpu->run_lock);
    }
}

/* Put a thread at the end of a CPU's queue, whose run_lock is held. Whether that CPU, another one
   than this, must be told. */
static bool enqueue_locked(struct cpu *cpu, struct thread *thread)
{
    bool is_idle = cpu->current == cpu->idle;

    thread->state = THREAD_RUNNABLE;
    list_push_back(&cpu->run_queue, &thread->run_node);
    cpu->runnable_count++;
    if (cpu != cpu_this())
        return is_idle ? cpu->runnable_count == 1 : cpu->slice_end_ticks == TIMER_NEVER;
    if (!is_idle && cpu->slice_end_ticks == TIMER_NEVER)
        timer_begin_slice(cpu, plat_time_now() + slice_ticks);
    return false;
}

/* Let a thread that is on no queue run. Its CPU's run_lock is held, and released here. */
static void place_locked(struct thread *thread)
{
    struct cpu *home = thread->cpu, *cpu = cpu_count > 1 ? least_loaded(home) : home;
    bool must_tell;

    if (cpu != home) {
        thread->state = THREAD_NEW;
        WRITE_ONCE(thread->cpu, cpu);
        spin_release(&home->run_lock);
        spin_acquire(&cpu->run_lock);
    }
    must_tell = enqueue_locked(cpu, thread);
    spin_release(&cpu->run_lock);
    if (must_tell)
        plat_cpu_notify(cpu->number);
    if (cpu_count > 1)
        offer(cpu);
}

/* Take a thread that waits on a busy CPU. Whether there was one. Interrupts off. */
static bool steal(struct cpu *to)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* see offer() */
    for (u32 i = 1; i < cpu_count; i++) {
        struct cpu *from = &cpus[(to->number + i) % cpu_count];
        struct thread *thread = NULL;

        if (load_of(from) < 2)
            continue;
        spin_acquire(&from->run_lock);
        if (from->runnable_count > 0) {
            thread = list_entry(list_pop_front(&from->run_queue), struct thread, run_node);
            from->runnable_count--;
            thread->state = THREAD_NEW;
            WRITE_ONCE(thread->cpu, to);
        }
        spin_release(&from->run_lock);
        if (thread != NULL) {
            spin_acquire(&to->run_lock);
            enqueue_locked(to, thread);
            spin_release(&to->run_lock);
            return true;
        }
    }
    return false;
}

/* ---- starting, waking, ending ------------------------------------------------------------------
 */

void thread_start(struct thread *thread)
{
    lock_cpu_of(thread);
    place_locked(thread);
}

bool thread_wake(struct thread *thread, int reason)
{
    struct cpu *cpu = lock_cpu_of(thread);

    if (thread->state != THREAD_SLEEPING || (reason == -EINTR && !thread->interruptible)) {
        spin_release(&cpu->run_lock);
        return false;
    }
    thread->wake_reason = reason;
    place_locked(thread);
    return true;
}

void thread_notify(struct thread *thread)
{
    struct cpu *cpu;
    bool is_elsewhere;

    if (cpu_count == 1)
        return;
    cpu = lock_cpu_of(thread);
    is_elsewhere = thread->state == THREAD_RUNNING && cpu != cpu_this();
    spin_release(&cpu->run_lock);
    if (is_elsewhere)
        plat_cpu_notify(cpu->number);
}

void thread_interrupt(struct thread *thread)
{
    __atomic_fetch_or(&thread->frame->work, FRAME_WORK_SIGNAL, __ATOMIC_RELEASE);
    if (!thread_wake(thread, -EINTR))
        thread_notify(thread);
}

void thread_restart_call(void)
{
    struct thread *thread = thread_current();

    thread->restarts_call = true;
    thread->call_a0 = thread->frame->x[REG_A0];
}

bool thread_has_signal(void)
{
    const struct thread *thread = thread_current();

    return (READ_ONCE(thread->frame->work) & FRAME_WORK_SIGNAL) != 0 &&
           (process_sheds(thread) ||
            (thread_pending_signals(thread) & ~thread->blocked_signals) != 0);
}

int thread_sleep_until(u64 deadline_ticks)
{
    struct spinlock lock = SPINLOCK_INITIALIZER("sleep", LOCK_MUTEX);
    struct wait_queue nobody;
    int reason;

    wait_queue_init(&nobody);
    SPIN_GUARD(&lock);
    reason = wait_on_until(&nobody, &lock, deadline_ticks);
    return reason == -ETIMEDOUT ? 0 : reason;
}

void thread_begin_exit(void)
{
    __atomic_fetch_add(&exiting_count, 1, __ATOMIC_RELAXED);
}

void thread_wait_for_exits(void)
{
    for (int i = 0; i < EXIT_TRIES && __atomic_load_n(&exiting_count, __ATOMIC_ACQUIRE) > 0; i++)
        if (thread_sleep_until(plat_time_now() + slice_ticks / EXIT_LOOKS_PER_SLICE) != 0)
            break;
    thread_current()->restarts_call = false;
}

static struct cpu *lock_this_cpu(void)
{
    struct cpu *cpu;

    interrupts_push_off();
    cpu = cpu_this();
    spin_acquire(&cpu->run_lock);
    interrupts_pop();
    return cpu;
}

void thread_exit(void)
{
    lock_this_cpu();
    thread_current()->state = THREAD_DEAD;
    schedule_locked();
    panic("a dead thread runs");
}

struct thread_ticks thread_ticks(struct thread *thread)
{
    struct cpu *cpu = lock_cpu_of(thread);
    struct plat_times times;
    struct thread_ticks ticks = {
        .user = account_user_ticks(&thread->user_ticks, cpu->number, &times),
        .run = thread->run_ticks,
    };

    if (thread->state == THREAD_RUNNING)
        ticks.run += account_clock(times) - thread->started_ticks;
    spin_release(&cpu->run_lock);
    return ticks;
}

/* `now` is of account_clock(). */
static void switch_to(struct cpu *cpu, struct thread *from, struct thread *to, u64 now)
{
    u64 depth = (u64)__builtin_frame_address(0) - (u64)from;

    if (from->canary != THREAD_STACK_CANARY || depth > THREAD_STACK_SIZE)
        panic("kernel stack overflow in thread %p", (void *)from);
    from->run_ticks += now - from->started_ticks;
    to->started_ticks = now;
    to->state = THREAD_RUNNING;
    cpu->switch_count++;
    cpu->current = to;
    cpu->previous = from;
    if (from->process != NULL)
        arch_fp_leave(from);
    if (to->process != NULL) {
        if (to->frame->cpu != cpu) {
            to->frame->cpu = cpu;
            arch_instruction_sync();
        }
        space_switch(to->process->space);
        arch_fp_enter(to);
    } else if (cpu_count > 1) {
        space_switch(NULL); /* it may go on, and end, on another CPU */
    }
    arch_switch(&from->context, &to->context);
}

void schedule_locked(void)
{
    struct cpu *cpu = cpu_this();
    struct thread *from = cpu->current;
    struct list_node *node = list_pop_front(&cpu->run_queue);
    struct thread *to = node != NULL ? list_entry(node, struct thread, run_node) : cpu->idle;
    bool were_on = cpu->interrupts_were_on;
    struct plat_times times = plat_times(cpu->number);

    kassert(cpu->interrupts_off_depth == 1);
    if (node != NULL)
        cpu->runnable_count--;
    timer_begin_slice(cpu, cpu->runnable_count > 0 ? times.now + slice_ticks : TIMER_NEVER);
    if (to == from) {
        to->state = THREAD_RUNNING;
        spin_release(&cpu->run_lock);
        return;
    }
    switch_to(cpu, from, to, account_clock(times));
    cpu_this()->interrupts_were_on = were_on;
    finish_switch();
}

void thread_request_preempt(void)
{
    __atomic_fetch_or(&thread_current()->frame->work, FRAME_WORK_PREEMPT, __ATOMIC_RELAXED);
}

void schedule_preempt(void)
{
    struct cpu *cpu = lock_this_cpu();

    if (cpu->runnable_count == 0) {
        spin_release(&cpu->run_lock);
        return;
    }
    if (cpu->current == cpu->idle)
        cpu->idle->state = THREAD_RUNNABLE;
    else
        enqueue_locked(cpu, cpu->current);
    schedule_locked();
}

void schedule_from_idle(void)
{
    struct cpu *cpu = cpu_this();

    if (cpu->current != cpu->idle)
        return;
    while (cpu->runnable_count > 0 || (cpu_count > 1 && steal(cpu)))
        schedule_preempt();
}

void thread_begin_slice(void)
{
    struct cpu *cpu = cpu_this();

    if (cpu->current != cpu->idle && READ_ONCE(cpu->runnable_count) > 0 &&
        cpu->slice_end_ticks == TIMER_NEVER)
        timer_begin_slice(cpu, plat_time_now() + slice_ticks);
}

void thread_init_idle(struct cpu *cpu, struct thread *thread)
{
    slice_ticks = timer_ticks_from_ns(SLICE_NS);
    init_fields(thread);
    thread->cpu = cpu;
    thread->state = THREAD_RUNNING;
    cpu->idle = thread;
    cpu->current = thread;
    cpu->previous = thread;
    cpu->fp_holder = thread;
}

struct thread *thread_create_idle(struct cpu *cpu)
{
    struct thread *thread = take_memory();

    if (thread != NULL)
        thread_init_idle(cpu, thread);
    return thread;
}

void thread_idle(bool spin)
{
    arch_interrupts_off();
    schedule_from_idle();
    if (spin)
        arch_idle_spin();
    for (;;) {
        plat_idle(timer_program_idle());
        arch_interrupts_on();
        arch_interrupts_off();
        schedule_from_idle();
    }
}
