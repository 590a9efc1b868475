/* SPDX-License-Identifier: MIT */
/*
 * Wait queues: sleeping until somebody says that a condition may have changed.
 *
 * The condition is guarded by a spin lock of the caller's. Who waits holds that lock, tests, and
 * calls wait_on() in a loop; who changes the condition holds the same lock and calls wake_one() or
 * wake_all(). That order is what makes a wake-up impossible to lose.
 */
#pragma once

#include "frank/errno.h"
#include "kernel/lock.h"

/* As a deadline: none. */
#define WAIT_FOREVER (~(u64)0)

void wait_queue_init(struct wait_queue *queue);

/*
 * Release `held`, sleep on the queue, take `held` again. `held` is the only spin lock that the
 * caller holds. 0 when woken (test the condition again), -EINTR when the process is being ended or
 * has a signal to take.
 */
MUST_CHECK int wait_on(struct wait_queue *queue, struct spinlock *held);

/* The same, but at most until a time of plat_time_now(), and then -ETIMEDOUT. */
MUST_CHECK int wait_on_until(struct wait_queue *queue, struct spinlock *held, u64 deadline_ticks);

/* The same, not to be interrupted: for short waits inside the kernel. */
void wait_on_uninterruptible(struct wait_queue *queue, struct spinlock *held);

/* Wake the first sleeper or all of them. Any context. The condition's lock is held. */
void wake_one(struct wait_queue *queue);
void wake_all(struct wait_queue *queue);
