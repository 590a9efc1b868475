/* SPDX-License-Identifier: MIT */
/* The workloads. A row's setting up and clearing away stand outside of what is counted. */
#include "bench.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 4096,
    EXIT_MARK = 42, /* an exit status that no accident gives */
};

/* ---- null call ---- */

static const char *null_call(struct meter *meter, unsigned units)
{
    pid_t parent = getppid();
    unsigned right = 0;

    meter_start(meter);
    for (unsigned i = 0; i < units; i++)
        right += getppid() == parent;
    meter_stop(meter);
    return right == units ? NULL : "getppid changed its mind";
}

/* ---- memory ---- */

/* `count` whole pages at the end of the heap, never touched. */
static volatile unsigned char *fresh_pages(unsigned count)
{
    uintptr_t end = (uintptr_t)sbrk(0);
    uintptr_t start = (end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

    if (sbrk((ptrdiff_t)(start - end) + (ptrdiff_t)count * PAGE_BYTES) == (void *)-1)
        return NULL;
    return (volatile unsigned char *)start;
}

/* First touch of memory that the kernel itself has perhaps never touched before. */
static const char *page_fault(struct meter *meter, unsigned units)
{
    volatile unsigned char *pages = fresh_pages(units);
    unsigned zeros = 0;

    if (!pages)
        return "no memory";
    meter_start(meter);
    for (unsigned i = 0; i < units; i++)
        pages[(size_t)i * PAGE_BYTES] = 1;
    meter_stop(meter);
    for (unsigned i = 0; i < units; i++)
        zeros += pages[(size_t)i * PAGE_BYTES] == 1 && pages[(size_t)i * PAGE_BYTES + 1] == 0;
    if (sbrk(-(ptrdiff_t)units * PAGE_BYTES) == (void *)-1)
        return "the memory could not be given back";
    return zeros == units ? NULL : "a fresh page was not zero";
}

/* The same with pages that were somebody's before, as they are once a machine is at work. */
static const char *page_fault_again(struct meter *meter, unsigned units)
{
    volatile unsigned char *pages = fresh_pages(units);

    if (!pages)
        return "no memory";
    for (unsigned i = 0; i < units; i++)
        pages[(size_t)i * PAGE_BYTES] = 1;
    if (sbrk(-(ptrdiff_t)units * PAGE_BYTES) == (void *)-1)
        return "the memory could not be given back";
    return page_fault(meter, units);
}

static volatile unsigned char *guarded;   /* the page that the handlers below are about */
static volatile sig_atomic_t faults_seen; /* on that page */
static volatile sig_atomic_t faults_wanted;

static void allow_after_last(int signal)
{
    if (signal == SIGSEGV && ++faults_seen == faults_wanted)
        (void)mprotect((void *)guarded, PAGE_BYTES, PROT_READ | PROT_WRITE);
}

static void allow_at_once(int signal)
{
    faults_seen += signal == SIGSEGV;
    (void)mprotect((void *)guarded, PAGE_BYTES, PROT_READ | PROT_WRITE);
}

/* Makes `guarded` a touched page and catches its faults. */
static bool guard_a_page(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    guarded = fresh_pages(1);
    if (!guarded || sigaction(SIGSEGV, &action, NULL) != 0)
        return false;
    *guarded = 1;
    faults_seen = 0;
    return true;
}

static bool unguard(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    return sigaction(SIGSEGV, &action, NULL) == 0 && sbrk(-PAGE_BYTES) != (void *)-1;
}

/* The store is tried again after each return from the handler, until that gives way. */
static const char *prot_fault(struct meter *meter, unsigned units)
{
    if (!guard_a_page(allow_after_last))
        return "no page to guard";
    faults_wanted = (sig_atomic_t)units;
    if (mprotect((void *)guarded, PAGE_BYTES, PROT_READ) != 0)
        return "mprotect failed";
    meter_start(meter);
    *guarded = 2;
    meter_stop(meter);
    if (faults_seen != (sig_atomic_t)units || *guarded != 2)
        return "the handler did not see each fault";
    return unguard() ? NULL : "the page could not be given back";
}

/* The right to write is taken; the store after it faults to the handler, which gives it back. */
static const char *protect(struct meter *meter, unsigned units)
{
    if (!guard_a_page(allow_at_once))
        return "no page to guard";
    meter_start(meter);
    for (unsigned i = 0; i < units; i++) {
        (void)mprotect((void *)guarded, PAGE_BYTES, PROT_READ);
        *guarded = (unsigned char)i;
    }
    meter_stop(meter);
    if (faults_seen != (sig_atomic_t)units || *guarded != (unsigned char)(units - 1))
        return "the handler did not see each fault";
    return unguard() ? NULL : "the page could not be given back";
}

/* ---- processes ---- */

/* A child that runs `program` if there is one, and ends; true if it ended with `status`. */
static bool child_ends_with(int status, const char *program, const char *const *words)
{
    pid_t child = fork();
    int ended = 0;

    if (child == 0) {
        if (program)
            (void)execve(program, (char *const *)words, (char *const[]){NULL});
        _exit(EXIT_MARK);
    }
    return child > 0 && waitpid(child, &ended, 0) == child && WIFEXITED(ended) &&
           WEXITSTATUS(ended) == status;
}

static const char *make_children(struct meter *meter, unsigned units, int status,
                                 const char *program, const char *const *words)
{
    unsigned right = 0;

    /* The first one brings what it needs into memory. */
    if (!child_ends_with(status, program, words))
        return "a child did not end as it should";
    meter_start(meter);
    for (unsigned i = 0; i < units; i++)
        right += child_ends_with(status, program, words);
    meter_stop(meter);
    return right == units ? NULL : "a child did not end as it should";
}

static const char *fork_proc(struct meter *meter, unsigned units)
{
    return make_children(meter, units, EXIT_MARK, NULL, NULL);
}

static const char *exec_proc(struct meter *meter, unsigned units)
{
    static const char *const words[] = {"false", NULL};

    return make_children(meter, units, 1, "/bin/false", words);
}

static const char *sh_proc(struct meter *meter, unsigned units)
{
    static const char *const words[] = {"sh", "-c", "/bin/false", NULL};

    return make_children(meter, units, 1, "/bin/sh", words);
}

/* ---- switches ---- */

/* Passes a number on, one larger each time, until the pipe ends. */
static void relay(int from, int to)
{
    unsigned token;

    while (read(from, &token, sizeof(token)) == sizeof(token)) {
        token++;
        if (write(to, &token, sizeof(token)) != sizeof(token))
            break;
    }
    _exit(0);
}

/* Two processes in a ring of two pipes: each round trip is two switches. */
static const char *ctx_2p(struct meter *meter, unsigned units)
{
    int there[2], back[2], ended;
    unsigned token = 0;

    if (pipe(there) != 0 || pipe(back) != 0)
        return "no pipes";
    pid_t other = fork();
    if (other == 0) {
        close(there[1]);
        close(back[0]);
        relay(there[0], back[1]);
    }
    if (other < 0)
        return "no process";
    close(there[0]);
    close(back[1]);
    /* The first round brings the pages of both into place. */
    bool good = write(there[1], &token, sizeof(token)) == sizeof(token) &&
                read(back[0], &token, sizeof(token)) == sizeof(token);
    meter_start(meter);
    for (unsigned i = 0; good && i < units; i += 2)
        good = write(there[1], &token, sizeof(token)) == sizeof(token) &&
               read(back[0], &token, sizeof(token)) == sizeof(token);
    meter_stop(meter);
    close(there[1]);
    close(back[0]);
    if (waitpid(other, &ended, 0) != other || !good || token != units / 2 + 1)
        return "the token went astray";
    return NULL;
}

const struct row rows[] = {
    {"null call", "a getppid", 1000, 100000, null_call},
    {"page fault fresh", "first touch of anonymous memory, after the start", 200, 2000, page_fault},
    {"page fault", "the same with memory that was used before", 200, 2000, page_fault_again},
    {"prot fault", "a store to a read-only page, to the handler and back", 200, 5000, prot_fault},
    {"protect", "mprotect of a page, and the fault after it, to a handler that allows it again",
     200, 5000, protect},
    {"ctx 2p/0K", "a switch between two processes on pipes", 200, 10000, ctx_2p},
    {"fork proc", "fork, exit and wait", 20, 500, fork_proc},
    {"exec proc", "the same with an execve of a small program", 20, 300, exec_proc},
    {"sh proc", "the same with sh -c of a small program", 10, 150, sh_proc},
};
const unsigned row_count = sizeof(rows) / sizeof(rows[0]);
