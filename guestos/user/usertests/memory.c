/* SPDX-License-Identifier: MIT */
/* Memory: the break, copy on write, the stack, protection, what a program may not touch. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usertests.h"

enum {
    COW_PAGES = 100,
    STACK_LIMIT_BYTES = 64 << 20, /* more than any stack may grow to */
};

/* Whole pages of heap. */
static char *new_pages(size_t count)
{
    uintptr_t start = (uintptr_t)sbrk(0);
    size_t gap = (PAGE_BYTES - start % PAGE_BYTES) % PAGE_BYTES;

    CHECK(sbrk((ptrdiff_t)(gap + count * PAGE_BYTES)) == (void *)start);
    return (char *)start + gap;
}

static void break_moves_up_and_down(void)
{
    char *pages = new_pages(20);
    uint64_t before = free_pages();

    memset(pages, 7, 20 * PAGE_BYTES);
    CHECK(before - free_pages() >= 20);
    CHECK(sbrk(-20 * PAGE_BYTES) == pages + 20 * PAGE_BYTES);
    CHECK(free_pages() + 4 >= before);
    CHECK(sbrk(20 * PAGE_BYTES) == pages);
    for (size_t i = 0; i < 20 * PAGE_BYTES; i++)
        CHECK(pages[i] == 0);
}

static char *beyond_break;

static void touch_beyond_break(void)
{
    *(volatile char *)beyond_break = 1;
}

static void memory_beyond_the_break_is_gone(void)
{
    char *pages = new_pages(2);

    pages[0] = 1;
    CHECK(sbrk(-2 * PAGE_BYTES) == pages + 2 * PAGE_BYTES);
    beyond_break = pages;
    CHECK(is_ended_by(touch_beyond_break, SIGSEGV));
}

static void break_refuses_nonsense(void)
{
    long now = raw_call(FRANK_SYS_brk, 0, 0, 0);

    CHECK(raw_call(FRANK_SYS_brk, now + (1L << 45), 0, 0) == -ENOMEM);
    CHECK(raw_call(FRANK_SYS_brk, -1, 0, 0) == -ENOMEM);
    CHECK(raw_call(FRANK_SYS_brk, 0x40000000, 0, 0) == -ENOMEM);
    (void)raw_call(FRANK_SYS_brk, 0x1000, 0, 0);
    CHECK(raw_call(FRANK_SYS_brk, 0, 0, 0) == now);
}

static void copy_on_write_keeps_apart(void)
{
    char *pages = new_pages(COW_PAGES);
    int turn[2];
    char c;
    pid_t pid;

    memset(pages, 'p', COW_PAGES * PAGE_BYTES);
    CHECK(pipe(turn) == 0);
    pid = fork_checked();
    if (pid == 0) {
        for (int i = 0; i < COW_PAGES; i++) {
            CHECK(pages[i * PAGE_BYTES] == 'p');
            pages[i * PAGE_BYTES] = 'c';
        }
        CHECK(read(turn[0], &c, 1) == 1);
        for (int i = 0; i < COW_PAGES; i++)
            CHECK(pages[i * PAGE_BYTES] == 'c' && pages[i * PAGE_BYTES + 1] == 'p');
        _exit(0);
    }
    for (int i = 0; i < COW_PAGES; i++) {
        CHECK(pages[i * PAGE_BYTES] == 'p');
        pages[i * PAGE_BYTES + 1] = 'q';
    }
    CHECK(write(turn[1], "x", 1) == 1);
    CHECK(exit_status_of(pid) == 0);
    for (int i = 0; i < COW_PAGES; i++)
        CHECK(pages[i * PAGE_BYTES] == 'p' && pages[i * PAGE_BYTES + 1] == 'q');
}

/* The kernel writes into a shared page on the child's behalf: that must break the sharing too. */
static void kernel_writes_break_sharing(void)
{
    char *pages = new_pages(1);
    int ends[2];
    pid_t pid;

    strlcpy(pages, "parent", PAGE_BYTES);
    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], "child!", 6) == 6);
    pid = fork_checked();
    if (pid == 0) {
        CHECK(read(ends[0], pages, 6) == 6);
        _exit(strcmp(pages, "child!") != 0);
    }
    CHECK(exit_status_of(pid) == 0);
    CHECK(strcmp(pages, "parent") == 0);
}

static int initialised = 5;
static const int constant = 6;

static void data_of_the_program_is_private(void)
{
    pid_t pid = fork_checked();

    if (pid == 0) {
        initialised = 7;
        _exit(0);
    }
    CHECK(exit_status_of(pid) == 0);
    CHECK(initialised == 5);
}

