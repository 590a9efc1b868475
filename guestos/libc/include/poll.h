/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors (POSIX). */
#ifndef FRANK_LIBC_POLL_H
#define FRANK_LIBC_POLL_H

#include "frank/poll.h"

#define POLLIN FRANK_POLL_IN
#define POLLRDNORM FRANK_POLL_IN
#define POLLOUT FRANK_POLL_OUT
#define POLLWRNORM FRANK_POLL_OUT
#define POLLERR FRANK_POLL_ERROR
#define POLLHUP FRANK_POLL_HANGUP
#define POLLNVAL FRANK_POLL_INVALID

typedef unsigned long nfds_t;

/* As the kernel has it: struct frank_pollfd. */
struct pollfd {
    int fd;
    short events;
    short revents;
};

int poll(struct pollfd *fds, nfds_t count, int milliseconds);

#endif
