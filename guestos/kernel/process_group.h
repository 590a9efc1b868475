/* SPDX-License-Identifier: MIT */
/*
 * Process groups: the processes that a terminal's ^C, or one kill, reaches together.
 *
 * A group is a number that processes carry and their children inherit; the shell gives each of its
 * command lines one. There are no sessions, and no group is checked to exist.
 */
#ifndef FRANK_KERNEL_PROCESS_GROUP_H
#define FRANK_KERNEL_PROCESS_GROUP_H

#include "kernel/process.h"
#include "types.h"

/*
 * Send a signal (0: only look) to each living process of a group, init excepted. Any context; takes
 * process_lock. -ESRCH if there is none.
 */
int process_signal_group(i32 group, int signal);

#endif