/* The file of the running program must not change when its data does. */
static void writing_data_leaves_the_file_alone(void)
{
    static const char *words[] = {"usertests", "--arguments", "one", "", "a b", NULL};
    pid_t pid;

    initialised = 8;
    pid = fork_checked();
    if (pid == 0) {
        execv("/bin/usertests", ARGV(words));
        _exit(1);
    }
    CHECK(exit_status_of(pid) == 42);
    CHECK(initialised == 8);
}

static int use_stack(int depth)
{
    volatile char frame[1000];

    frame[0] = (char)depth;
    return depth == 0 ? 0 : use_stack(depth - 1) + (frame[0] == (char)depth);
}

static void stack_grows(void)
{
    CHECK(use_stack(1000) == 1000);
}

static void overflow_stack(void)
{
    (void)use_stack(STACK_LIMIT_BYTES / 1000);
}

static void endless_stack_is_sigsegv(void)
{
    CHECK(is_ended_by(overflow_stack, SIGSEGV));
}

static volatile char *volatile target;

static void read_target(void)
{
    (void)*target;
}

static void write_target(void)
{
    *target = 1;
}

static void jump_to_target(void)
{
    ((void (*)(void))(uintptr_t)target)();
}

static void foreign_memory_is_sigsegv(void)
{
    static const uintptr_t addresses[] = {
        0,
        0x8,
        0x30000000,
        0x40000000,
        0x3fffffffff,
        0x4000000000,
        0x80000000,
        0x80200000,
        0xffffffc080000000,
        0xffffffc080200000,
        0xffffffff80000000,
        0x8000000000000000,
        0xfffffffffffffff8,
    };

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        target = (volatile char *)addresses[i];
        CHECK(is_ended_by(read_target, SIGSEGV));
        CHECK(is_ended_by(write_target, SIGSEGV));
        CHECK(is_ended_by(jump_to_target, SIGSEGV));
    }
}

static void text_is_not_writable(void)
{
    target = (volatile char *)(uintptr_t)text_is_not_writable;
    CHECK(is_ended_by(write_target, SIGSEGV));
    target = (volatile char *)(uintptr_t)&constant;
    CHECK(is_ended_by(write_target, SIGSEGV));
}

static void data_is_not_executable(void)
{
    static unsigned int code[] = {0x00008067}; /* ret */

    target = (volatile char *)code;
    CHECK(is_ended_by(jump_to_target, SIGSEGV));
}

static void privileged_instruction(void)
{
    __asm__ volatile("csrr t0, sstatus" : : : "t0");
}

static void unknown_instruction(void)
{
    __asm__ volatile(".word 0xffffffff");
}

static void illegal_instructions_are_sigill(void)
{
    CHECK(is_ended_by(privileged_instruction, SIGILL));
    CHECK(is_ended_by(unknown_instruction, SIGILL));
}

static void breakpoint(void)
{
    __asm__ volatile("ebreak");
}

static void breakpoint_is_sigtrap(void)
{
    CHECK(is_ended_by(breakpoint, SIGTRAP));
}

