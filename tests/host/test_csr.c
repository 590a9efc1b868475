/* SPDX-License-Identifier: MIT */
/*
 * A guest's CSRs against the independent statement of their rules (model/csr_model.c): every number
 * in every mode, every bit of every CSR by every instruction, every way into and out of a trap.
 * What differs is printed by lib/csr_pair.c, which then aborts.
 */
#include "check.h"

#include "csr_pair.h"
#include "model/csr_model.h"
#include "virt/shadow/csr_table.h"

enum {
    OPS = CSR_CLEAR + 1,
    FS_SHIFT = 13,
    RANDOM_STEPS = 300000,
    INTERRUPT_SETS = 8,
};

static const u32 modes[] = {MODE_U, MODE_S};

static u64 seed = 1;

static u64 pick(void)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return seed >> 32 ^ seed << 32;
}

/* Writes as the kernel does. */
static void put(u32 number, u64 value)
{
    u32 mode = csr_pair_privilege();

    csr_pair_mode(MODE_S);
    assert_true(csr_pair_access(number, CSR_WRITE, value));
    csr_pair_mode(mode);
}

/* The three interrupts of a set of three bits. */
static u64 interrupts(u32 set)
{
    return (u64)(set & 1) << 1 | (u64)(set >> 1 & 1) << 5 | (u64)(set >> 2 & 1) << 9;
}

static void test_each_number_is_legal_exactly_where_the_architecture_says(void **state)
{
    u32 legal = 0;

    (void)state;
    for (u32 setting = 0; setting < 64; setting++) {
        csr_pair_start(setting & 1);
        put(CSR_SCOUNTEREN, setting >> 1 & 7);
        put(CSR_SSTATUS, (u64)(setting >> 4) << FS_SHIFT);
        for (u32 number = 0; number < CSR_NUMBERS; number++)
            for (u32 mode = 0; mode < ARRAY_SIZE(modes); mode++)
                for (u32 op = 0; op < OPS; op++) {
                    csr_pair_mode(modes[mode]);
                    legal += csr_pair_access(number, op, 0);
                    if (op == CSR_WRITE && number == CSR_SCOUNTEREN)
                        put(number, setting >> 1 & 7);
                    if (number <= CSR_SSTATUS)
                        put(CSR_SSTATUS, (u64)(setting >> 4) << FS_SHIFT);
                }
    }
    assert_true(legal > 0);
}

static void test_each_bit_is_kept_or_not_as_the_picture_says(void **state)
{
    static const u64 before[] = {0, ~0UL, 0x5555555555555555UL, 0xaaaaaaaaaaaaaaaaUL};

    (void)state;
    for (u32 i = 0; i < CSR_MODEL_COUNT; i++)
        for (u32 bit = 0; bit < CSR_MODEL_BITS; bit++)
            for (u32 op = CSR_WRITE; op < OPS; op++)
                for (u32 from = 0; from < ARRAY_SIZE(before); from++) {
                    u32 number = csr_model_number(i);

                    csr_pair_start(true);
                    csr_pair_mode(MODE_S);
                    (void)csr_pair_access(number, CSR_WRITE, before[from]);
                    (void)csr_pair_access(number, op, BIT(bit));
                    csr_pair_compare();
                    (void)csr_pair_access(number, op, ~BIT(bit));
                    csr_pair_compare();
                }
}

static void test_satp_and_stvec_ignore_modes_that_are_not_there(void **state)
{
    (void)state;
    csr_pair_start(true);
    for (u64 from = 0; from < 16; from++)
        for (u64 to = 0; to < 16; to++) {
            put(CSR_SATP, from << 60 | 0x12345678 | 0xabcUL << 44);
            put(CSR_SATP, to << 60 | 0x87654321 | 0xdefUL << 44);
            put(CSR_STVEC, 0x1000 | from % 4);
            put(CSR_STVEC, 0x2000 | to % 4);
            csr_pair_compare();
        }
}

static void test_the_lines_are_seen_in_sip_and_not_written(void **state)
{
    (void)state;
    csr_pair_start(true);
    for (u32 lines = 0; lines < INTERRUPT_SETS; lines++)
        for (u32 op = 0; op < OPS; op++) {
            csr_pair_lines(interrupts(lines) & ~2UL);
            csr_pair_mode(MODE_S);
            assert_true(csr_pair_access(CSR_SIP, op, ~0UL));
            csr_pair_compare();
        }
}

static void test_counters_read_what_the_machine_counts(void **state)
{
    (void)state;
    csr_pair_start(true);
    csr_pair_counters(1, 0x8000000000000002UL, ~0UL);
    csr_pair_compare();
    for (u32 enabled = 0; enabled < 8; enabled++) {
        put(CSR_SCOUNTEREN, enabled);
        csr_pair_mode(MODE_U);
        for (u32 number = CSR_CYCLE; number <= CSR_INSTRET; number++)
            assert_int_equal(csr_pair_access(number, CSR_READ, 0),
                             enabled >> (number - CSR_CYCLE) & 1);
    }
}

