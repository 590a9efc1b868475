/* SPDX-License-Identifier: MIT */
/*
 * The audit: walks every VM's memory, tables and translations and checks every invariant of
 * paravirtual memory. It stops the machine for as long as it takes: for the monitor and for tests.
 */
#ifndef CORE_AUDIT_H
#define CORE_AUDIT_H

#include "types.h"

enum { AUDIT_TEXT_BYTES = 128 };

struct audit_result {
    u64 frames; /* frames looked at */
    u64 tables;
    u64 entries; /* table entries that are present */
    u64 violations;
    char first[AUDIT_TEXT_BYTES]; /* the first violation in words; "" without one */
};

void audit_run(struct audit_result *result);

#endif
