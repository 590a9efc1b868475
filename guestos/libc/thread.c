/* SPDX-License-Identifier: MIT */
/*
 * Threads: making them, ending them, what belongs to each.
 *
 * A new thread's memory is one mapping: pages without rights below, which its stack cannot run
 * through, the stack, newlib's variables, the block, TLS. It goes back when the thread has ended
 * and nobody will ask for it: by who joins it, or by the thread itself if it is detached.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "futex.h"
#include "thread_block.h"

enum thread_fate {
    FATE_JOINABLE = 0,
    FATE_DETACHED = 1,
    FATE_ENDED = 2, /* and not detached before */
};

enum {
    PAGE_BYTES = 4096,
    STACK_BYTES = 256 << 10,
    TLS_ALIGN = 64,
    STACK_ALIGN = 16,
};

/* user.lds and start.c: the initial values, and how much a thread needs. */
extern const char __tls_image_start[];
extern const char __tls_image_end[];
extern const char __tls_bytes[];

static void (*destructors[PTHREAD_KEYS_MAX])(void *);
static bool keys_in_use[PTHREAD_KEYS_MAX];
static pthread_mutex_t keys_mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- attributes --------------------------------------------------------------------------------
 */

int pthread_attr_init(pthread_attr_t *attributes)
{
    *attributes = (pthread_attr_t){STACK_BYTES, PAGE_BYTES, PTHREAD_CREATE_JOINABLE};
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t bytes)
{
    if (bytes < PTHREAD_STACK_MIN)
        return EINVAL;
    attributes->stack_bytes = bytes;
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *attributes, size_t *bytes)
{
    *bytes = attributes->stack_bytes;
    return 0;
}

int pthread_attr_setguardsize(pthread_attr_t *attributes, size_t bytes)
{
    attributes->guard_bytes = bytes;
    return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *attributes, size_t *bytes)
{
    *bytes = attributes->guard_bytes;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attributes, int state)
{
    if (state != PTHREAD_CREATE_DETACHED && state != PTHREAD_CREATE_JOINABLE)
        return EINVAL;
    attributes->detach_state = state;
    return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attributes, int *state)
{
    *state = attributes->detach_state;
    return 0;
}

/* ---- making and ending -------------------------------------------------------------------------
 */

static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* Memory for a thread with its block filled in, or NULL. */
static struct thread_block *create_block(const pthread_attr_t *attributes)
{
    size_t guard = whole_pages(attributes->guard_bytes), tls_bytes = (size_t)__tls_bytes;
    size_t top_bytes = sizeof(struct _reent) + sizeof(struct thread_block) + tls_bytes + TLS_ALIGN;
    size_t bytes = guard + whole_pages(attributes->stack_bytes + top_bytes);
    struct thread_block *block;
    char *memory, *tls;

    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (guard > 0 && mprotect(memory, guard, PROT_NONE) != 0) {
        munmap(memory, bytes);
        return NULL;
    }
    tls = (char *)((uintptr_t)(memory + bytes - tls_bytes) / TLS_ALIGN * TLS_ALIGN);
    memcpy(tls, __tls_image_start, (size_t)(__tls_image_end - __tls_image_start));
    block = (struct thread_block *)tls - 1;
    block->memory = memory;
    block->memory_bytes = bytes;
    block->alive = 1;
    block->fate = attributes->detach_state == PTHREAD_CREATE_DETACHED ? FATE_DETACHED
                                                                      : FATE_JOINABLE;
    block->reent = (struct _reent *)block - 1;
    _REENT_INIT_PTR(block->reent);
    return block;
}

/* Where the kernel lets a thread begin. It may be gone before its maker goes on: so it stores its
   number itself. */
static void begin(struct thread_block *block, unsigned number)
{
    block->number = number;
    pthread_exit(block->start(block->argument));
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    pthread_attr_t defaults;
    struct thread_block *block;
    long number;

    pthread_attr_init(&defaults);
    block = create_block(attributes ? attributes : &defaults);
    if (!block)
        return EAGAIN;
    block->start = start;
    block->argument = argument;
    *thread = block;
    thread_others = 1;
    number = system_call_6(FRANK_SYS_thread_create, (long)begin,
                           (long)((uintptr_t)block->reent / STACK_ALIGN * STACK_ALIGN),
                           (long)(block + 1), (long)block, 0, 0);
    if (system_call_failed(number)) {
        munmap(block->memory, block->memory_bytes);
        return (int)-number;
    }
    return 0;
}

/* Unmap the stack that this runs on, and end: nothing may touch it in between. */
__attribute__((noreturn)) static void unmap_and_end(char *memory, unsigned long bytes)
{
    register char *a0 __asm__("a0") = memory;
    register unsigned long a1 __asm__("a1") = bytes;

    __asm__ volatile("li a7, %2\n\tecall\n\t"
                     "li a0, 0\n\tli a7, %3\n\tecall"
                     : "+r"(a0)
                     : "r"(a1), "i"(FRANK_SYS_munmap), "i"(FRANK_SYS_thread_exit)
                     : "a7", "memory");
    __builtin_unreachable();
}

