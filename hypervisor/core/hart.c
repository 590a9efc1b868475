/* SPDX-License-Identifier: MIT */
/*
 * Harts and their mailboxes. Nobody waits for another hart while holding a lock, and whoever waits
 * serves its own mailbox meanwhile, so that two harts can wait for each other.
 */
#include "core/hart.h"

#include "arch/arch.h"
#include "core/sched.h"

struct hart harts[HARTS_MAX];
u32 hart_count;

void hart_init(u32 index, u64 hardware_id)
{
    struct hart *hart = &harts[index];

    hart->index = index;
    hart->hardware_id = hardware_id;
    hart->reschedule = true;
    lock_init(&hart->queue_lock, LOCK_QUEUE, "run queue");
    list_init(&hart->ready);
    list_init(&hart->sleeping);
}

void hart_send(struct hart *hart, u64 mail)
{
    __atomic_fetch_or(&hart->mail, mail, __ATOMIC_RELEASE);
    arch_hart_wake(hart);
}

void hart_serve_mail(struct hart *hart)
{
    u64 mail = __atomic_exchange_n(&hart->mail, 0, __ATOMIC_ACQUIRE);

    if (mail & HART_MAIL_FLUSH) {
        arch_translation_drop_all();
        __atomic_fetch_add(&hart->flushes_done, 1, __ATOMIC_RELEASE);
    }
    if (mail & HART_MAIL_RESCHEDULE)
        sched_mail(hart);
}

void hart_flush_all(void)
{
    struct hart *self = arch_hart();
    u64 before[HARTS_MAX];
    bool asked[HARTS_MAX] = {false};

    for (u32 i = 0; i < hart_count; i++) {
        before[i] = __atomic_load_n(&harts[i].flushes_done, __ATOMIC_ACQUIRE);
        /* Decided once: one that comes online meanwhile has no translations, and would not answer.
         */
        asked[i] = &harts[i] != self && __atomic_load_n(&harts[i].online, __ATOMIC_ACQUIRE);
        if (asked[i])
            hart_send(&harts[i], HART_MAIL_FLUSH);
    }
    arch_translation_drop_all();
    for (u32 i = 0; i < hart_count; i++) {
        struct hart *hart = &harts[i];

        while (asked[i] && __atomic_load_n(&hart->flushes_done, __ATOMIC_ACQUIRE) == before[i]) {
            hart_serve_mail(self);
            arch_relax();
        }
    }
}
