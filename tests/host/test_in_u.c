/* SPDX-License-Identifier: MIT */
/*
 * A kernel in U-mode whose instructions trap: when interrupts come, and what an illegal instruction
 * reports. Guest memory and the tables are not looked at here: what is fetched is given.
 */
#include "check.h"

#include "arch/arch_shadow.h"
#include "core/hart.h"
#include "core/vm.h"
#include "csr.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"

enum {
    HANDLER = 0x80001000,
    HERE = 0x80002000,
    THERE = 0x80003000,
    CSRRSI_SSTATUS_SIE = 0x10016073, /* csrrsi x0, sstatus, 2 */
    CSRRSI_SIE_SSIE = 0x10416073,    /* csrrsi x0, sie, 2 */
    CSRRSI_SIP_SSIP = 0x14416073,    /* csrrsi x0, sip, 2 */
    SRET = 0x10200073,
    SSIP = 1 << IRQ_S_SOFT,
};

static struct vm *vm;
static struct vcpu *vcpu;
static struct hart hart;
static struct vm_shadow shadow;
static u32 code_word;
static bool code_there;

/* ---- guest memory ---- */

bool guest_fetch(struct vm *of, struct guest_memo *memo, u64 satp, u64 pc, bool kernel, u32 *word)
{
    (void)of, (void)memo, (void)satp, (void)pc, (void)kernel;
    *word = code_there ? code_word : 0;
    return code_there;
}

enum guest_walk_result guest_walk(const struct vm *of, const struct guest_path *path, u64 satp,
                                  gva_t address, const struct guest_access *access,
                                  struct guest_translation *found)
{
    (void)of, (void)path, (void)satp, (void)address, (void)access, (void)found;
    return GUEST_WALK_PAGE_FAULT;
}

/* ---- the tables, of which nothing matters here ---- */

void shadow_space_enter(struct vcpu *which, u64 satp, u8 view)
{
    which->shadow->satp = satp;
    which->shadow->view = view;
}

void shadow_drop_all(struct vcpu *which)
{
    (void)which;
}

void shadow_fill(struct vcpu *which, gva_t address, const struct guest_translation *found, mfn_t to,
                 bool write)
{
    (void)which, (void)address, (void)found, (void)to, (void)write;
}

bool shadow_fence_page(struct vcpu *which, gva_t address)
{
    (void)which, (void)address;
    return false;
}

bool shadow_fence_all(struct vcpu *which)
{
    (void)which;
    return false;
}

/* ---- nor the devices and turns ---- */

void shadow_machine_written(struct vcpu *which)
{
    (void)which;
}

void shadow_turn_begins(struct vcpu *which)
{
    (void)which;
}

void shadow_timer_program(struct vcpu *which)
{
    (void)which;
}

/* ---- a kernel with a software interrupt that is pending ---- */

static int start(void **state)
{
    (void)state;
    vm = calloc(1, sizeof(struct vm) + sizeof(struct vcpu));
    vcpu = &vm->vcpus[0];
    vcpu->vm = vm;
    vcpu->hart = &hart;
    vm->shadow = &shadow;
    vm->vcpu_count = 1;
    vcpu->shadow = &shadow.vcpus[0];
    *vcpu->shadow = (struct vcpu_shadow){.kernel_in_u = true, .mode = MODE_S};
    guest_csrs_start(&vcpu->shadow->csrs, true);
    vcpu->shadow->csrs.stvec = HANDLER;
    vcpu->shadow->csrs.sip = SSIP;
    vcpu->arch.pc = HERE;
    code_there = true;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(vm);
    return 0;
}

static void execute(u32 word, u32 cause)
{
    const struct virt_trap trap = {.cause = cause, .kernel = false, .value = word};

    code_word = word;
    shadow_trap(vcpu, &trap);
}

static void check_interrupted(u64 at)
{
    assert_int_equal(vcpu->arch.pc, HANDLER);
    assert_true(vcpu->shadow->csrs.scause == (CAUSE_INTERRUPT | IRQ_S_SOFT));
    assert_int_equal(vcpu->shadow->csrs.sepc, at);
    assert_int_equal(vcpu->shadow->mode, MODE_S);
}

static void test_an_interrupt_comes_with_sie(void **state)
{
    (void)state;
    vcpu->shadow->csrs.sie = SSIP;
    execute(CSRRSI_SSTATUS_SIE, CAUSE_ILLEGAL);
    check_interrupted(HERE + 4);
}

static void test_an_interrupt_comes_when_it_is_enabled_or_made(void **state)
{
    (void)state;
    vcpu->shadow->csrs.sstatus |= MSTATUS_SIE;
    execute(CSRRSI_SIE_SSIE, CAUSE_ILLEGAL);
    check_interrupted(HERE + 4);

    vcpu->shadow->csrs.sstatus |= MSTATUS_SIE;
    vcpu->shadow->csrs.sip = 0;
    vcpu->arch.pc = HERE;
    execute(CSRRSI_SIP_SSIP, CAUSE_ILLEGAL);
    check_interrupted(HERE + 4);
}

static void test_an_interrupt_comes_with_the_return_to_a_user(void **state)
{
    (void)state;
    vcpu->shadow->csrs.sie = SSIP;
    vcpu->shadow->csrs.sepc = THERE;
    execute(SRET, CAUSE_ILLEGAL);
    check_interrupted(THERE);
    assert_int_equal(vcpu->shadow->csrs.sstatus & MSTATUS_SPP, 0);
}

static void test_an_interrupt_comes_with_the_firmwares_answer(void **state)
{
    (void)state;
    vcpu->shadow->csrs.sip = 0;
    vcpu->shadow->csrs.sie = SSIP;
    vcpu->shadow->csrs.sstatus |= MSTATUS_SIE;
    execute(0, CAUSE_ECALL_U);
    check_interrupted(HERE);
}

static void test_a_kernel_with_interrupts_off_is_left_alone(void **state)
{
    (void)state;
    execute(CSRRSI_SIE_SSIE, CAUSE_ILLEGAL);
    assert_int_equal(vcpu->arch.pc, HERE + 4);
    vcpu->shadow->csrs.sepc = THERE;
    vcpu->shadow->csrs.sstatus |= MSTATUS_SPP;
    execute(SRET, CAUSE_ILLEGAL);
    assert_int_equal(vcpu->arch.pc, THERE);
}

static void test_what_cannot_be_fetched_is_what_the_hardware_said(void **state)
{
    (void)state;
    code_there = false;
    execute(SRET, CAUSE_ILLEGAL);
    assert_int_equal(vcpu->arch.pc, HANDLER);
    assert_int_equal(vcpu->shadow->csrs.scause, CAUSE_ILLEGAL);
    assert_int_equal(vcpu->shadow->csrs.stval, SRET);
}

#define IN_U(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_U(test_an_interrupt_comes_with_sie),
        IN_U(test_an_interrupt_comes_when_it_is_enabled_or_made),
        IN_U(test_an_interrupt_comes_with_the_return_to_a_user),
        IN_U(test_an_interrupt_comes_with_the_firmwares_answer),
        IN_U(test_a_kernel_with_interrupts_off_is_left_alone),
        IN_U(test_what_cannot_be_fetched_is_what_the_hardware_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
