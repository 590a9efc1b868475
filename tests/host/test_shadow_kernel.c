/* SPDX-License-Identifier: MIT */
/*
 * What a guest's kernel executes and traps with: fences, waits, control registers, returns; from
 * S-mode and from U-mode. And what its users may not.
 */
#include "check.h"

#include "arch/arch.h"
#include "arch/arch_shadow.h"
#include "core/machine.h"
#include "core/vm.h"
#include "csr.h"
#include "shadow_machine.h"
#include "shadow_processor.h"
#include "shadow_turn.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum {
    SFENCE_ALL = 0x12000073,
    SFENCE_PAGE = 0x12050073,      /* a0 */
    SFENCE_ASID = 0x12b00073,      /* x0, a1 */
    SFENCE_PAGE_ASID = 0x12b50073, /* a0, a1 */
    WFI = 0x10500073,
    SRET = 0x10200073,
    MRET = 0x30200073,
    EBREAK = 0x00100073,
    ECALL = 0x00000073,
    CSRW_SATP = 0x18059073, /* a1, as all that follow */
    CSRW_STIMECMP = 0x14d59073,
    CSRW_SEPC = 0x14159073,
    CSRS_SSTATUS = 0x1005a073,
    CSRC_SSTATUS = 0x1005b073,
    FENCES = 4,
};

static int start_in_s(void **state)
{
    (void)state;
    turn_make(false);
    return 0;
}

static int start_in_u(void **state)
{
    (void)state;
    turn_make(true);
    return 0;
}

static bool with_a1(u32 word, u64 value)
{
    *turn_register(A1) = value;
    return turn_illegal(word);
}

/* The guest is at its handler now, for that cause. */
static void check_reflected_in_u(u64 cause)
{
    assert_int_equal(vcpu->shadow->csrs.scause, cause);
    assert_int_equal(vcpu->shadow->csrs.sepc, TURN_CODE);
    assert_int_equal(vcpu->shadow->mode, MODE_S);
}

static void enter_users(void)
{
    assert_true(with_a1(CSRC_SSTATUS, MSTATUS_SPP));
    assert_true(with_a1(CSRW_SEPC, TURN_CODE));
    assert_false(turn_illegal(SRET));
    assert_int_equal(vcpu->shadow->mode, MODE_U);
}

static void test_each_form_of_a_fence_is_counted(void **state)
{
    static const u32 words[FENCES] = {SFENCE_ALL, SFENCE_PAGE, SFENCE_ASID, SFENCE_PAGE_ASID};
    u64 flushes = vcpu->counts.flushes;

    (void)state;
    *turn_register(A0) = TURN_CODE;
    for (u32 i = 0; i < FENCES; i++) {
        for (u32 times = 0; times <= i; times++)
            assert_true(with_a1(words[i], 1));
    }
    assert_int_equal(vcpu->counts.flushes, flushes + 1 + 2 + 3 + 4);
    for (u32 i = 0; i < FENCES; i++)
        assert_int_equal(vm->shadow->counts.fences[i], i + 1);
}

static void test_a_kernel_that_waits_gives_the_hart_away(void **state)
{
    (void)state;
    assert_true(turn_illegal(WFI));
    assert_int_equal(vcpu->state, VCPU_SLEEPING);
}

static void test_what_machine_mode_has_is_illegal(void **state)
{
    (void)state;
    assert_false(turn_illegal(MRET));
    if (vcpu->shadow->kernel_in_u)
        check_reflected_in_u(CAUSE_ILLEGAL);
    else
        assert_int_equal(vcpu->arch.trap_cause, CAUSE_ILLEGAL);
}

static void test_a_root_is_taken_and_one_of_four_levels_is_not(void **state)
{
    const u64 bare = vcpu->shadow->csrs.satp, sv48 = 9UL << 60, sv57 = 10UL << 60;

    (void)state;
    assert_true(with_a1(CSRW_SATP, sv48 | 1));
    assert_int_equal(vcpu->shadow->csrs.satp, bare);
    assert_true(with_a1(CSRW_SATP, sv57 | 1));
    assert_int_equal(vcpu->shadow->csrs.satp, bare);
    assert_true(with_a1(CSRW_SATP, SATP_SV39 | 0x80000));
    assert_int_equal(vcpu->shadow->csrs.satp, SATP_SV39 | 0x80000);
}

