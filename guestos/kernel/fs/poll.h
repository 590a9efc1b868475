/* SPDX-License-Identifier: MIT */
/*
 * poll: waiting for one of several files.
 *
 * All who poll sleep on one queue, and look at all of their files when they wake: pipes and the
 * terminal need keep nothing of who waits for them.
 */
#pragma once

#include "frank/poll.h"

/* An inode's `ready` may say something else from now on. Any context; locks up to LOCK_PROCESS may
   be held. */
void poll_changed(void);
