/* SPDX-License-Identifier: MIT */
/*
 * Flags of open, requests of fcntl and whence of lseek. Kernel side only: the values are those of
 * newlib's <fcntl.h>, <unistd.h>.
 */
#pragma once

enum open_flag {
    O_RDONLY = 0x0,
    O_WRONLY = 0x1,
    O_RDWR = 0x2,
    O_ACCMODE = 0x3,
    O_APPEND = 0x8,
    O_CREAT = 0x200,
    O_TRUNC = 0x400,
    O_EXCL = 0x800,
    O_NONBLOCK = 0x4000,
    O_CLOEXEC = 0x40000,
    O_DIRECTORY = 0x200000,
    O_CHANGEABLE = O_APPEND | O_NONBLOCK, /* by F_SETFL */
};

/* Requests of fcntl, and the one flag of a descriptor. */
enum fcntl_request {
    F_DUPFD = 0,
    F_GETFD = 1,
    F_SETFD = 2,
    F_GETFL = 3,
    F_SETFL = 4,
    F_DUPFD_CLOEXEC = 14,

    FD_CLOEXEC = 1,
};

enum seek_whence {
    SEEK_SET = 0,
    SEEK_CUR = 1,
    SEEK_END = 2,
};
