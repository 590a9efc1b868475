/* SPDX-License-Identifier: MIT */
/*
 * Sleeping on a queue and waking from it.
 *
 * The queue is guarded by the condition's lock. A timeout or a signal only makes the thread
 * runnable; it takes itself off the queue once it holds the lock again. So a waker may find threads
 * on the queue that are awake already, and goes on to the next.
 */
#include "kernel/wait.h"

#include "kernel/thread.h"

void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->sleepers);
}

static int sleep_on(struct wait_queue *queue, struct spinlock *held, u64 deadline_ticks,
                    bool interruptible)
{
    struct thread *thread = thread_current();
    struct cpu *cpu = cpu_this();

    list_push_back(&queue->sleepers, &thread->wait_node);
    if (deadline_ticks != WAIT_FOREVER)
        timer_start(&thread->timer, deadline_ticks);

    spin_acquire(&cpu->run_lock);
    if (interruptible && thread_has_signal()) {
        thread->wake_reason = -EINTR;
        spin_release(&cpu->run_lock);
    } else {
        thread->wake_reason = 0;
        thread->interruptible = interruptible;
        thread->state = THREAD_SLEEPING;
        spin_release(held);
        schedule_locked();
        spin_acquire(held);
    }

    if (deadline_ticks != WAIT_FOREVER)
        timer_finish(&thread->timer);
    list_remove(&thread->wait_node);
    if (thread->wake_reason == -EINTR)
        thread_restart_call();
    return thread->wake_reason;
}

int wait_on(struct wait_queue *queue, struct spinlock *held)
{
    return sleep_on(queue, held, WAIT_FOREVER, true);
}

int wait_on_until(struct wait_queue *queue, struct spinlock *held, u64 deadline_ticks)
{
    return sleep_on(queue, held, deadline_ticks, true);
}

void wait_on_uninterruptible(struct wait_queue *queue, struct spinlock *held)
{
    sleep_on(queue, held, WAIT_FOREVER, false);
}

void wake_one(struct wait_queue *queue)
{
    struct list_node *node;

    while ((node = list_pop_front(&queue->sleepers)) != NULL) {
        if (thread_wake(list_entry(node, struct thread, wait_node), 0))
            return;
    }
}

void wake_all(struct wait_queue *queue)
{
    struct list_node *node;

    while ((node = list_pop_front(&queue->sleepers)) != NULL)
        thread_wake(list_entry(node, struct thread, wait_node), 0);
}
