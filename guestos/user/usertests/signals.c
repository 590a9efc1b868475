/* SPDX-License-Identifier: MIT */
/* Signals and their handlers. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frank/signal.h"
#include "usertests.h"

typedef void (*handler_t)(int);

static char page[2 * PAGE_BYTES] __attribute__((aligned(4096)));

/* NULL, which the compiler is not to know. */
static volatile char *volatile nowhere;

static volatile struct {
    int count;
    int signal;
    int code;
    uintptr_t address;
} seen;

static void remember(int signal, const struct frank_siginfo *info)
{
    seen.count++;
    seen.signal = signal;
    seen.code = info->code;
    seen.address = info->address;
}

static void set_handler(int signal,
                        void (*handler)(int, struct frank_siginfo *, struct frank_ucontext *))
{
    struct sigaction action = {.sa_handler = (handler_t)(uintptr_t)handler};

    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void repair_and_return(int signal, struct frank_siginfo *info,
                              struct frank_ucontext *context)
{
    (void)context;
    remember(signal, info);
    CHECK(mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
}

static void handler_repairs_and_the_store_is_done(void)
{
    set_handler(SIGSEGV, repair_and_return);
    CHECK(mprotect(page, PAGE_BYTES, PROT_READ) == 0);
    *(volatile char *)&page[100] = 'x';
    CHECK(page[100] == 'x');
    CHECK(seen.count == 1 && seen.signal == SIGSEGV && seen.code == FRANK_SEGV_ACCERR);
    CHECK(seen.address == (uintptr_t)&page[100]);
}

static void skip_instruction(int signal, struct frank_siginfo *info, struct frank_ucontext *context)
{
    volatile double spoil = 3.0;
    unsigned short opcode;

    spoil = spoil * 2.0;
    remember(signal, info);
    memcpy(&opcode, (const void *)context->pc, sizeof(opcode));
    context->pc += (opcode & 3) == 3 ? 4 : 2;
}

static void handler_may_change_registers(void)
{
    set_handler(SIGSEGV, skip_instruction);
    (void)*(volatile char *)0x30000000;
    CHECK(seen.count == 1 && seen.code == FRANK_SEGV_MAPERR && seen.address == 0x30000000);
    *(volatile char *)0x30000008 = 1;
    CHECK(seen.count == 2 && seen.address == 0x30000008);
}

static jmp_buf jump_target;

static void jump_out(int signal, struct frank_siginfo *info, struct frank_ucontext *context)
{
    (void)context;
    remember(signal, info);
    longjmp(jump_target, 1);
}

static void handler_may_jump_out(void)
{
    volatile int jumps = 0;

    set_handler(SIGSEGV, jump_out);
    /* A jump leaves the signal blocked, as in POSIX; one jump is what must work. */
    if (setjmp(jump_target) == 0)
        *nowhere = 1;
    else
        jumps = jumps + 1;
    CHECK(jumps == 1 && seen.count == 1);
}

/* Values in registers of every kind, while a store faults and its handler computes. */
static bool fault_keeps_registers(void)
{
    register long kept __asm__("s5") = 0x1234567890abcdef;
    register double real __asm__("fs3") = 1.25;
    register long temporary __asm__("t3") = 99;

    __asm__ volatile("sb zero, 0(zero)" : "+r"(kept), "+f"(real), "+r"(temporary));
    return kept == 0x1234567890abcdef && real == 1.25 && temporary == 99;
}

static void registers_survive_a_handler(void)
{
    set_handler(SIGSEGV, skip_instruction);
    CHECK(fault_keeps_registers());
    CHECK(seen.count == 1);
}

static void count_signal(int signal, struct frank_siginfo *info, struct frank_ucontext *context)
{
    volatile double spoil = 3.0;

    (void)context;
    remember(signal, info);
    spoil = spoil * 2.0;
}

static void signal_from_another_is_handled(void)
{
    pid_t parent = getpid();
    pid_t pid;

    set_handler(SIGTERM, count_signal);
    pid = fork_checked();
    if (pid == 0)
        _exit(kill(parent, SIGTERM));
    while (seen.count == 0) {
    }
    CHECK(seen.signal == SIGTERM);
    CHECK(exit_status_of(pid) == 0);
}

static void handler_interrupts_a_sleep(void)
{
    pid_t parent = getpid();
    pid_t pid;

    set_handler(SIGTERM, count_signal);
    pid = fork_checked();
    if (pid == 0) {
        sleep_ms(30);
        _exit(kill(parent, SIGTERM));
    }
    CHECK(sleep(1000) > 0);
    CHECK(seen.count == 1);
    CHECK(exit_status_of(pid) == 0);
}

static void ignored_signal_does_nothing(void)
{
    CHECK(signal(SIGTERM, SIG_IGN) == SIG_DFL);
    CHECK(kill(getpid(), SIGTERM) == 0);
    CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
}

static void use_null(void)
{
    *nowhere = 1;
}

static void ignore_and_fault(void)
{
    CHECK(signal(SIGSEGV, SIG_IGN) == SIG_DFL);
    use_null();
}

static void own_fault_cannot_be_ignored(void)
{
    CHECK(is_ended_by(ignore_and_fault, SIGSEGV));
}

static void fault_again(int signal, struct frank_siginfo *info, struct frank_ucontext *context)
{
    (void)signal, (void)info, (void)context;
    use_null();
}

static void fault_in_handler(void)
{
    set_handler(SIGSEGV, fault_again);
    use_null();
}

static void fault_with_bad_handler(void)
{
    set_handler(SIGSEGV, (void *)0x30000000);
    use_null();
}

static void fault_without_stack(void)
{
    set_handler(SIGSEGV, skip_instruction);
    __asm__ volatile("li sp, 16\n\tsb zero, 0(zero)");
}

static void return_from_no_handler(void)
{
    __asm__ volatile("li sp, 16");
    (void)raw_call(FRANK_SYS_sigreturn, 0, 0, 0);
}

static void faults_around_handlers_end_the_process(void)
{
    CHECK(is_ended_by(fault_in_handler, SIGSEGV));
    CHECK(is_ended_by(fault_with_bad_handler, SIGSEGV));
    CHECK(is_ended_by(fault_without_stack, SIGSEGV));
    CHECK(is_ended_by(return_from_no_handler, SIGSEGV));
}

/* A frame of nonsense may cost the program its life; it must not give it the kernel's rights. */
static void return_with_nonsense(void)
{
    static char frame[PAGE_BYTES] __attribute__((aligned(16)));

    memset(frame, 0xff, sizeof(frame));
    __asm__ volatile("mv sp, %0\n\tli a7, %1\n\tecall" : : "r"(frame), "i"(FRANK_SYS_sigreturn));
}

static void nonsense_in_a_signal_frame_is_harmless(void)
{
    CHECK(WIFSIGNALED(status_of(return_with_nonsense)));
}

static void child_inherits_handlers_and_exec_drops_them(void)
{
    static const char *words[] = {"sh", "-c", "kill -TERM $$", NULL};
    int status;
    pid_t pid;

    set_handler(SIGTERM, count_signal);
    pid = fork_checked();
    if (pid == 0)
        _exit(kill(getpid(), SIGTERM) || seen.count != 1);
    CHECK(exit_status_of(pid) == 0);
    CHECK(seen.count == 0);
    pid = fork_checked();
    if (pid == 0) {
        execve("/bin/sh", ARGV(words), NULL);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void sigaction_refuses_nonsense(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    CHECK_ERROR(sigaction(SIGKILL, &action, NULL), EINVAL);
    CHECK_ERROR(sigaction(0, &action, NULL), EINVAL);
    CHECK_ERROR(sigaction(1000, &action, NULL), EINVAL);
    CHECK_ERROR(sigaction(-1, &action, NULL), EINVAL);
    CHECK(sigaction(SIGTERM, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
}

static int gate[2];

/* The first of them waits for a byte; while it does, others of its kind wait for its end. */
static void read_gate(int signal, struct frank_siginfo *info, struct frank_ucontext *context)
{
    char byte;

    (void)context;
    remember(signal, info);
    if (seen.count == 1)
        CHECK(read(gate[0], &byte, 1) == 1);
}

static void blocked_signal_does_not_interrupt_a_call(void)
{
    pid_t parent = getpid(), pid;

    CHECK(pipe(gate) == 0);
    set_handler(SIGUSR1, read_gate);
    pid = fork_checked();
    if (pid == 0) {
        sleep_ms(20);
        CHECK(kill(parent, SIGUSR1) == 0);
        sleep_ms(20);
        CHECK(write(gate[1], "x", 1) == 1);
        _exit(0);
    }
    CHECK(kill(parent, SIGUSR1) == 0);
    CHECK(seen.count == 2);
    CHECK(exit_status_of(pid) == 0);
}

static void spin_in_handler(int signal)
{
    (void)signal;
    for (;;)
        __asm__ volatile("");
}

static void spin_with_everything_blocked(void)
{
    struct sigaction action = {.sa_handler = spin_in_handler};

    CHECK(sigfillset(&action.sa_mask) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
}

static void no_handler_keeps_sigkill_out(void)
{
    int status = 0;
    pid_t pid = fork_checked();

    if (pid == 0)
        spin_with_everything_blocked();
    sleep_ms(20);
    CHECK(kill(pid, SIGKILL) == 0);
    for (int i = 0; i < 100 && waitpid(pid, &status, WNOHANG) == 0; i++)
        sleep_ms(5);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

const struct test signal_tests[] = {
    TEST(handler_repairs_and_the_store_is_done),
    TEST(handler_may_change_registers),
    TEST(handler_may_jump_out),
    TEST(registers_survive_a_handler),
    TEST(signal_from_another_is_handled),
    TEST(handler_interrupts_a_sleep),
    TEST(ignored_signal_does_nothing),
    TEST(blocked_signal_does_not_interrupt_a_call),
    TEST(no_handler_keeps_sigkill_out),
    TEST(own_fault_cannot_be_ignored),
    TEST(faults_around_handlers_end_the_process),
    TEST(nonsense_in_a_signal_frame_is_harmless),
    TEST(child_inherits_handlers_and_exec_drops_them),
    TEST(sigaction_refuses_nonsense),
    TESTS_END,
};
