/* SPDX-License-Identifier: MIT */
/*
 * Identifiers of address spaces, one for each root of the machine, so that a switch needs no flush.
 *
 * An identifier that was given back may still have translations; it is given out again only after
 * every hart has dropped all of them, which happens when the unused ones run out. 0 is never given
 * out. Lock level: LOCK_FRAME.
 */
#pragma once

#include "types.h"

/* `count` identifiers, 0 included, or as many as Candor can use. False if that leaves none. */
MUST_CHECK bool space_id_init(u32 count);

/* An identifier that no translation has, or 0. May flush the machine: the caller holds no lock. */
MUST_CHECK u16 space_id_alloc(void);

/* How many each of so many VMs may have at once: one that asks without end takes no other's. */
u32 space_id_share(u32 vm_count);

/* Gives one back. */
void space_id_free(u16 id);

/* Whether it is given out. For audits. */
bool space_id_used(u16 id);
