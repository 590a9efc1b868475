/* SPDX-License-Identifier: MIT */
/* The wait queue's structure alone, for structures that embed one; what it does is in wait.h. */
#ifndef FRANK_KERNEL_WAIT_QUEUE_H
#define FRANK_KERNEL_WAIT_QUEUE_H

#include "list.h"
#include "types.h"

/* Guarded by the lock that guards the condition. */
struct wait_queue {
    struct list_node sleepers; /* struct thread, wait_node; in order of arrival */
};

#endif
