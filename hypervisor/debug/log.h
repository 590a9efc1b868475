/* SPDX-License-Identifier: MIT */
/*
 * Candor's own lines on the console: "candor: ...". Each is put in whole, from any hart and under
 * any lock but the console's; none blocks. A line longer than LOG_LINE_BYTES is cut.
 */
#pragma once

#include "printf.h"

enum { LOG_LINE_BYTES = 256 };

/* Prints "candor: <text>" and a newline. */
void log_line(const char *format, ...) PRINTF_LIKE(1, 2);

/* Prints "candor: <vm_name>: <text>" and a newline: what became of a VM, after what it
   wrote itself. */
void log_vm_line(const char *vm_name, const char *format, ...) PRINTF_LIKE(2, 3);
