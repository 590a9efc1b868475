/* SPDX-License-Identifier: MIT */
/* Requests to a terminal, by the ioctl call; any other file answers ENOTTY. For both sides. */
#pragma once

enum frank_tty_request {
    FRANK_TTY_GET_MODE = 1,       /* returns the mode; the argument is not used */
    FRANK_TTY_SET_MODE = 2,       /* the argument is the mode: bits of frank_tty_mode */
    FRANK_TTY_SET_FOREGROUND = 3, /* the argument is a process group, or 0 for none */
    FRANK_TTY_GET_FOREGROUND = 4, /* returns the foreground's process group, or 0 */
    FRANK_TTY_ATTACH = 5,         /* becomes the controlling terminal of the caller's session, with
                                     no foreground so far; the caller leads the session */
};

enum frank_tty_mode {
    FRANK_TTY_CANONICAL = 1, /* a read gets whole lines, which can be edited while they are typed */
    FRANK_TTY_ECHO = 2,      /* what is typed is shown */
    FRANK_TTY_SIGNALS = 4,   /* ^C, ^Z, ^\\ go to the foreground instead of being read */
    FRANK_TTY_COOKED = 7,    /* all of them: the mode at the start */
    FRANK_TTY_STOP_WRITERS = 8, /* writes from the background give SIGTTOU */
    FRANK_TTY_NO_WAIT = 16,     /* not canonical: a read that finds nothing returns 0 ... */
    FRANK_TTY_TENTHS_SHIFT = 8, /* ... after so many tenths of a second: bits 15:8 */
    FRANK_TTY_MODE_MASK = 0xff1f,
};
