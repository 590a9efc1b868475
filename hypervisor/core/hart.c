/* SPDX-License-Identifier: MIT */
/*
 * Harts and their mailboxes. Nobody waits for another hart while holding a lock, and whoever waits
 * serves the flushes that others wait for meanwhile, so that two harts can wait for each other. The
 * rest of the mail stays where it is until the hart's next look (arch_hart_poll).
 *
 * When a translation must be gone (invariant 5 of virt/pv/paging.c). With one vCPU a VM no frame
 * needs an epoch, for two rules are enough:
 *
 *  - A VM's translations are used only by its vCPU, under identifiers that no other VM has, and the
 *    vCPU runs on one hart at a time. What the VM's calls drop, they drop on that hart. A hart that
 *    loads a vCPU which last ran elsewhere drops everything and fetches code anew first
 *    (sched_next): whatever it kept from an earlier stay is never used.
 *  - A frame that leaves its VM, and an identifier that is given out again, do so after
 *    hart_flush_all.
 *
 * A VM with two vCPUs breaks the first rule: its flushes then have to reach the harts of both.
 */
#include "core/hart.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "debug/panic.h"

enum {
    TURNS_TO_SPIN = 200, /* while a hart waits for another; then it sleeps */
};

struct hart harts[HARTS_MAX];
u32 hart_count;
u64 harts_idle;

/* The machine is stopped, by whom: a hart's index plus 1. */
static u32 stopped_by;

/* The same of a halt, which is for good. */
static u32 halted_by;

void hart_init(u32 index, u64 hardware_id)
{
    struct hart *hart = &harts[index];

    hart->index = index;
    hart->hardware_id = hardware_id;
    hart->reschedule = true;
    hart->alarm = TIME_NEVER;
    lock_init(&hart->queue_lock, LOCK_QUEUE, "run queue");
    list_init(&hart->ready);
    list_init(&hart->sleeping);
}

bool hart_is_online(const struct hart *hart)
{
    return __atomic_load_n(&hart->online, __ATOMIC_SEQ_CST);
}

void hart_send(struct hart *hart, u64 mail)
{
    __atomic_fetch_or(&hart->mail, mail, __ATOMIC_RELEASE);
    arch_hart_wake(hart);
}

static bool stopped_by_other(const struct hart *self)
{
    u32 by = __atomic_load_n(&stopped_by, __ATOMIC_SEQ_CST);

    return by != 0 && by != self->index + 1;
}

static void stand_still(struct hart *hart)
{
    u32 turns = 0;

    arch_vcpu_switch(hart->loaded, NULL);
    __atomic_store_n(&hart->standing, true, __ATOMIC_SEQ_CST);
    hart_end_waits(&hart->standing);
    while (stopped_by_other(hart))
        hart_wait(hart, &stopped_by, &turns);
    hart_wait_end(hart, turns);
    arch_vcpu_switch(NULL, hart->loaded);
    __atomic_store_n(&hart->standing, false, __ATOMIC_SEQ_CST);
    hart_end_waits(&hart->standing);
}

void hart_serve_mail(struct hart *hart)
{
    u64 mail = __atomic_exchange_n(&hart->mail, 0, __ATOMIC_ACQUIRE);

    hart_halt_if_wanted();
    hart_serve_flush(hart);
    if (stopped_by_other(hart))
        stand_still(hart);
    if (mail & HART_MAIL_RESCHEDULE)
        sched_mail(hart);
}

void hart_go_online(struct hart *hart)
{
    __atomic_store_n(&hart->online, true, __ATOMIC_SEQ_CST);
    hart_serve_mail(hart);
}

/* ---- waiting for others ---- */

void hart_serve_flush(struct hart *hart)
{
    u64 wanted = __atomic_load_n(&hart->flushes_wanted, __ATOMIC_ACQUIRE);

    if (wanted == hart->flushes_done)
        return;
    arch_translation_drop_all();
    arch_code_changed();
    __atomic_store_n(&hart->flushes_done, wanted, __ATOMIC_RELEASE);
    hart_end_waits(&hart->flushes_done);
}

