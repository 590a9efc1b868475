/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's state on RISC-V.
 *
 * While the guest runs, mscratch points at its struct arch_vcpu. The first part is what the
 * assembly of entry.S works with, within reach of a load's offset; the second is stored and loaded
 * by arch_vcpu_switch alone.
 */
#pragma once

#include "mem/addr.h"

struct hart;

enum {
    REGISTER_PC = 0, /* x0 is not stored: its place holds the pc */
    REGISTER_RA = 1,
    REGISTER_SP = 2,
    REGISTER_T0 = 5,
    REGISTER_A0 = 10,
    REGISTER_A1 = 11,
    REGISTER_A2 = 12,
    REGISTER_A6 = 16,
    REGISTER_A7 = 17,
    REGISTER_T3 = 28,
    REGISTERS = 32,
    FAST_ROOTS = 64,            /* direct-mapped memories of the fast paths: by frame number, */
    FAST_TABLES = 8,            /* and by frame number plus 2 MiB region */
    TRAP_ENTRY_FAST_BYTES = 16, /* from the plain trap entry to the one with the fast paths */
};

/* A root that space_switch and pte_set may take at once. */
struct fast_root {
    u64 name; /* its guest-physical address; 1 (never an argument that is right): none */
    u64 satp;
};

/* A last-level table of a space. */
struct fast_table {
    u64 root;   /* the root's guest-physical address; 1: none */
    u64 region; /* guest-virtual address divided by 2 MiB */
    u64 table;  /* machine address */
    u64 reserved;
};

/* The hart that executes. */
static inline struct hart *arch_hart(void)
{
    struct hart *hart;

    __asm__("mv %0, tp" : "=r"(hart));
    return hart;
}

/* Machine addresses are Candor's own. */
static inline void *arch_frame_bytes(mfn_t frame)
{
    return (void *)mfn_to_maddr(frame).value;
}

static inline mfn_t arch_frame_of(const void *bytes)
{
    return maddr_to_mfn(maddr((u64)bytes));
}

struct arch_vcpu {
    u64 x[REGISTERS]; /* filled by trap_entry, read by trap_leave; x[0] is the pc */
    u64 stack_top;    /* of the hart that it is loaded on */
    u64 hart;
    u64 extension;    /* CANDOR_EXTENSION, at hand for the assembly */
    u64 entry_offset; /* where it enters Candor, from trap_entry_plain on */
    u64 p2m_base;     /* copies from its VM's p2m, for pte_set */
    u64 p2m_count;
    u64 p2m_entries;
    u64 satp;        /* also while it is loaded: any hart may ask for its root */
    u64 frame_table; /* where the entry of machine frame 0 would stand */
    struct fast_root roots[FAST_ROOTS];
    struct fast_table tables[FAST_TABLES];
    bool timer_by_sie; /* it sleeps by WFI, which a timer ends that sie enables; else each does */
};

/* The rest of a processor's state, valid while the vCPU is not loaded. */
struct arch_vcpu_saved {
    u64 mstatus; /* guest fields, and the mode to enter in MPP */
    u64 stvec;
    u64 sscratch;
    u64 sepc;
    u64 scause;
    u64 stval;
    u64 sie;
    u64 sip; /* the doorbell; for a guest without Sstc the timer too */
    u64 scounteren;
    u64 senvcfg;
    u64 stimecmp;
    u64 medeleg;
    u64 mcounteren;
    u64 menvcfg; /* used on a machine with Sstc */
    u64 f[32];
    u64 fcsr;
};
