/* SPDX-License-Identifier: MIT */
/* poll(fds, count, nanoseconds): wait until a descriptor can be used. For both sides. */
#pragma once

#include <stdint.h>

enum frank_poll_event {
    FRANK_POLL_IN = 0x1,
    FRANK_POLL_OUT = 0x4,
    FRANK_POLL_ERROR = 0x8,    /* reported unasked, as are those below */
    FRANK_POLL_HANGUP = 0x10,  /* nobody will write any more */
    FRANK_POLL_INVALID = 0x20, /* no such descriptor */
};

struct frank_pollfd {
    int32_t descriptor; /* negative: none, never ready */
    int16_t events;
    int16_t results;
};
