/* SPDX-License-Identifier: MIT */
/*
 * stale: whether a page that was taken away is gone. It writes to a page, takes every right to it
 * away, and reads it all the same, which must be a fault. On a processor whose translations outlive
 * the kernel's fence it is not. It needs no other process: as the first one (init=/bin/stale) it
 * opens the console and powers off in the end.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frank_system.h"

enum { PAGE_BYTES = 4096, MARK = 42 };

static volatile int *page;
static volatile sig_atomic_t faults;

/* The read is tried again when this returns. */
static void allow_again(int signal)
{
    faults += signal == SIGSEGV;
    (void)mprotect((void *)page, PAGE_BYTES, PROT_READ | PROT_WRITE);
}

/* The next whole page of the heap. */
static volatile int *take_page(void)
{
    uintptr_t end = (uintptr_t)sbrk(0);
    uintptr_t start = (end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

    if (sbrk((ptrdiff_t)(start - end) + PAGE_BYTES) == (void *)-1)
        return NULL;
    return (volatile int *)start;
}

static int look(void)
{
    struct sigaction action = {.sa_handler = allow_again};
    int seen;

    page = take_page();
    if (page == NULL || sigaction(SIGSEGV, &action, NULL) != 0)
        return EXIT_FAILURE;
    *page = MARK;
    if (mprotect((void *)page, PAGE_BYTES, PROT_NONE) != 0)
        return EXIT_FAILURE;
    seen = *page;
    if (faults == 0)
        printf("stale: the page was taken away, and still reads %d\n", seen);
    else
        printf("stale: the page is gone: reading it was a fault\n");
    return faults == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void)
{
    bool first = getpid() == 1;
    int status;

    while (first && (unsigned)open("/dev/console", O_RDWR) < STDERR_FILENO)
        ;
    status = look();
    fflush(stdout);
    return first ? frank_reboot(FRANK_REBOOT_POWEROFF) : status;
}