/* SIE, SPIE, SPP in all ways; both modes; direct and vectored; every cause; and back. */
static void test_each_trap_and_return_does_what_the_architecture_says(void **state)
{
    (void)state;
    csr_pair_start(true);
    for (u64 status = 0; status < 8; status++)
        for (u64 cause = 0; cause < 64; cause++)
            for (u32 how = 0; how < 8; how++) {
                put(CSR_STVEC, 0xffffffc000200000UL | (how & 1));
                put(CSR_SSTATUS, (status & 1) << 1 | (status >> 1 & 1) << 5 | (status >> 2) << 8);
                csr_pair_mode(modes[how >> 1 & 1]);
                csr_pair_trap(cause | ((how & 4) != 0 ? CAUSE_INTERRUPT : 0), pick(), pick());
                csr_pair_sret();
                csr_pair_sret();
            }
}

static void test_interrupts_come_in_the_architectures_order(void **state)
{
    u32 taken = 0;

    (void)state;
    for (u32 pending = 0; pending < INTERRUPT_SETS; pending++)
        for (u32 enabled = 0; enabled < INTERRUPT_SETS; enabled++)
            for (u32 how = 0; how < 4; how++) {
                csr_pair_start(true);
                put(CSR_SIP, interrupts(pending));
                csr_pair_lines(interrupts(pending) & ~2UL);
                put(CSR_SIE, interrupts(enabled));
                put(CSR_SSTATUS, (how & 1) << 1);
                csr_pair_mode(modes[how >> 1]);
                taken += csr_pair_interrupt(0x1000);
            }
    /* 37 of 64 have one that is both; in user mode always, in supervisor mode with SIE */
    assert_int_equal(taken, 37 * 3);
}

static void test_what_is_done_at_random_leaves_both_the_same(void **state)
{
    (void)state;
    csr_pair_start(true);
    for (u32 step = 0; step < RANDOM_STEPS; step++) {
        u64 what = pick();

        switch (what & 15) {
        case 0:
            csr_pair_trap(what >> 8 & 31, pick(), pick());
            break;
        case 1:
            if (csr_pair_privilege() == MODE_S)
                csr_pair_sret();
            break;
        case 2:
            csr_pair_lines(what >> 8 & 0x220);
            break;
        case 3:
            (void)csr_pair_interrupt(pick());
            break;
        case 4:
            csr_pair_counters(pick(), pick(), pick());
            break;
        default:
            (void)csr_pair_access(csr_model_number((u32)(what >> 8) % CSR_MODEL_COUNT),
                                  (u32)(what >> 16) % OPS, pick());
        }
    }
    csr_pair_compare();
}

static void test_a_start_is_what_firmware_leaves(void **state)
{
    static const struct {
        u16 number;
        u64 value;
    } at_start[] = {
        {CSR_SSTATUS, BIT(63) | MSTATUS_UXL_64 | MSTATUS_FS},
        {CSR_SIE, 0},
        {CSR_SIP, 0},
        {CSR_SATP, 0},
        {CSR_SCOUNTEREN, 7},
        {CSR_STIMECMP, ~0UL},
    };
    struct guest_csrs csrs;

    (void)state;
    guest_csrs_start(&csrs, true);
    for (size_t i = 0; i < ARRAY_SIZE(at_start); i++) {
        u64 old;
        u32 effects;

        assert_true(csr_access(&csrs, at_start[i].number, MODE_S, CSR_READ, 0, &old, &effects));
        assert_true(old == at_start[i].value);
        assert_int_equal(effects, 0);
    }
}

static void test_names_and_numbers_belong_together(void **state)
{
    (void)state;
    for (u32 number = 0; number < CSR_NUMBERS; number++) {
        const struct csr_rule *rule = csr_find((u16)number);

        if (rule != NULL)
            assert_int_equal(rule->number, number);
    }
    assert_string_equal(csr_find(CSR_SATP)->name, "satp");
    assert_null(csr_find(0x300)); /* mstatus */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_number_is_legal_exactly_where_the_architecture_says),
        cmocka_unit_test(test_each_bit_is_kept_or_not_as_the_picture_says),
        cmocka_unit_test(test_satp_and_stvec_ignore_modes_that_are_not_there),
        cmocka_unit_test(test_the_lines_are_seen_in_sip_and_not_written),
        cmocka_unit_test(test_counters_read_what_the_machine_counts),
        cmocka_unit_test(test_each_trap_and_return_does_what_the_architecture_says),
        cmocka_unit_test(test_interrupts_come_in_the_architectures_order),
        cmocka_unit_test(test_what_is_done_at_random_leaves_both_the_same),
        cmocka_unit_test(test_a_start_is_what_firmware_leaves),
        cmocka_unit_test(test_names_and_numbers_belong_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
