/* SPDX-License-Identifier: MIT */
#include "core/lock.h"

#include "arch/arch.h"
#include "core/hart.h"
#include "debug/panic.h"

void lock_init(struct lock *lock, enum lock_level level, const char *name)
{
    *lock = (struct lock)LOCK_INIT(level, name);
}

static void order_check(const struct lock *lock)
{
    const struct hart *hart = arch_hart();

    for (u32 level = lock->level; level < LOCK_LEVELS; level++) {
        if (hart->locks_held[level] != 0)
            panic("lock %s is taken while one of level %u is held", lock->name, level);
    }
}

void lock_acquire(struct lock *lock)
{
    if (CONFIG_DEBUG)
        order_check(lock);
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0)
        arch_relax();
    if (CONFIG_DEBUG)
        arch_hart()->locks_held[lock->level]++;
}

bool lock_try(struct lock *lock)
{
    if (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0)
        return false;
    if (CONFIG_DEBUG)
        arch_hart()->locks_held[lock->level]++;
    return true;
}

void lock_release(struct lock *lock)
{
    if (CONFIG_DEBUG)
        arch_hart()->locks_held[lock->level]--;
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

bool lock_held(const struct lock *lock)
{
    return !CONFIG_DEBUG || arch_hart()->locks_held[lock->level] != 0;
}
