/* SPDX-License-Identifier: MIT */
/* The wait queue's structure alone, for structures that embed one; what it does is in wait.h. */
#pragma once

#include "list.h"

/* Guarded by the lock that guards the condition. */
struct wait_queue {
    struct list_node sleepers; /* struct thread, wait_node; in order of arrival */
};
