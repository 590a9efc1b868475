/* SPDX-License-Identifier: MIT */
/*
 * When an unmodified guest sleeps, and what a write means to its shadows that no fault announced.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/sched.h"
#include "core/vm.h"
#include "csr.h"
#include "host.h"
#include "mem/frame.h"
#include "shadow_machine.h"
#include "shadow_turn.h"
#include "sv39.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum {
    JAL_0 = 0x6f,
    C_J_0 = 0xa001,
    NOP = 0x13,
    STIP = 1 << IRQ_S_TIMER,
};

static int start(void **state)
{
    (void)state;
    turn_make(true);
    vcpu->shadow->csrs.sstatus |= MSTATUS_SIE;
    vcpu->arch.pc = TURN_CODE;
    return 0;
}

static bool sleeps_at(u32 word)
{
    *turn_code() = word;
    shadow_tick(vcpu);
    return vcpu->state == VCPU_SLEEPING;
}

static void test_a_kernel_that_branches_to_itself_sleeps(void **state)
{
    assert_false(sleeps_at(NOP));
    assert_true(sleeps_at(JAL_0));
    start(state);
    assert_true(sleeps_at(C_J_0));
    assert_true(vcpu->shadow->naps);
}

/* The tick at which it is found may also be one at which harts look at each other's work. */
static void test_a_tick_that_finds_it_goes_on_without_it(void **state)
{
    (void)state;
    *turn_code() = JAL_0;
    host_time += machine.timebase_hz;
    sched_tick(arch_hart());
    assert_int_equal(vcpu->state, VCPU_SLEEPING);
    assert_null(arch_hart()->current);
}

static void test_a_loop_is_not_idle_with_interrupts_off_or_in_a_program(void **state)
{
    (void)state;
    vcpu->shadow->csrs.sstatus &= ~(u64)MSTATUS_SIE;
    assert_false(sleeps_at(JAL_0));
    vcpu->shadow->csrs.sstatus |= MSTATUS_SIE;
    vcpu->shadow->mode = MODE_U;
    assert_false(sleeps_at(JAL_0));
}

static void test_a_loop_is_not_idle_while_an_interrupt_waits(void **state)
{
    (void)state;
    vcpu->shadow->csrs.lines = STIP;
    vcpu->shadow->csrs.sie = STIP;
    assert_false(sleeps_at(JAL_0));
}

static void wait(void)
{
    const struct instruction wfi = {.kind = INSTRUCTION_WFI, .bytes = 4};

    shadow_wait(vcpu, &wfi);
}

static void test_waiting_ends_at_once_with_a_timer_interrupt_that_was_raised(void **state)
{
    const u64 pc = vcpu->arch.pc;

    (void)state;
    vcpu->shadow->csrs.sie = STIP;
    vcpu->shadow->csrs.sstatus &= ~(u64)MSTATUS_SIE;
    vcpu->shadow->timer = 0;
    shadow_events(vcpu, EVENT_TIMER);
    wait();
    assert_int_equal(vcpu->arch.pc, pc + 4);
    assert_int_not_equal(vcpu->state, VCPU_SLEEPING);
    vcpu->shadow->csrs.sie = 0;
    wait();
    assert_int_equal(vcpu->state, VCPU_SLEEPING);
}

static void test_a_write_into_a_table_in_step_gives_up_the_shadows(void **state)
{
    const gpa_t table = gpa(guest_frame(0) << FRAME_SHIFT);
    struct shadow_tables *shadow = &vm->shadow->tables;
    u64 drops = shadow->counts.drops;

    (void)state;
    shadow_space_enter(vcpu, SATP_SV39 | guest_frame(0), SHADOW_VIEW_KERNEL);
    shadow_written(vcpu, gpa(table.value + FRAME_BYTES), 2 * FRAME_BYTES);
    shadow_written(vcpu, gpa(table.value - 1), 1);
    assert_int_equal(shadow->counts.drops, drops);
    shadow_written(vcpu, gpa(table.value - 1), 2);
    assert_int_equal(shadow->counts.drops, drops + 1);
    shadow_written(vcpu, gpa(0), FRAME_BYTES);
    assert_int_equal(shadow->counts.drops, drops + 1);
    audit_holds();
}

#define TURN(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN(test_a_kernel_that_branches_to_itself_sleeps),
        TURN(test_a_tick_that_finds_it_goes_on_without_it),
        TURN(test_a_loop_is_not_idle_with_interrupts_off_or_in_a_program),
        TURN(test_a_loop_is_not_idle_while_an_interrupt_waits),
        TURN(test_waiting_ends_at_once_with_a_timer_interrupt_that_was_raised),
        TURN(test_a_write_into_a_table_in_step_gives_up_the_shadows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
