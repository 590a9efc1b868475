/* SPDX-License-Identifier: MIT */
/* Spaces kept for the next that is wanted: see spare_spaces.h. */
#include "spare_spaces.h"

#include "kernel/lock.h"

enum { SPARES_MAX = 16 };

static struct spinlock spares_lock = SPINLOCK_INITIALIZER("spare spaces", LOCK_KMALLOC);
static struct plat_space spares[SPARES_MAX];
static u32 spare_count, spare_limit = SPARES_MAX;

bool spare_take(struct plat_space *space)
{
    bool taken = false;

    spin_acquire(&spares_lock);
    if (spare_count > 0) {
        *space = spares[--spare_count];
        taken = true;
    }
    spin_release(&spares_lock);
    return taken;
}

bool spare_give(const struct plat_space *space)
{
    bool given = false;

    spin_acquire(&spares_lock);
    if (spare_count < spare_limit) {
        spares[spare_count++] = *space;
        given = true;
    }
    spin_release(&spares_lock);
    return given;
}

static void set_limit(u32 limit)
{
    spin_acquire(&spares_lock);
    spare_limit = limit;
    spin_release(&spares_lock);
}

void spare_trim(void)
{
    struct plat_space space;

    set_limit(0);
    while (spare_take(&space))
        plat_space_destroy(&space);
    set_limit(SPARES_MAX);
}
