/* SPDX-License-Identifier: MIT */
/*
 * The CSRs that an unmodified guest has in S-mode and U-mode, and what traps and returns do to
 * them: the architecture's state of one hart, kept while its kernel runs without the privilege.
 *
 * Each CSR stands once in a table: its name, the bits that a write can change or the rule that
 * makes a value legal (WARL), and what changing it means to the rest of the machine. The guest sees
 * a machine whose firmware delegates every exception and interrupt to S-mode and opens all
 * counters. What is not in the table is not implemented, and an access to it is an illegal
 * instruction.
 *
 * Follows the privileged specification 1.12, chapters 2 and 4, and Sstc 1.0. Where that leaves a
 * choice: UXL is fixed to 64 bits; stvec keeps its value when a reserved mode is written; scause
 * and stval hold 64 bits; satp takes Bare and Sv39 and all 16 bits of an ASID.
 *
 * Pure code on the caller's state, which the caller locks.
 */
#pragma once

#include "csr.h"
#include "virt/shadow/decode.h"

enum csr_number {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_STVEC = 0x105,
    CSR_SCOUNTEREN = 0x106,
    CSR_SENVCFG = 0x10a,
    CSR_SSCRATCH = 0x140,
    CSR_SEPC = 0x141,
    CSR_SCAUSE = 0x142,
    CSR_STVAL = 0x143,
    CSR_SIP = 0x144,
    CSR_STIMECMP = 0x14d,
    CSR_SATP = 0x180,
    CSR_CYCLE = 0xc00,
    CSR_TIME = 0xc01,
    CSR_INSTRET = 0xc02,
};

enum { CSR_NUMBERS = 1 << 12, CSR_SLOTS = 64 };

/* The place of a CSR in the table: no two of those in it have the same (the compiler complains). */
#define CSR_SLOT(number) ((((number) >> 5) * 9 + (number)) & (CSR_SLOTS - 1))

/* What an access changed that something else must learn of. */
enum csr_effect {
    CSR_EFFECT_TRANSLATION = 1 << 0, /* satp */
    CSR_EFFECT_VIEW = 1 << 1,        /* SUM or MXR: who may read what */
    CSR_EFFECT_INTERRUPTS = 1 << 2,  /* an interrupt may be due that was not */
    CSR_EFFECT_TIMER = 1 << 3,       /* stimecmp */
    CSR_EFFECT_FLOATING = 1 << 4,    /* FS or fcsr */
    CSR_EFFECT_COUNTERS = 1 << 5,    /* scounteren: what users may read */
};

/* S-mode's state of one hart of a guest. Bits that a CSR does not have are zero. */
struct guest_csrs {
    bool sstc; /* stimecmp is there */
    u64 sstatus;
    u64 sie;
    u64 sip;   /* what the guest can write of it: SSIP */
    u64 lines; /* what the machine raises: STIP, SEIP */
    u64 stvec;
    u64 scounteren;
    u64 senvcfg;
    u64 sscratch;
    u64 sepc;
    u64 scause;
    u64 stval;
    u64 satp;
    u64 stimecmp;
    u64 fcsr;
    u64 cycle, time, instret; /* as they are now: the caller fills them in before an access */
};

/* One CSR. A NULL function: there is nothing special. */
struct csr_rule {
    const char *name;
    u16 number;
    u16 field;     /* offset of its u64 in struct guest_csrs */
    u8 shift;      /* of bit 0 of the CSR in the field */
    bool floating; /* it needs FS on, and a write makes FS dirty */
    u64 visible;   /* bits that are read from the field */
    u64 writable;  /* bits that a write changes */
    u32 effects;   /* enum csr_effect, of a write that changes it */
    u64 (*also_read)(const struct guest_csrs *state); /* bits that come from elsewhere */
    u64 (*legal)(u64 old, u64 value);                 /* what a write leaves, of `writable` */
    bool (*exists)(const struct guest_csrs *state, u32 privilege);
};

/* The rule of a CSR that an unmodified guest may have; NULL: there is none such. */
const struct csr_rule *csr_find(u16 number);

/* The name of the CSR that has that slot; NULL: none has. */
const char *csr_slot_name(u32 slot);

/* The state in which firmware hands a hart to a kernel: satp Bare, interrupts off, counters open to
 * users, the floating-point unit on, no timer set. */
void guest_csrs_start(struct guest_csrs *state, bool sstc);

/*
 * One CSR instruction from MODE_S or MODE_U: false when it is illegal, with nothing changed. `*old`
 * gets what the instruction puts into rd, `*effects` (enum csr_effect) what the write changed. No
 * CSR of the table changes by being read, so a csrrw into x0 needs no case of its own.
 */
MUST_CHECK bool csr_access(struct guest_csrs *state, u16 number, u32 privilege, enum csr_op op,
                           u64 operand, u64 *old, u32 *effects);

/* A trap into S-mode at `pc` (4.1); `cause` with CAUSE_INTERRUPT for an interrupt. Returns where
 * the kernel goes on. */
u64 guest_trap_enter(struct guest_csrs *state, u64 cause, u64 value, u64 pc, u32 from_privilege);

struct guest_return {
    u64 pc;
    u32 privilege;
};

/* sret, executed in S-mode. */
struct guest_return guest_sret(struct guest_csrs *state);

/* What ends a WFI: an interrupt is pending and enabled in sie, whatever SIE says. */
bool guest_interrupt_wakes(const struct guest_csrs *state);

/* Whether an interrupt is taken now in that mode; `*cause` gets the first in the architecture's
 * order. */
MUST_CHECK bool guest_interrupt_due(const struct guest_csrs *state, u32 privilege, u64 *cause);
