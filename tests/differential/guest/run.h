/* SPDX-License-Identifier: MIT */
#pragma once

#include "printf.h"
#include "program.h"

enum { COUNTED_CAUSES = 16 };

/* What the programs have exercised. */
struct counts {
    u64 programs;
    u64 made[FEATURES_MAX];
    u64 executed[FEATURES_MAX];
    u64 traps[2][2]
             [COUNTED_CAUSES]; /* exceptions, interrupts; from S-mode, from U-mode; by cause */
    u64 bare;                  /* traps without translation */
    u64 vectored;              /* traps that came by the table of vectors */
};

const struct counts *run_counts(void);

/* Makes the program of that number and runs it; the hash of what it did and left, continuing
 * `hash`. `shown`: with everything that is hashed, line by line. In Bare, before and after. */
u64 run_program(u64 number, u64 hash, bool shown);
