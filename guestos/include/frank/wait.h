/* SPDX-License-Identifier: MIT */
/*
 * Flags of waitpid and the shape of a status word. Kernel side only: as newlib's <sys/wait.h>
 * reads them, that is exit code in bits 15:8 with bits 7:0 zero; the number of the ending signal in
 * bits 6:0; or 0x7f in bits 7:0 and the signal that stopped the child in bits 15:8.
 */
#pragma once

enum wait_flag {
    WNOHANG = 1,
    WUNTRACED = 2,
    WCONTINUED = 4,
};

enum wait_status {
    WAIT_STATUS_CONTINUED = 0xffff,
    WAIT_STATUS_SIGNAL = 0x7f,
    WAIT_STATUS_CODE_SHIFT = 8,
};

static inline int wait_status_stopped(int signal)
{
    return signal << 8 | 0x7f;
}

static inline int wait_status_exited(int code)
{
    return (code & 0xff) << 8;
}

static inline int wait_status_signalled(int signal)
{
    return signal & 0x7f;
}
