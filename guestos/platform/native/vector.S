/* SPDX-License-Identifier: MIT */
/* The bare machine's trap vector: user mode is entered by sret. */
#include "trap_vector.h"

TRAP_VECTOR native_vector, sret
