/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a word of a user's to change. The user's side decides, by the word's value, whether
 * there is anything to wait for: the kernel only sees to it that nobody sleeps past a wake-up. One
 * word is one place of waiting to all who have it mapped as shared.
 */
#pragma once

#include "kernel/addr.h"

/* Wake at most `count` of those who wait at a word of the current space: how many, or -EINVAL (not
   aligned), -EFAULT. Thread context, no lock held. */
long futex_wake(uva_t address, u64 count);
