/* SPDX-License-Identifier: MIT */
/*
 * The audit: walks every VM's memory, tables and translations and checks every invariant of
 * memory: who owns which frame here, and what each path promises in virt_ops.audit. It stops the
 * machine for as long as it takes: for the monitor and for tests.
 */
#pragma once

#include "mem/addr.h"

enum { AUDIT_TEXT_BYTES = 128 };

struct audit_result {
    u64 frames; /* frames looked at */
    u64 tables;
    u64 entries; /* table entries that are present */
    u64 violations;
    char first[AUDIT_TEXT_BYTES]; /* the first violation in words; "" without one */
};

void audit_run(struct audit_result *result);

/* For virt_ops.audit, while audit_run runs: what must hold of a frame, or of a table's entry there.
 */
void audit_check(bool holds, mfn_t frame, u32 index, const char *what);

/* An address-space identifier is in use, and named once in all. */
void audit_space_id(mfn_t root, u16 id);

/* A table was looked at, with so many entries that are present. */
void audit_count_table(u32 entries);