static void protection_is_kept(void)
{
    char *pages = new_pages(3);

    memset(pages, 'x', 3 * PAGE_BYTES);
    CHECK(mprotect(pages + PAGE_BYTES, PAGE_BYTES, PROT_READ) == 0);
    target = pages + PAGE_BYTES;
    CHECK(*target == 'x');
    CHECK(is_ended_by(write_target, SIGSEGV));
    CHECK(mprotect(pages + PAGE_BYTES, PAGE_BYTES, PROT_NONE) == 0);
    CHECK(is_ended_by(read_target, SIGSEGV));
    pages[0] = 'a';
    pages[2 * PAGE_BYTES] = 'b';
    CHECK(mprotect(pages + PAGE_BYTES, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    CHECK(*target == 'x');
    *target = 'y';
    CHECK(pages[PAGE_BYTES] == 'y');
}

static void protection_holds_for_untouched_pages(void)
{
    char *pages = new_pages(1);

    CHECK(mprotect(pages, PAGE_BYTES, PROT_READ) == 0);
    target = pages;
    CHECK(*target == 0);
    CHECK(is_ended_by(write_target, SIGSEGV));
    CHECK(mprotect(pages, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    *target = 1;
}

static void protection_is_inherited(void)
{
    char *pages = new_pages(1);
    pid_t pid;

    pages[0] = 'x';
    CHECK(mprotect(pages, PAGE_BYTES, PROT_READ) == 0);
    target = pages;
    pid = fork_checked();
    if (pid == 0) {
        CHECK(is_ended_by(write_target, SIGSEGV));
        CHECK(mprotect(pages, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
        *target = 'c';
        _exit(0);
    }
    CHECK(exit_status_of(pid) == 0);
    CHECK(pages[0] == 'x');
    CHECK(is_ended_by(write_target, SIGSEGV));
}

static void protection_holds_for_the_kernel_too(void)
{
    char *pages = new_pages(1);
    int zero = open("/dev/zero", O_RDONLY);

    pages[0] = 'x';
    CHECK(mprotect(pages, PAGE_BYTES, PROT_READ) == 0);
    CHECK_ERROR(read(zero, pages, 1), EFAULT);
    CHECK(mprotect(pages, PAGE_BYTES, PROT_NONE) == 0);
    CHECK_ERROR(write(STDOUT_FILENO, pages, 1), EFAULT);
}

static void made_executable_it_runs(void)
{
    unsigned int *code = (unsigned int *)new_pages(1);

    code[0] = 0x02a00513; /* li a0, 42 */
    code[1] = 0x00008067; /* ret */
    CHECK(mprotect(code, PAGE_BYTES, PROT_READ | PROT_EXEC) == 0);
    __asm__ volatile(".option push\n\t.option arch, +zifencei\n\tfence.i\n\t.option pop"
                     :
                     :
                     : "memory");
    CHECK(((int (*)(void))(uintptr_t)code)() == 42);
    target = (volatile char *)code;
    CHECK(is_ended_by(write_target, SIGSEGV));
}

static void mprotect_refuses_nonsense(void)
{
    char *pages = new_pages(2);

    CHECK_ERROR(mprotect(pages + 1, PAGE_BYTES, PROT_READ), EINVAL);
    CHECK_ERROR(mprotect(pages, PAGE_BYTES, 0x100), EINVAL);
    CHECK_ERROR(mprotect((void *)0x30000000, PAGE_BYTES, PROT_READ), ENOMEM);
    CHECK(FAILS_WITH(mprotect((void *)0xffffffc080200000, PAGE_BYTES, PROT_READ), ENOMEM) ||
          errno == EINVAL);
    CHECK(FAILS_WITH(mprotect(pages, (size_t)-PAGE_BYTES, PROT_READ), ENOMEM) || errno == EINVAL);
    CHECK(mprotect(pages, 0, PROT_READ) == 0);
    pages[0] = 1;
}

/* Take memory until there is none; end then, or be ended. */
static void eat_memory(void)
{
    enum { BITE_BYTES = 64 * PAGE_BYTES };

    for (;;) {
        char *bite = sbrk(BITE_BYTES);

        if (bite == (void *)-1)
            _exit(0);
        for (size_t i = 0; i < BITE_BYTES; i += PAGE_BYTES)
            bite[i] = 1;
    }
}

static void exit_3(void)
{
    _exit(3);
}

static void memory_comes_back_after_running_out(void)
{
    uint64_t before = free_pages();
    int status = status_of(eat_memory);

    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    for (int i = 0; i < 50 && free_pages() + 16 < before; i++)
        sleep_ms(5);
    CHECK(free_pages() + 16 >= before);
    CHECK(WEXITSTATUS(status_of(exit_3)) == 3);
}

/* Two that eat at the same time, and a third that forks meanwhile. */
static void hungry_neighbours_harm_nobody(void)
{
    pid_t eaters[2];
    int status;

    for (int i = 0; i < 2; i++) {
        eaters[i] = fork_checked();
        if (eaters[i] == 0)
            eat_memory();
    }
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        if (pid > 0)
            (void)waitpid(pid, &status, 0);
    }
    for (int i = 0; i < 2; i++) {
        (void)kill(eaters[i], SIGKILL);
        CHECK(waitpid(eaters[i], &status, 0) == eaters[i]);
    }
}

const struct test memory_tests[] = {
    TEST(break_moves_up_and_down),
    TEST(memory_beyond_the_break_is_gone),
    TEST(break_refuses_nonsense),
    TEST(copy_on_write_keeps_apart),
    TEST(kernel_writes_break_sharing),
    TEST(data_of_the_program_is_private),
    TEST(writing_data_leaves_the_file_alone),
    TEST(stack_grows),
    TEST(endless_stack_is_sigsegv),
    TEST(foreign_memory_is_sigsegv),
    TEST(text_is_not_writable),
    TEST(data_is_not_executable),
    TEST(illegal_instructions_are_sigill),
    TEST(breakpoint_is_sigtrap),
    TEST(protection_is_kept),
    TEST(protection_holds_for_untouched_pages),
    TEST(protection_is_inherited),
    TEST(protection_holds_for_the_kernel_too),
    TEST(made_executable_it_runs),
    TEST(mprotect_refuses_nonsense),
    TEST(memory_comes_back_after_running_out),
    TEST(hungry_neighbours_harm_nobody),
    TESTS_END,
};
