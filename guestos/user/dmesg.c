/* SPDX-License-Identifier: MIT */
/* dmesg: what the kernel has said since it started, with the seconds at which it did; the oldest
   goes when there is much. */
#include <stdio.h>
#include <string.h>

#include "frank_system.h"
#include "program.h"

enum {
    LOG_MAX = 65536,
};

int main(void)
{
    static char log[LOG_MAX];
    int count = frank_kernel_log(log, sizeof(log));
    const char *start = log;

    if (count < 0)
        return program_complain("dmesg", "the kernel's log");
    if (count > 0 && log[0] != '[' && memchr(log, '\n', (size_t)count)) /* half a line */
        start = (const char *)memchr(log, '\n', (size_t)count) + 1;
    (void)fwrite(start, 1, (size_t)(log + count - start), stdout);
    return 0;
}
