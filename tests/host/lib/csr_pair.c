/* SPDX-License-Identifier: MIT */
/*
 * The pair: see csr_pair.h. A difference is printed and aborts, so that fuzzers can use it too.
 */
#include "csr_pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "../model/csr_model.h"
#include "virt/shadow/csr_table.h"

static struct guest_csrs real;
static struct csr_model model;

static void __attribute__((noreturn)) differ(const char *what, u64 number, u64 is, u64 should)
{
    fprintf(stderr, "difference: %s, %#lx: %#lx, the model says %#lx\n", what,
            (unsigned long)number, (unsigned long)is, (unsigned long)should);
    abort();
}

static void check(const char *what, u64 number, u64 is, u64 should)
{
    if (is != should)
        differ(what, number, is, should);
}

/* The real one's value, whatever would forbid to look. */
static u64 look(u32 number)
{
    struct guest_csrs copy = real;
    u64 value = 0;
    u32 effects;

    copy.sstatus |= number == CSR_SSTATUS ? 0 : MSTATUS_FS;
    copy.sstc = true;
    if (!csr_access(&copy, (u16)number, MODE_S, CSR_READ, 0, &value, &effects))
        differ("cannot be read", number, 0, 0);
    return value;
}

void csr_pair_compare(void)
{
    for (u32 i = 0; i < CSR_MODEL_COUNT; i++) {
        u32 number = csr_model_number(i);

        check("value", number, look(number), csr_model_value(&model, number));
    }
}

/* The effects that a change of state must be told by. */
static u32 effects_due(const struct guest_csrs *before)
{
    u64 status = before->sstatus ^ real.sstatus;

    return (before->satp != real.satp ? CSR_EFFECT_TRANSLATION : 0) |
           ((status >> 18 & 3) != 0 ? CSR_EFFECT_VIEW : 0) |
           ((status >> 1 & 1) != 0 || before->sie != real.sie || before->sip != real.sip
                ? CSR_EFFECT_INTERRUPTS
                : 0) |
           (before->stimecmp != real.stimecmp ? CSR_EFFECT_TIMER : 0) |
           ((status >> 13 & 3) != 0 || before->fcsr != real.fcsr ? CSR_EFFECT_FLOATING : 0) |
           (before->scounteren != real.scounteren ? CSR_EFFECT_COUNTERS : 0);
}

void csr_pair_start(bool sstc)
{
    u64 old;

    guest_csrs_start(&real, sstc);
    model = (struct csr_model){.sstc = true};
    for (u32 i = 0; i < CSR_MODEL_COUNT; i++)
        (void)csr_model_access(&model, csr_model_number(i), CSR_MODEL_WRITE,
                               look(csr_model_number(i)), &old);
    model.sstc = sstc;
    csr_pair_compare();
}

void csr_pair_mode(u32 privilege)
{
    model.user = privilege == MODE_U;
}

u32 csr_pair_privilege(void)
{
    return model.user ? MODE_U : MODE_S;
}

void csr_pair_lines(u64 lines)
{
    real.lines = lines;
    model.timer_line = (lines & 0x20) != 0;
    model.external_line = (lines & 0x200) != 0;
}

void csr_pair_counters(u64 cycle, u64 time, u64 instret)
{
    real.cycle = model.counters[0] = cycle;
    real.time = model.counters[1] = time;
    real.instret = model.counters[2] = instret;
}

bool csr_pair_access(u32 number, u32 op, u64 operand)
{
    static const enum csr_model_op ops[] = {
        [CSR_READ] = CSR_MODEL_READ,
        [CSR_WRITE] = CSR_MODEL_WRITE,
        [CSR_SET] = CSR_MODEL_SET,
        [CSR_CLEAR] = CSR_MODEL_CLEAR,
    };
    struct guest_csrs before = real;
    u64 is = 0, should = 0;
    u32 effects = 0;
    bool legal = csr_access(&real, (u16)number, csr_pair_privilege(), (enum csr_op)op, operand, &is,
                            &effects);

    check("legal", number, legal, csr_model_access(&model, number, ops[op], operand, &should));
    check("old value", number, is, should);
    check("effects", number, effects, effects_due(&before));
    if (legal)
        check("new value", number, look(number), csr_model_value(&model, number));
    return legal;
}

void csr_pair_trap(u64 cause, u64 value, u64 pc)
{
    u64 code = cause & ~CAUSE_INTERRUPT;
    u64 next = guest_trap_enter(&real, cause, value, pc, csr_pair_privilege());

    check("trap goes to", cause, next,
          csr_model_trap(&model, (cause & CAUSE_INTERRUPT) != 0, code, value, pc));
    csr_pair_compare();
}

bool csr_pair_interrupt(u64 pc)
{
    u64 cause = 0;
    bool due = guest_interrupt_due(&real, csr_pair_privilege(), &cause);
    int should = csr_model_interrupt(&model);

    check("an interrupt is due", cause, due, should >= 0);
    check("wakes", 0, guest_interrupt_wakes(&real),
          (csr_model_value(&model, CSR_SIP) & csr_model_value(&model, CSR_SIE)) != 0);
    if (!due)
        return false;
    check("interrupt", 0, cause, CAUSE_INTERRUPT | (u64)should);
    csr_pair_trap(cause, 0, pc);
    return true;
}

void csr_pair_sret(void)
{
    struct guest_return back = guest_sret(&real);
    u64 should = csr_model_sret(&model);

    check("sret to", 0, back.pc, should);
    check("sret to mode", 0, back.privilege, csr_pair_privilege());
    csr_pair_compare();
}
