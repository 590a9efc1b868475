/* SPDX-License-Identifier: MIT */
/*
 * File types and permissions in a mode word. Kernel side only: the values are those of newlib's
 * <sys/stat.h>.
 */
#pragma once

enum mode_bits {
    S_IFMT = 0170000,
    S_IFDIR = 0040000,
    S_IFCHR = 0020000,
    S_IFBLK = 0060000,
    S_IFREG = 0100000,
    S_IFLNK = 0120000,
    S_IFIFO = 0010000,
};
