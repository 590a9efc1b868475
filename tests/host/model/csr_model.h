/* SPDX-License-Identifier: MIT */
/*
 * The CSRs of an unmodified guest, said once more: a picture of each CSR's 64 bits, letter by
 * letter, and the few rules that a picture cannot hold. Made from the privileged specification, and
 * from nothing of the implementation.
 */
#pragma once

#include "types.h"

enum { CSR_MODEL_COUNT = 18, CSR_MODEL_BITS = 64 };

enum csr_model_op {
    CSR_MODEL_READ,
    CSR_MODEL_WRITE,
    CSR_MODEL_SET,
    CSR_MODEL_CLEAR,
};

struct csr_model {
    bool sstc;
    bool user;                                  /* the mode: user, else supervisor */
    bool timer_line, external_line;             /* STIP and SEIP from the machine */
    u64 counters[3];                            /* cycle, time, instret */
    bool bits[CSR_MODEL_COUNT][CSR_MODEL_BITS]; /* what is kept, by picture */
};

/* Which CSRs there are. */
u32 csr_model_number(u32 index);

/* What a CSR shows, privilege and state of units apart. */
u64 csr_model_value(const struct csr_model *model, u32 number);

/* One CSR instruction; false: illegal. */
bool csr_model_access(struct csr_model *model, u32 number, enum csr_model_op op, u64 operand,
                      u64 *old);

/* A trap of that scause to supervisor mode and an sret; they return where it goes on, and set
 * `user`. */
u64 csr_model_trap(struct csr_model *model, bool interrupt, u64 code, u64 value, u64 pc);
u64 csr_model_sret(struct csr_model *model);

/* The interrupt that is taken now, -1: none. */
int csr_model_interrupt(const struct csr_model *model);
