/* SPDX-License-Identifier: MIT */
/*
 * The other harts of an unmodified test guest: each waits without translation for work, does it,
 * and says so. Only the first one prints.
 */
#pragma once

#include "bare.h"

enum {
    HARTS_MAX = 8,
    SBI_SEND = 0,
    HSM_START = 0,
    HSM_STOP = 1,
    HSM_STATUS = 2,
    HSM_SUSPEND = 3,
    HSM_STARTED = 0,
    HSM_STOPPED = 1,
    HSM_SUSPENDED = 4,
    RFENCE_CODE = 0,
    RFENCE_SPACE = 1,
    RFENCE_SPACE_ASID = 2,
    SBI_ERROR_FAILED = -1,
    SBI_ERROR_PARAM = -3,
    SBI_ERROR_ADDRESS = -5,
    SBI_ERROR_AVAILABLE = -6,
};

extern u32 hart_count; /* that the firmware knows: harts_find sets it */
void harts_find(void);

/* Where a hart begins; it has its stack in a1, and does what hart_work was given. */
extern u8 hart_entry[];
u64 hart_stack(u64 hart);
i64 hart_start(u64 hart);
u64 hart_status(u64 hart);

/* Every other hart, which must have been started, and this one call it with their numbers; returns
 * when all have. */
void harts_do(void (*work)(u64 hart));

/* The same for one that is not this one (NULL: there is none to do after all); and whether it has
 * done it, or until it has. */
void hart_do(u64 hart, void (*work)(u64 hart));
bool hart_done(u64 hart);
void hart_wait(u64 hart);

/* All the others. */
void harts_start(void);

/* An access: its cause if it traps, or 0. Any hart, in S-mode. */
u64 try_load(u64 address, u64 *value);
u64 try_store(u64 address, u64 value);
