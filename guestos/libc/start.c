/* SPDX-License-Identifier: MIT */
/*
 * From the kernel's entry to main(): the main thread's block and TLS variables, the environment,
 * constructors. The linker script (guestos/user/user.lds) names the places.
 */
#include <stdlib.h>
#include <string.h>

#include "thread_block.h"

int main(int argc, char **argv, char **environment);
void libc_start(long *stack) __attribute__((noreturn));

extern char **environ;

/* TLS: initial values in the image, and the main thread's copy behind its thread block. */
extern const char __tls_image_start[];
extern const char __tls_image_end[];
extern char __main_thread_tls[];

typedef void (*constructor_t)(void);
extern constructor_t __init_array_start[];
extern constructor_t __init_array_end[];

unsigned thread_others;

struct _reent *__getreent(void)
{
    return thread_block()->reent;
}

static void set_thread_pointer(char *tls)
{
    __asm__ volatile("mv tp, %0" : : "r"(tls) : "memory");
}

void libc_start(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);

    set_thread_pointer(__main_thread_tls);
    thread_block()->reent = _GLOBAL_REENT;
    thread_block()->number = thread_block()->alive = 1;
    /* The zeros behind them are .bss. */
    memcpy(__main_thread_tls, __tls_image_start, (size_t)(__tls_image_end - __tls_image_start));
    environ = argv + argc + 1;

    for (constructor_t *run = __init_array_start; run < __init_array_end; run++)
        (*run)();
    exit(main(argc, argv, environ));
}
