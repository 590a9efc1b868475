/* SPDX-License-Identifier: MIT
 *
 * Constants for assembly, taken from C: an asm-offsets.c holds one function whose body is made of
 * these macros; the build compiles it to assembly and turns each mark into a #define of
 * asm-offsets.h.
 */
#pragma once

#include <stddef.h>

/* The constant VALUE (an integer constant expression) under the name NAME. */
#define DEFINE(NAME, VALUE) __asm__ volatile("\n.ascii \"->" #NAME " %0\"" : : "i"(VALUE))

/* The offset in bytes of MEMBER in TYPE. */
#define OFFSET(NAME, TYPE, MEMBER) DEFINE(NAME, offsetof(TYPE, MEMBER))

/* The size in bytes of TYPE. */
#define SIZE(NAME, TYPE) DEFINE(NAME, sizeof(TYPE))
