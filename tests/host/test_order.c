/* SPDX-License-Identifier: MIT */
/*
 * What must come before what: locks by their levels, an end before a sleep, a flush of all harts
 * before memory changes hands.
 */
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/lock.h"
#include "core/sched.h"
#include "host.h"
#include "mem/frame.h"
#include "tlb.h"
#include "world.h"

/* Whether a program that does this is stopped by a panic. */
static bool panics(void (*function)(void))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        close(STDERR_FILENO); /* what the panic says is expected */
        function();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status != 0;
}

static struct lock queue, other_queue, frames;

static void init_locks(void)
{
    world_start(0, NULL);
    lock_init(&queue, LOCK_QUEUE, "a queue");
    lock_init(&other_queue, LOCK_QUEUE, "another queue");
    lock_init(&frames, LOCK_FRAME, "frames");
}

static void take_two_of_one_level(void)
{
    lock_acquire(&queue);
    lock_acquire(&other_queue);
}

static void take_against_the_order(void)
{
    lock_acquire(LOCK_FRAME > LOCK_QUEUE ? &frames : &queue);
    lock_acquire(LOCK_FRAME > LOCK_QUEUE ? &queue : &frames);
}

static void take_in_order(void)
{
    struct lock *first = LOCK_FRAME > LOCK_QUEUE ? &queue : &frames;
    struct lock *second = LOCK_FRAME > LOCK_QUEUE ? &frames : &queue;

    lock_acquire(first);
    lock_acquire(second);
    lock_release(second);
    lock_release(first);
    lock_acquire(first);
    lock_release(first);
}

static void wait_with_a_lock(void)
{
    lock_acquire(&queue);
    hart_flush_all();
}

static void test_locks_are_taken_by_their_levels(void **state)
{
    (void)state;
    init_locks();
    assert_false(panics(take_in_order));
    assert_true(panics(take_two_of_one_level));
    assert_true(panics(take_against_the_order));
}

static void test_nobody_waits_for_other_harts_with_a_lock(void **state)
{
    (void)state;
    init_locks();
    assert_true(panics(wait_with_a_lock));
}

static void test_an_end_before_the_sleep_prevents_it(void **state)
{
    struct vcpu *vcpu;

    (void)state;
    world_start(1, NULL);
    vcpu = &vms[0]->vcpus[0];
    while (sched_next(arch_hart()) != vcpu)
        sched_requeue(arch_hart()->current);
    vms[0]->end_wanted = VM_EXIT_KILLED; /* by another hart, whose mail is on its way */
    sched_sleep(vcpu, TIME_NEVER);
    assert_int_equal(vcpu->state, VCPU_RUNNABLE);
    sched_requeue(vcpu);
    world_settle();
    assert_int_equal(vms[0]->state, VM_OFF);
}

/* Gives the VM turns until a chunk of it has come back; whatever is remembered then of the time
   before was remembered too long. */
static void test_memory_leaves_its_vm_only_after_a_flush_of_all(void **state)
{
    struct vcpu *vcpu;
    mfn_t first;
    u64 leaf;

    (void)state;
    world_start(1, NULL);
    vcpu = &vms[0]->vcpus[0];
    assert_true(host_access(vcpu, gva(vms[0]->image.entry), 0, &leaf));
    first = p2m_lookup(&vms[0]->p2m, vms[0]->p2m.base_gfn);
    vm_end(vms[0], VM_EXIT_REBOOT);
    for (u32 i = 0; frame_get(first)->vm != FRAME_NO_VM; i++) {
        assert_true(i < 100000);
        assert_int_equal(vms[0]->state, VM_ENDING);
        vm_step(vms[0]);
    }
    assert_int_equal(tlb_count(), 0);
    world_settle();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locks_are_taken_by_their_levels),
        cmocka_unit_test(test_nobody_waits_for_other_harts_with_a_lock),
        cmocka_unit_test(test_an_end_before_the_sleep_prevents_it),
        cmocka_unit_test(test_memory_leaves_its_vm_only_after_a_flush_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