void hart_wait(struct hart *self, const void *what, u32 *turns)
{
    hart_serve_flush(self);
    arch_relax();
    if (*turns < TURNS_TO_SPIN)
        ++*turns;
    else if (__atomic_exchange_n(&self->waits_for, what, __ATOMIC_SEQ_CST) == what)
        arch_hart_doze(); /* nobody has woken it since the caller's last look */
}

void hart_wait_end(struct hart *self, u32 turns)
{
    if (turns < TURNS_TO_SPIN)
        return;
    __atomic_store_n(&self->waits_for, NULL, __ATOMIC_SEQ_CST);
    arch_hart_wake(self); /* it may have slept over its mail */
}

void hart_end_waits(const void *what)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (u32 i = 0; i < hart_count; i++) {
        const void *found = what;

        if (READ_ONCE(harts[i].waits_for) == what &&
            __atomic_compare_exchange_n(&harts[i].waits_for, &found, NULL, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            arch_hart_wake(&harts[i]);
    }
}

static void check_no_lock(const struct hart *self)
{
    for (u32 level = 0; CONFIG_DEBUG && level < LOCK_LEVELS; level++) {
        if (self->locks_held[level] != 0)
            panic("hart %u waits for others and holds a lock of level %u", self->index, level);
    }
}

void hart_flush_all(void)
{
    hart_flush(~0UL);
    arch_translation_drop_all();
}

void hart_flush(u64 which)
{
    struct hart *self = arch_hart();
    u64 ticket[HARTS_MAX];

    check_no_lock(self);
    for (u32 i = 0; i < hart_count; i++) {
        ticket[i] = 0;
        if ((which & BIT(i)) == 0 || &harts[i] == self || !hart_is_online(&harts[i]))
            continue;
        ticket[i] = __atomic_add_fetch(&harts[i].flushes_wanted, 1, __ATOMIC_ACQ_REL);
        arch_hart_wake(&harts[i]);
    }
    for (u32 i = 0; i < hart_count; i++) {
        u32 turns = 0;

        while (__atomic_load_n(&harts[i].flushes_done, __ATOMIC_ACQUIRE) < ticket[i])
            hart_wait(self, &harts[i].flushes_done, &turns);
        hart_wait_end(self, turns);
    }
}

static void wait_others(struct hart *self, bool standing)
{
    for (u32 i = 0; i < hart_count; i++) {
        u32 turns = 0;

        while (&harts[i] != self && hart_is_online(&harts[i]) &&
               __atomic_load_n(&harts[i].standing, __ATOMIC_SEQ_CST) != standing)
            hart_wait(self, &harts[i].standing, &turns);
        hart_wait_end(self, turns);
    }
}

void hart_stop_others(void)
{
    struct hart *self = arch_hart();

    check_no_lock(self);
    __atomic_store_n(&stopped_by, self->index + 1, __ATOMIC_SEQ_CST);
    for (u32 i = 0; i < hart_count; i++) {
        if (&harts[i] != self && hart_is_online(&harts[i]))
            arch_hart_wake(&harts[i]);
    }
    wait_others(self, true);
}

void hart_resume_others(void)
{
    __atomic_store_n(&stopped_by, 0, __ATOMIC_SEQ_CST);
    hart_end_waits(&stopped_by);
    wait_others(arch_hart(), false);
}

/* ---- a halt ---- */

void hart_halt_if_wanted(void)
{
    struct hart *self = arch_hart();
    u32 by = __atomic_load_n(&halted_by, __ATOMIC_SEQ_CST);

    if (by == 0 || by == self->index + 1)
        return;
    arch_here(&self->halted_at);
    __atomic_store_n(&self->halted, true, __ATOMIC_SEQ_CST);
    arch_hart_halt();
}

void hart_halt_others(u64 patience)
{
    const struct hart *self = arch_hart();
    u64 since = arch_time_now();

    __atomic_store_n(&halted_by, self->index + 1, __ATOMIC_SEQ_CST);
    for (u32 i = 0; i < hart_count; i++) {
        if (&harts[i] != self && hart_is_online(&harts[i]))
            arch_hart_wake(&harts[i]);
    }
    for (u32 i = 0; i < hart_count; i++) {
        while (&harts[i] != self && hart_is_online(&harts[i]) &&
               !__atomic_load_n(&harts[i].halted, __ATOMIC_SEQ_CST) &&
               arch_time_now() - since < patience)
            ;
    }
}
