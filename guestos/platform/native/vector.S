/* SPDX-License-Identifier: MIT */
/* The bare machine's trap vectors: user mode is entered by sret. */
#include "trap_vector.h"

TRAP_VECTOR native_vector, 0, sret
TRAP_VECTOR native_vector_timed, 1, sret
