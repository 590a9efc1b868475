/* SPDX-License-Identifier: MIT */
/*
 * Spaces that have ended, kept for the next that is wanted. No page is mapped in them, their tables
 * stay linked: most processes use the same few tables, and so need none made. For both platforms.
 */
#pragma once

#include "platform.h"

/* Take one. False: there is none. Any context. */
MUST_CHECK bool spare_take(struct plat_space *space);

/* Keep one. False: there are enough, and it stays the caller's. Any context. */
MUST_CHECK bool spare_give(const struct plat_space *space);

/* Destroy all that are kept. Thread context. */
void spare_trim(void);
