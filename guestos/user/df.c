/* SPDX-License-Identifier: MIT */
/* df: how full the disk is, in KiB. */
#include <stdio.h>
#include <sys/statvfs.h>

#include "program.h"

int main(void)
{
    struct statvfs disk;
    unsigned long kib, used;

    if (statvfs("/", &disk) != 0)
        return program_complain("df", "/");
    kib = disk.f_frsize / 1024;
    used = disk.f_blocks - disk.f_bfree;
    printf("%10s %10s %10s %5s  %10s %10s\n", "KiB", "used", "free", "used", "files", "free");
    printf("%10lu %10lu %10lu %4lu%%  %10lu %10lu%s\n", disk.f_blocks * kib, used * kib,
           disk.f_bfree * kib, disk.f_blocks ? (used * 100 + disk.f_blocks - 1) / disk.f_blocks : 0,
           (unsigned long)disk.f_files, (unsigned long)disk.f_ffree,
           disk.f_flag & ST_RDONLY ? "  read-only" : "");
    return 0;
}
