/* SPDX-License-Identifier: MIT */
/* The terminal: termios over the modes of frank/tty.h, and who is in its foreground. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
    MODE_TENTHS_MASK = 0xff,
    CHARACTER_INTERRUPT = 3,
    CHARACTER_END = 4,
    CHARACTER_KILL_LINE = 21,
    CHARACTER_SUSPEND = 26,
    CHARACTER_QUIT = 28,
    CHARACTER_DELETE = 127,
};

static const struct {
    tcflag_t flag;
    int mode;
} local_flags[] = {
    {ICANON, FRANK_TTY_CANONICAL},
    {ECHO, FRANK_TTY_ECHO},
    {ISIG, FRANK_TTY_SIGNALS},
    {TOSTOP, FRANK_TTY_STOP_WRITERS},
};

int tcgetattr(int descriptor, struct termios *mode)
{
    static const struct termios fixed = {
        .c_oflag = OPOST,
        .c_cflag = CS8,
        .c_lflag = ECHOE | IEXTEN,
        .c_cc = {CHARACTER_INTERRUPT, CHARACTER_QUIT, CHARACTER_DELETE, CHARACTER_KILL_LINE,
                 CHARACTER_END, 0, 1, CHARACTER_SUSPEND},
    };
    int bits = ioctl(descriptor, FRANK_TTY_GET_MODE, 0L);

    if (bits < 0)
        return -1;
    *mode = fixed;
    for (size_t i = 0; i < sizeof(local_flags) / sizeof(local_flags[0]); i++) {
        if (bits & local_flags[i].mode)
            mode->c_lflag |= local_flags[i].flag;
    }
    if (bits & FRANK_TTY_CANONICAL)
        mode->c_iflag = ICRNL;
    mode->c_cc[VMIN] = (bits & FRANK_TTY_NO_WAIT) == 0;
    mode->c_cc[VTIME] = (cc_t)(bits >> FRANK_TTY_TENTHS_SHIFT & MODE_TENTHS_MASK);
    return 0;
}

int tcsetattr(int descriptor, int when, const struct termios *mode)
{
    long bits = (long)mode->c_cc[VTIME] << FRANK_TTY_TENTHS_SHIFT;

    if (when < TCSANOW || when > TCSAFLUSH) {
        errno = EINVAL;
        return -1;
    }
    if (mode->c_cc[VMIN] == 0)
        bits |= FRANK_TTY_NO_WAIT;
    for (size_t i = 0; i < sizeof(local_flags) / sizeof(local_flags[0]); i++) {
        if (mode->c_lflag & local_flags[i].flag)
            bits |= local_flags[i].mode;
    }
    return ioctl(descriptor, FRANK_TTY_SET_MODE, bits);
}

void cfmakeraw(struct termios *mode)
{
    mode->c_iflag = 0;
    mode->c_oflag &= ~(tcflag_t)OPOST;
    mode->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode->c_cc[VMIN] = 1;
    mode->c_cc[VTIME] = 0;
}

pid_t tcgetpgrp(int descriptor)
{
    return ioctl(descriptor, FRANK_TTY_GET_FOREGROUND, 0L);
}

int tcsetpgrp(int descriptor, pid_t group)
{
    if (group <= 0) {
        errno = EINVAL;
        return -1;
    }
    return ioctl(descriptor, FRANK_TTY_SET_FOREGROUND, (long)group);
}
