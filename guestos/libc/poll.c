/* SPDX-License-Identifier: MIT */
/* poll, and select as a poll of what is in its sets. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/time.h>

#include "system_call.h"

enum {
    NS_PER_US = 1000,
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000000000,
};

_Static_assert(sizeof(struct pollfd) == sizeof(struct frank_pollfd), "the kernel's structure");

static int poll_for(struct pollfd *fds, nfds_t count, uint64_t nanoseconds)
{
    return (int)system_call_result(
        _REENT, system_call(FRANK_SYS_poll, (long)fds, (long)count, (long)nanoseconds));
}

int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
    return poll_for(fds, count, milliseconds < 0 ? UINT64_MAX : (uint64_t)milliseconds * NS_PER_MS);
}

static short events_of(int descriptor, const fd_set *read_set, const fd_set *write_set)
{
    return (short)((read_set && FD_ISSET(descriptor, read_set) ? POLLIN : 0) |
                   (write_set && FD_ISSET(descriptor, write_set) ? POLLOUT : 0));
}

/* A set, or none, gets what of it is ready: how many. */
static int report(fd_set *set, const struct pollfd *fds, int count, int asked, int ready)
{
    int found = 0;

    if (!set)
        return 0;
    FD_ZERO(set);
    for (int i = 0; i < count; i++) {
        if ((fds[i].events & asked) && (fds[i].revents & ready)) {
            FD_SET(fds[i].fd, set);
            found++;
        }
    }
    return found;
}

static int select_for(int limit, fd_set *read_set, fd_set *write_set, fd_set *except_set,
                      uint64_t nanoseconds)
{
    struct pollfd fds[FD_SETSIZE];
    int count = 0;

    if (limit < 0 || limit > FD_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    for (int i = 0; i < limit; i++) {
        short events = events_of(i, read_set, write_set);

        if (events)
            fds[count++] = (struct pollfd){i, events, 0};
    }
    if (poll_for(fds, (nfds_t)count, nanoseconds) < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        if (fds[i].revents & POLLNVAL) {
            errno = EBADF;
            return -1;
        }
    }
    if (except_set)
        FD_ZERO(except_set);
    return report(read_set, fds, count, POLLIN, POLLIN | POLLHUP | POLLERR) +
           report(write_set, fds, count, POLLOUT, POLLOUT | POLLERR);
}

int select(int limit, fd_set *read_set, fd_set *write_set, fd_set *except_set,
           struct timeval *timeout)
{
    uint64_t nanoseconds = UINT64_MAX;

    if (timeout) {
        if (timeout->tv_sec < 0 || timeout->tv_usec < 0) {
            errno = EINVAL;
            return -1;
        }
        nanoseconds = (uint64_t)timeout->tv_sec * NS_PER_SECOND +
                      (uint64_t)timeout->tv_usec * NS_PER_US;
    }
    return select_for(limit, read_set, write_set, except_set, nanoseconds);
}
