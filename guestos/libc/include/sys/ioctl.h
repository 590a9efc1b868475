/* SPDX-License-Identifier: MIT */
/* Requests to devices; the terminal's stand in frank/tty.h. */
#ifndef FRANK_LIBC_SYS_IOCTL_H
#define FRANK_LIBC_SYS_IOCTL_H

#include "frank/tty.h"

int ioctl(int descriptor, unsigned long request, ...);

#endif
