/* SPDX-License-Identifier: MIT */
/* System calls on files: newlib's reentrant hooks (_NAME_r), and POSIX functions beside them. */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frank/stat.h"
#include "frank/tty.h"
#include "system_call.h"

enum { NS_PER_SECOND = 1000000000, SCREEN_ROWS = 24, SCREEN_COLUMNS = 80 };
enum { DEVICE_OF_DISK = 1, DEVICE_OF_OTHERS = 2 };

_ssize_t _read_r(struct _reent *reent, int descriptor, void *buffer, size_t size)
{
    return system_call_result(reent,
                              system_call(FRANK_SYS_read, descriptor, (long)buffer, (long)size));
}

_ssize_t _write_r(struct _reent *reent, int descriptor, const void *buffer, size_t size)
{
    return system_call_result(reent,
                              system_call(FRANK_SYS_write, descriptor, (long)buffer, (long)size));
}

ssize_t pread(int descriptor, void *buffer, size_t size, off_t offset)
{
    long result = system_call_6(FRANK_SYS_pread, descriptor, (long)buffer, (long)size, offset, 0,
                                0);

    return system_call_result(_REENT, result);
}

ssize_t pwrite(int descriptor, const void *buffer, size_t size, off_t offset)
{
    long result = system_call_6(FRANK_SYS_pwrite, descriptor, (long)buffer, (long)size, offset, 0,
                                0);

    return system_call_result(_REENT, result);
}

int _open_r(struct _reent *reent, const char *path, int flags, int mode)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_open, (long)path, flags, mode));
}

int _close_r(struct _reent *reent, int descriptor)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_close, descriptor, 0, 0));
}

_off_t _lseek_r(struct _reent *reent, int descriptor, _off_t offset, int whence)
{
    return system_call_result(reent, system_call(FRANK_SYS_lseek, descriptor, offset, whence));
}

int fsync(int descriptor)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_fsync, descriptor, 0, 0));
}

void sync(void)
{
    (void)system_call(FRANK_SYS_sync, 0, 0, 0);
}

int _unlink_r(struct _reent *reent, const char *path)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_unlink, (long)path, 0, 0));
}

int _link_r(struct _reent *reent, const char *old_path, const char *new_path)
{
    return (int)system_call_result(reent,
                                   system_call(FRANK_SYS_link, (long)old_path, (long)new_path, 0));
}

int _isatty_r(struct _reent *reent, int descriptor)
{
    long mode = system_call(FRANK_SYS_ioctl, descriptor, FRANK_TTY_GET_MODE, 0);

    if (!system_call_failed(mode))
        return 1;
    (void)system_call_result(reent, mode);
    return 0;
}

int _isatty(int descriptor);

int _isatty(int descriptor)
{
    return _isatty_r(_REENT, descriptor);
}

static void convert_stat(struct stat *to, const struct frank_stat *from)
{
    memset(to, 0, sizeof(*to));
    /* Files of the disk have numbers of their own, and so has all that is not on it. */
    to->st_dev = (from->mode & S_IFMT) == S_IFREG || (from->mode & S_IFMT) == S_IFDIR
                     ? DEVICE_OF_DISK
                     : DEVICE_OF_OTHERS;
    to->st_rdev = (dev_t)from->device;
    to->st_ino = (ino_t)from->inode;
    to->st_mode = from->mode;
    to->st_nlink = (nlink_t)from->links;
    to->st_size = (off_t)from->size_bytes;
    to->st_blocks = (blkcnt_t)from->blocks;
    to->st_blksize = getpagesize();
    to->st_mtim.tv_sec = from->modified_ns / NS_PER_SECOND;
    to->st_mtim.tv_nsec = from->modified_ns % NS_PER_SECOND;
    to->st_ctim = to->st_mtim;
    to->st_atim = to->st_mtim;
}

static int stat_result(struct _reent *reent, long result, struct stat *to,
                       const struct frank_stat *from)
{
    if (system_call_result(reent, result) < 0)
        return -1;
    convert_stat(to, from);
    return 0;
}

int _fstat_r(struct _reent *reent, int descriptor, struct stat *stat)
{
    struct frank_stat result;

    return stat_result(reent, system_call(FRANK_SYS_fstat, descriptor, (long)&result, 0), stat,
                       &result);
}

int _stat_r(struct _reent *reent, const char *path, struct stat *stat)
{
    struct frank_stat result;

    return stat_result(reent, system_call(FRANK_SYS_stat, (long)path, (long)&result, 0), stat,
                       &result);
}

int stat(const char *restrict path, struct stat *restrict result)
{
    return _stat_r(_REENT, path, result);
}

int lstat(const char *restrict path, struct stat *restrict result)
{
    return _stat_r(_REENT, path, result);
}

int _rename_r(struct _reent *reent, const char *old_path, const char *new_path)
{
    return (int)system_call_result(
        reent, system_call(FRANK_SYS_rename, (long)old_path, (long)new_path, 0));
}

int fcntl(int descriptor, int request, ...)
{
    va_list arguments;
    long argument;

    va_start(arguments, request);
    argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)system_call_result(_REENT,
                                   system_call(FRANK_SYS_fcntl, descriptor, request, argument));
}

int _fcntl_r(struct _reent *reent, int descriptor, int request, int argument)
{
    (void)reent; /* it is the caller's own */
    return fcntl(descriptor, request, argument);
}

int dup(int descriptor)
{
    return fcntl(descriptor, F_DUPFD, 0);
}

int dup2(int from, int to)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_dup2, from, to, 0));
}

int pipe(int descriptors[2])
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_pipe, (long)descriptors, 0, 0));
}

int ftruncate(int descriptor, off_t size)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_ftruncate, descriptor, size, 0));
}

int truncate(const char *path, off_t size)
{
    int descriptor = open(path, O_WRONLY);
    int result;
    int error;

    if (descriptor < 0)
        return -1;
    result = ftruncate(descriptor, size);
    error = errno;
    close(descriptor);
    errno = error;
    return result;
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    long argument;

    va_start(arguments, request);
    argument = va_arg(arguments, long);
    va_end(arguments);
    if (request == TIOCGWINSZ) {
        if (!_isatty(descriptor))
            return -1;
        *(struct winsize *)argument = (struct winsize){SCREEN_ROWS, SCREEN_COLUMNS, 0, 0};
        return 0;
    }
    return (int)system_call_result(
        _REENT, system_call(FRANK_SYS_ioctl, descriptor, (long)request, argument));
}

int _mkdir_r(struct _reent *reent, const char *path, int mode)
{
    return (int)system_call_result(reent, system_call(FRANK_SYS_mkdir, (long)path, mode, 0));
}

int mkdir(const char *path, mode_t mode)
{
    return _mkdir_r(_REENT, path, (int)mode);
}

int rmdir(const char *path)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_rmdir, (long)path, 0, 0));
}

int chdir(const char *path)
{
    return (int)system_call_result(_REENT, system_call(FRANK_SYS_chdir, (long)path, 0, 0));
}

mode_t umask(mode_t mask)
{
    return (mode_t)system_call(FRANK_SYS_umask, (long)mask, 0, 0);
}

/* There are no permissions to check: the file is there or it is not. */
int access(const char *path, int mode)
{
    struct stat ignored;

    (void)mode;
    return _stat_r(_REENT, path, &ignored);
}