static void end_detached(struct thread_block *self)
{
    sigset_t all;

    sigfillset(&all); /* a handler would need the stack */
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    unmap_and_end(self->memory, self->memory_bytes);
}

/* A destructor may set values anew: they get some more rounds. */
static void destroy_values(struct thread_block *self)
{
    bool found = self->values != NULL;

    for (int round = 0; found && round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        found = false;
        for (unsigned key = 0; key < PTHREAD_KEYS_MAX; key++) {
            void *value = (void *)self->values[key];

            self->values[key] = NULL;
            if (value && destructors[key]) {
                destructors[key](value);
                found = true;
            }
        }
    }
    free(self->values);
    self->values = NULL;
}

void pthread_exit(void *result)
{
    struct thread_block *self = thread_block();
    unsigned joinable = FATE_JOINABLE;

    while (self->cleanup)
        _pthread_cleanup_pop(self->cleanup, 1);
    destroy_values(self);
    self->result = result;
    if (self->memory)
        _reclaim_reent(self->reent);
    if (!__atomic_compare_exchange_n(&self->fate, &joinable, FATE_ENDED, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) &&
        self->memory)
        end_detached(self);
    for (;;) /* the kernel says so to who joins it */
        (void)system_call(FRANK_SYS_thread_exit, (long)&self->alive, 0, 0);
}

static void wait_for_end(struct thread_block *thread)
{
    while (__atomic_load_n(&thread->alive, __ATOMIC_ACQUIRE) != 0)
        (void)futex_wait(&thread->alive, 1, FRANK_FUTEX_FOREVER);
}

/* Give a thread's memory back when it has ended; the main thread's stays. */
static void bury(struct thread_block *thread)
{
    wait_for_end(thread);
    if (thread->memory)
        munmap(thread->memory, thread->memory_bytes);
}

int pthread_join(pthread_t thread, void **result)
{
    if (thread == pthread_self())
        return EDEADLK;
    if (__atomic_load_n(&thread->fate, __ATOMIC_ACQUIRE) == FATE_DETACHED)
        return EINVAL;
    wait_for_end(thread);
    if (result)
        *result = thread->result;
    bury(thread);
    return 0;
}

int pthread_detach(pthread_t thread)
{
    unsigned fate = FATE_JOINABLE;

    if (__atomic_compare_exchange_n(&thread->fate, &fate, FATE_DETACHED, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return 0;
    if (fate == FATE_DETACHED)
        return EINVAL;
    bury(thread);
    return 0;
}

pthread_t pthread_self(void)
{
    return thread_block();
}

int pthread_equal(pthread_t one, pthread_t other)
{
    return one == other;
}

/* A thread that has not begun yet does not know its number. */
int pthread_kill(pthread_t thread, int signal)
{
    unsigned number;

    while ((number = __atomic_load_n(&thread->number, __ATOMIC_RELAXED)) == 0)
        sched_yield();
    return (int)-system_call(FRANK_SYS_thread_kill, number, signal, 0);
}

/* ---- what each has of its own ------------------------------------------------------------------
 */

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int error = EAGAIN;

    pthread_mutex_lock(&keys_mutex);
    for (unsigned i = 0; error != 0 && i < PTHREAD_KEYS_MAX; i++) {
        if (keys_in_use[i])
            continue;
        keys_in_use[i] = true;
        destructors[i] = destructor;
        *key = i;
        error = 0;
    }
    pthread_mutex_unlock(&keys_mutex);
    return error;
}

/* Values that threads have for it stay, and are no longer destroyed. */
int pthread_key_delete(pthread_key_t key)
{
    if (key >= PTHREAD_KEYS_MAX || !keys_in_use[key])
        return EINVAL;
    destructors[key] = NULL;
    keys_in_use[key] = false;
    return 0;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    struct thread_block *self = thread_block();

    if (key >= PTHREAD_KEYS_MAX || !keys_in_use[key])
        return EINVAL;
    if (!self->values)
        self->values = calloc(PTHREAD_KEYS_MAX, sizeof(*self->values));
    if (!self->values)
        return ENOMEM;
    self->values[key] = value;
    return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
    const struct thread_block *self = thread_block();

    return key < PTHREAD_KEYS_MAX && self->values ? (void *)self->values[key] : NULL;
}

void _pthread_cleanup_push(struct _pthread_cleanup_context *context, void (*routine)(void *),
                           void *argument)
{
    struct thread_block *self = thread_block();

    context->_routine = routine;
    context->_arg = argument;
    context->_previous = self->cleanup;
    self->cleanup = context;
}

void _pthread_cleanup_pop(struct _pthread_cleanup_context *context, int runs)
{
    thread_block()->cleanup = context->_previous;
    if (runs)
        context->_routine(context->_arg);
}
