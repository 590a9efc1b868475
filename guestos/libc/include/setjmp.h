/* SPDX-License-Identifier: MIT */
/* Newlib's, and the names of jumps that leave the signal mask alone, as newlib's all do. */
#ifndef FRANK_LIBC_SETJMP_H
#define FRANK_LIBC_SETJMP_H

#include_next <setjmp.h>

#define _setjmp(environment) setjmp(environment)
#define _longjmp(environment, value) longjmp(environment, value)

#endif
