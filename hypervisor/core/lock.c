/* SPDX-License-Identifier: MIT */
#include "core/lock.h"

#include "arch/arch.h"
#include "core/hart.h"
#include "debug/panic.h"

void lock_init(struct lock *lock, enum lock_level level, const char *name)
{
    *lock = (struct lock)LOCK_INIT(level, name);
}

enum { STUCK_SECONDS = 5 };

static void order_check(const struct lock *lock)
{
    const struct hart *hart = arch_hart();

    if (READ_ONCE(lock->holder) == hart->index + 1)
        panic("lock %s is taken twice by hart %u", lock->name, hart->index);
    for (u32 level = lock->level; level < LOCK_LEVELS; level++) {
        if (hart->locks_held[level] != 0)
            panic("lock %s is taken while one of level %u is held", lock->name, level);
    }
}

/* Nobody holds a lock that long, unless it is lost or the holder waits for this hart. */
static void stuck_check(const struct lock *lock, u64 since)
{
    if (arch_time_now() - since > STUCK_SECONDS * machine.timebase_hz)
        panic("hart %u has waited %d s for lock %s, which hart %d holds", arch_hart()->index,
              STUCK_SECONDS, lock->name, (int)READ_ONCE(lock->holder) - 1);
}

static void note_taken(struct lock *lock)
{
    struct hart *hart = arch_hart();

    WRITE_ONCE(lock->holder, hart->index + 1);
    hart->locks_held[lock->level]++;
}

void lock_acquire(struct lock *lock)
{
    u64 since = 0;

    if (CONFIG_DEBUG)
        order_check(lock);
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0) {
        if (CONFIG_DEBUG && since == 0)
            since = arch_time_now();
        else if (CONFIG_DEBUG)
            stuck_check(lock, since);
        arch_relax();
    }
    if (CONFIG_DEBUG)
        note_taken(lock);
}

void lock_release(struct lock *lock)
{
    if (CONFIG_DEBUG) {
        if (lock->holder != arch_hart()->index + 1)
            panic("hart %u releases lock %s, which it does not hold", arch_hart()->index,
                  lock->name);
        WRITE_ONCE(lock->holder, 0);
        arch_hart()->locks_held[lock->level]--;
    }
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}
