/* SPDX-License-Identifier: MIT */
/*
 * Error numbers of Frank's system calls, returned negated in a0. Kernel side only: the values are
 * those of newlib's <errno.h>, which user programs include instead.
 */
#ifndef FRANK_ERRNO_H
#define FRANK_ERRNO_H

enum errno_value {
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    E2BIG = 7,
    ENOEXEC = 8,
    EBADF = 9,
    ECHILD = 10,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    EEXIST = 17,
    EXDEV = 18,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    ENFILE = 23,
    EMFILE = 24,
    ENOTTY = 25,
    ETXTBSY = 26,
    EFBIG = 27,
    ENOSPC = 28,
    ESPIPE = 29,
    EROFS = 30,
    EMLINK = 31,
    EPIPE = 32,
    EDOM = 33,
    ERANGE = 34,
    EDEADLK = 45,
    ENOSYS = 88,
    ENOTEMPTY = 90,
    ENAMETOOLONG = 91,
    ELOOP = 92,
    ETIMEDOUT = 116,
    ENOTSUP = 134,
    EOVERFLOW = 139,
};

#endif
