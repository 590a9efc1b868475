/* SPDX-License-Identifier: MIT */
/*
 * The system calls: X(number, name, argument count). Number in a7, arguments in a0 to a5, result
 * in a0, negative when it is an error number. Every other register is kept. For both sides; C and
 * assembly may include it.
 *
 * A program starts with argc in a0, argv in a1, envp in a2, and sp (aligned to 16) at a word that
 * holds argc; behind it lie the two arrays, each ended by a zero word. All other registers are
 * zero.
 */
#pragma once

#define FRANK_SYSCALLS(X)   \
    X(0, exit, 1)           \
    X(1, fork, 0)           \
    X(2, execve, 3)         \
    X(3, waitpid, 3)        \
    X(4, getpid, 0)         \
    X(5, getppid, 0)        \
    X(6, kill, 2)           \
    X(7, nanosleep, 1)      \
    X(8, sched_yield, 0)    \
    X(9, brk, 1)            \
    X(10, mprotect, 3)      \
    X(11, sigaction, 3)     \
    X(12, sigreturn, 0)     \
    X(13, clock, 1)         \
    X(14, procinfo, 2)      \
    X(15, reboot, 1)        \
    X(16, times, 2)         \
    X(17, meminfo, 2)       \
    X(18, open, 3)          \
    X(19, close, 1)         \
    X(20, read, 3)          \
    X(21, write, 3)         \
    X(22, lseek, 3)         \
    X(23, fstat, 2)         \
    X(24, stat, 2)          \
    X(25, fcntl, 3)         \
    X(26, dup2, 2)          \
    X(27, pipe, 1)          \
    X(28, unlink, 1)        \
    X(29, mkdir, 2)         \
    X(30, rmdir, 1)         \
    X(31, getdents, 3)      \
    X(32, chdir, 1)         \
    X(33, statvfs, 1)       \
    X(34, link, 2)          \
    X(35, ftruncate, 2)     \
    X(36, ioctl, 3)         \
    X(37, setpgid, 2)       \
    X(38, counters, 1)      \
    X(39, rename, 2)        \
    X(40, fsync, 1)         \
    X(41, sync, 0)          \
    X(42, sigmask, 3)       \
    X(43, itimer, 2)        \
    X(44, pgroup, 2)        \
    X(45, usage, 2)         \
    X(46, sigaltstack, 2)   \
    X(47, thread_create, 4) \
    X(48, thread_exit, 1)   \
    X(49, thread_kill, 2)   \
    X(50, mmap, 6)          \
    X(51, munmap, 2)        \
    X(52, msync, 3)         \
    X(53, futex, 4)         \
    X(54, poll, 3)          \
    X(60, umask, 1)         \
    X(61, pread, 4)         \
    X(62, pwrite, 4)        \
    X(63, utimens, 2)       \
    X(64, klog, 2)

#ifndef __ASSEMBLER__
#define FRANK_SYSCALL_NUMBER(number, name, arguments) FRANK_SYS_##name = (number),
enum frank_syscall {
    FRANK_SYSCALLS(FRANK_SYSCALL_NUMBER) FRANK_SYS_COUNT,
};
#undef FRANK_SYSCALL_NUMBER
#endif
