/* SPDX-License-Identifier: MIT */
/*
 * The terminal's mode as POSIX programs see it. What Frank's terminal can change: ICANON, ECHO,
 * ISIG, TOSTOP, and VMIN (0, or 1 for all else) and VTIME of what is not canonical. Carriage return
 * is read as a newline in canonical mode only. The rest is as tcgetattr reports it.
 */
#ifndef FRANK_LIBC_SYS_TERMIOS_H
#define FRANK_LIBC_SYS_TERMIOS_H

#include <sys/types.h>

typedef unsigned tcflag_t;
typedef unsigned char cc_t;
typedef unsigned speed_t;

enum {
    ICRNL = 0400,
    IXON = 02000,
    BRKINT = 02,
    INPCK = 020,
    ISTRIP = 040,
    OPOST = 01,
    CS8 = 060,
    ISIG = 01,
    ICANON = 02,
    ECHO = 010,
    ECHOE = 020,
    ECHONL = 0100,
    TOSTOP = 0400,
    IEXTEN = 0100000,
};

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSUSP, NCCS };

enum { TCSANOW, TCSADRAIN, TCSAFLUSH };

enum { B9600 = 9600 };

struct termios {
    tcflag_t c_iflag;
    tcflag_t c_oflag;
    tcflag_t c_cflag;
    tcflag_t c_lflag;
    cc_t c_cc[NCCS];
};

int tcgetattr(int descriptor, struct termios *mode);

/* `when` makes no difference: output is not held back, and what was typed is not thrown away. */
int tcsetattr(int descriptor, int when, const struct termios *mode);
void cfmakeraw(struct termios *mode);

#endif
