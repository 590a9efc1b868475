/* SPDX-License-Identifier: MIT */
/* Spin locks, the nesting of interrupts off, and mutexes. See lock.h for the order of levels. */
#include "kernel/lock.h"

#include "kernel/cpu.h"
#include "kernel/printk.h"
#include "kernel/wait.h"
#include "platform.h"

enum {
    SPINS = 64, /* tries between looks at who has it */
};

void spin_init(struct spinlock *lock, const char *name, enum lock_level level)
{
    *lock = (struct spinlock){.level = level, .name = name};
}

void interrupts_push_off(void)
{
    bool were_on = arch_interrupts_off();
    struct cpu *cpu = cpu_this();

    if (cpu->interrupts_off_depth++ == 0)
        cpu->interrupts_were_on = were_on;
}

void interrupts_pop(void)
{
    struct cpu *cpu = cpu_this();

    if (--cpu->interrupts_off_depth == 0 && cpu->interrupts_were_on)
        arch_interrupts_on();
}

static void check_order(const struct spinlock *lock)
{
    struct cpu *cpu = cpu_this();

    if (cpu->lock_levels_held >> lock->level != 0) {
        cpu->lock_levels_held = 0; /* so that the panic can print */
        panic("lock %s (level %u) taken out of order", lock->name, lock->level);
    }
    cpu->lock_levels_held |= 1U << lock->level;
}

static inline bool try_acquire(struct spinlock *lock)
{
    if (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0)
        return false;
    WRITE_ONCE(lock->holder, cpu_this()->number);
    return true;
}

/* Not part of spin_acquire(), so that the way without waiting saves no registers. */
static OUT_OF_LINE void acquire_from_other(struct spinlock *lock)
{
    for (u32 tries = 1; !try_acquire(lock); tries++) {
        if (tries % SPINS == 0)
            plat_cpu_relax(READ_ONCE(lock->holder));
        else
            arch_relax();
    }
}

void spin_acquire(struct spinlock *lock)
{
    interrupts_push_off();
    if (FRANK_LOCK_CHECKS)
        check_order(lock);
    if (!try_acquire(lock))
        acquire_from_other(lock);
}

void spin_release(struct spinlock *lock)
{
    if (FRANK_LOCK_CHECKS) {
        kassert(spin_is_held(lock));
        cpu_this()->lock_levels_held &= ~(1U << lock->level);
    }
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
    interrupts_pop();
}

void mutex_init(struct mutex *mutex, const char *name)
{
    mutex->state = MUTEX_FREE;
    spin_init(&mutex->lock, name, LOCK_MUTEX);
    wait_queue_init(&mutex->waiters);
}

void mutex_lock(struct mutex *mutex)
{
    u32 expected = MUTEX_FREE;

    if (__atomic_compare_exchange_n(&mutex->state, &expected, MUTEX_HELD, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return;
    spin_acquire(&mutex->lock);
    while (__atomic_exchange_n(&mutex->state, MUTEX_CONTENDED, __ATOMIC_ACQUIRE) != MUTEX_FREE)
        wait_on_uninterruptible(&mutex->waiters, &mutex->lock);
    spin_release(&mutex->lock);
}

void mutex_unlock(struct mutex *mutex)
{
    if (__atomic_exchange_n(&mutex->state, MUTEX_FREE, __ATOMIC_RELEASE) == MUTEX_CONTENDED) {
        spin_acquire(&mutex->lock);
        wake_one(&mutex->waiters);
        spin_release(&mutex->lock);
    }
}
