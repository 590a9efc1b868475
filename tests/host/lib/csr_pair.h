/* SPDX-License-Identifier: MIT */
/*
 * A guest's CSRs beside the model's (model/csr_model.h): what is done to one is done to the other,
 * and they must agree on every result and every CSR.
 */
#pragma once

#include "types.h"

/* Both as at the start of a VM. */
void csr_pair_start(bool sstc);

/* The mode in which what follows is executed. */
void csr_pair_mode(u32 privilege);
u32 csr_pair_privilege(void);

/* The machine's side: bits of sip that it raises, and the counters. */
void csr_pair_lines(u64 lines);
void csr_pair_counters(u64 cycle, u64 time, u64 instret);

/* One CSR instruction, in the words of decode.h (enum csr_op); whether it was legal. */
bool csr_pair_access(u32 number, u32 op, u64 operand);

/* A trap, an interrupt if one is due, an sret. */
void csr_pair_trap(u64 cause, u64 value, u64 pc);
bool csr_pair_interrupt(u64 pc);
void csr_pair_sret(void);

/* Compares all CSRs; the others do it too, csr_pair_access only the one that it names. */
void csr_pair_compare(void);
