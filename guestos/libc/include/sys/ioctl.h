/* SPDX-License-Identifier: MIT */
/* Requests to devices; the terminal's stand in frank/tty.h. */
#ifndef FRANK_LIBC_SYS_IOCTL_H
#define FRANK_LIBC_SYS_IOCTL_H

#include "frank/tty.h"

/* Answered in the library: a serial line does not know how large the screen at its end is. */
#define TIOCGWINSZ 100
#define TIOCSCTTY FRANK_TTY_ATTACH

struct winsize {
    unsigned short ws_row;
    unsigned short ws_col;
    unsigned short ws_xpixel;
    unsigned short ws_ypixel;
};

int ioctl(int descriptor, unsigned long request, ...);

#endif
