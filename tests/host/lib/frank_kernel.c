/* SPDX-License-Identifier: MIT */
/* What Frank's kernel gives its file systems, for one thread that never waits: memory that can run
   out and is counted, locks that nobody else holds, a clock that moves when it is read. */
#include "frank_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/cpu.h"
#include "kernel/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/timer.h"
#include "kernel/uaccess.h"
#include "kernel/wait.h"
#include "string.h"

#include "frank/errno.h"

static struct process process;
struct file_table *const frank_files = &process.files;
static struct thread thread = {.process = &process};
static struct cpu cpu = {.current = &thread};
struct cpu *host_cpu = &cpu;

long frank_allocations_left = -1;
long frank_pages_in_use;
long frank_pieces_in_use;
u64 frank_free_pages = 100000;

static u32 *page_references(pa_t page)
{
    return (u32 *)((u8 *)pa_to_kva(page) - PAGE_SIZE);
}

static bool allocation_fails(void)
{
    return frank_allocations_left >= 0 && frank_allocations_left-- == 0;
}

/* A page is preceded by one that holds its count of references. */
pa_t page_alloc(void)
{
    u8 *pair = allocation_fails() ? NULL : aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE);

    if (!pair)
        return 0;
    frank_pages_in_use++;
    *(u32 *)pair = 1;
    return kva_to_pa(pair + PAGE_SIZE);
}

pa_t page_alloc_zeroed(void)
{
    pa_t page = page_alloc();

    if (page)
        memset(pa_to_kva(page), 0, PAGE_SIZE);
    return page;
}

void page_get(pa_t page)
{
    ++*page_references(page);
}

void page_put(pa_t page)
{
    u32 *refs = page_references(page);

    assert_true(*refs > 0);
    if (--*refs == 0) {
        frank_pages_in_use--;
        free(refs);
    }
}

bool page_is_exclusive(pa_t page)
{
    return *page_references(page) == 1;
}

void page_unreserve(pa_t first, u64 count)
{
    assert_true(first != 0 && count <= 1); /* a single page has its count */
}

u64 page_free_count(void)
{
    return frank_free_pages;
}

void *kmalloc(size_t bytes)
{
    void *piece = allocation_fails() ? NULL : malloc(bytes);

    if (piece)
        frank_pieces_in_use++;
    return piece;
}

void *kzalloc(size_t bytes)
{
    void *piece = kmalloc(bytes);

    if (piece)
        memset(piece, 0, bytes);
    return piece;
}

void kfree(void *piece)
{
    if (piece)
        frank_pieces_in_use--;
    free(piece);
}

void spin_init(struct spinlock *lock, const char *name, enum lock_level level)
{
    *lock = (struct spinlock){.level = level, .name = name};
}

void spin_acquire(struct spinlock *lock)
{
    assert_int_equal(lock->held, 0);
    lock->held = 1;
}

void spin_release(struct spinlock *lock)
{
    assert_int_equal(lock->held, 1);
    lock->held = 0;
}

void mutex_init(struct mutex *mutex, const char *name)
{
    (void)name;
    mutex->state = MUTEX_FREE;
}

void mutex_lock(struct mutex *mutex)
{
    assert_int_equal(mutex->state, MUTEX_FREE);
    mutex->state = MUTEX_HELD;
}

void mutex_unlock(struct mutex *mutex)
{
    assert_int_equal(mutex->state, MUTEX_HELD);
    mutex->state = MUTEX_FREE;
}

/* There are no users: address 0 stands for a wild one, others are the host's. */
int copy_from_user(void *to, uva_t from, size_t bytes)
{
    if (from == 0)
        return -EFAULT;
    memcpy(to, (const void *)from, bytes);
    return 0;
}

int copy_to_user(uva_t to, const void *from, size_t bytes)
{
    if (to == 0)
        return -EFAULT;
    memcpy((void *)to, from, bytes);
    return 0;
}

int zero_user(uva_t to, size_t bytes)
{
    if (to == 0)
        return -EFAULT;
    memset((void *)to, 0, bytes);
    return 0;
}

u64 timer_wall_ns(void)
{
    static u64 now;

    return ++now;
}

void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->sleepers);
}

void wake_all(struct wait_queue *queue)
{
    assert_true(list_empty(&queue->sleepers));
}

void wait_on_uninterruptible(struct wait_queue *queue, struct spinlock *held)
{
    (void)queue, (void)held;
    fail_msg("nobody is there who could end this wait");
}

unsigned frank_lines_printed;

void printk(const char *format, ...)
{
    (void)format;
    frank_lines_printed++;
}