static void test_a_timer_in_the_past_is_due_and_one_to_come_is_kept(void **state)
{
    (void)state;
    assert_true(with_a1(CSRW_STIMECMP, arch_time_now()));
    assert_true(vcpu->shadow->csrs.lines & BIT(IRQ_S_TIMER));
    assert_true(vcpu->shadow->timer == TIME_NEVER);
    assert_true(with_a1(CSRW_STIMECMP, 1UL << 60));
    assert_false(vcpu->shadow->csrs.lines & BIT(IRQ_S_TIMER));
    assert_int_equal(vcpu->shadow->timer, 1UL << 60);
}

static void test_sum_and_mxr_are_views(void **state)
{
    const u64 all = SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D;

    (void)state;
    guest_table(0)[sv39_index(gva(TURN_CODE), SV39_ROOT_LEVEL)] = (VM_MEMORY_BASE >> FRAME_SHIFT)
                                                                      << SV39_PPN_SHIFT |
                                                                  all;
    assert_true(with_a1(CSRW_SATP, guest_satp()));
    assert_int_equal(vcpu->shadow->view, SHADOW_VIEW_KERNEL);
    assert_true(with_a1(CSRS_SSTATUS, MSTATUS_MXR));
    assert_int_equal(vcpu->shadow->view, SHADOW_VIEW_KERNEL | SHADOW_VIEW_MXR);
    assert_true(with_a1(CSRS_SSTATUS, MSTATUS_SUM));
    assert_int_equal(vcpu->shadow->view, SHADOW_VIEW_KERNEL_SUM | SHADOW_VIEW_MXR);
    assert_true(with_a1(CSRC_SSTATUS, MSTATUS_MXR | MSTATUS_SUM));
    assert_int_equal(vcpu->shadow->view, SHADOW_VIEW_KERNEL);
}

static void test_users_execute_nothing_of_the_kernels(void **state)
{
    static const u32 words[] = {SFENCE_ALL, WFI, SRET, CSRW_SATP, MRET};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
        enter_users();
        assert_false(turn_illegal(words[i]));
        check_reflected_in_u(CAUSE_ILLEGAL);
    }
}

static void test_a_users_call_and_its_breakpoint_are_the_kernels(void **state)
{
    (void)state;
    enter_users();
    assert_false(turn_trap(ECALL, CAUSE_ECALL_U, 0));
    check_reflected_in_u(CAUSE_ECALL_U);
    enter_users();
    assert_false(turn_trap(EBREAK, CAUSE_BREAKPOINT, TURN_CODE));
    check_reflected_in_u(CAUSE_BREAKPOINT);
}

static void test_an_interrupt_by_software_waits_for_the_kernel(void **state)
{
    (void)state;
    shadow_soft_interrupt(vcpu);
    if (vcpu->shadow->kernel_in_u)
        assert_true(vcpu->shadow->csrs.sip & BIT(IRQ_S_SOFT));
    else
        assert_true(vcpu->arch.doorbell);
}

static void test_a_call_for_the_timer_sets_the_processors(void **state)
{
    (void)state;
    machine.has_sstc = true;
    shadow_timer_set(vcpu, 1234);
    assert_int_equal(shadow_processor.timer, 1234);
    vcpu->shadow->sstc = false;
    shadow_timer_set(vcpu, 0);
    assert_true(shadow_processor.timer_line);
    shadow_line_set(vcpu, BIT(IRQ_S_EXTERNAL), true);
    assert_true(shadow_processor.external);
}

int main(void)
{
#define IN_S(name) cmocka_unit_test_setup(name, start_in_s)
#define IN_U(name) cmocka_unit_test_setup(name, start_in_u)
    static const struct CMUnitTest tests[] = {
        IN_S(test_each_form_of_a_fence_is_counted),
        IN_U(test_each_form_of_a_fence_is_counted),
        IN_S(test_a_kernel_that_waits_gives_the_hart_away),
        IN_U(test_a_kernel_that_waits_gives_the_hart_away),
        IN_S(test_what_machine_mode_has_is_illegal),
        IN_U(test_what_machine_mode_has_is_illegal),
        IN_S(test_a_root_is_taken_and_one_of_four_levels_is_not),
        IN_U(test_a_root_is_taken_and_one_of_four_levels_is_not),
        IN_U(test_a_timer_in_the_past_is_due_and_one_to_come_is_kept),
        IN_U(test_sum_and_mxr_are_views),
        IN_U(test_users_execute_nothing_of_the_kernels),
        IN_U(test_a_users_call_and_its_breakpoint_are_the_kernels),
        IN_S(test_an_interrupt_by_software_waits_for_the_kernel),
        IN_U(test_an_interrupt_by_software_waits_for_the_kernel),
        IN_S(test_a_call_for_the_timer_sets_the_processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
