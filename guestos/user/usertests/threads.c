/* SPDX-License-Identifier: MIT */
/* Threads: making and ending them, signals to them, the memory that they share. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frank/procinfo.h"
#include "usertests.h"

enum {
    MANY = 8,
    ADDITIONS = 2000,
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000000000,
};

pthread_t thread_start(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, run, argument) == 0);
    return thread;
}

void *thread_join(pthread_t thread)
{
    void *result = NULL;

    CHECK(pthread_join(thread, &result) == 0);
    return result;
}

static void *sleep_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void *spin_until_set(void *flag)
{
    while (!*(volatile int *)flag) {
    }
    return flag;
}

/* ---- making and ending -------------------------------------------------------------------------
 */

static __thread int own = 5;

static void *use_own(void *argument)
{
    CHECK(own == 5 && errno == 0);
    own = (int)(long)argument;
    errno = own;
    CHECK(close(-1) == -1 && errno == EBADF);
    for (int i = 0; i < 20; i++)
        sched_yield();
    CHECK(own == (int)(long)argument && errno == EBADF);
    return (char *)argument + 1;
}

static void each_has_its_own_variables_and_result(void)
{
    pthread_t threads[MANY];

    errno = 0;
    for (long i = 0; i < MANY; i++)
        threads[i] = thread_start(use_own, (void *)(i + 10));
    for (long i = 0; i < MANY; i++)
        CHECK(thread_join(threads[i]) == (void *)(i + 11));
    CHECK(own == 5 && errno == 0);
    CHECK(pthread_join(pthread_self(), NULL) == EDEADLK);
}

static sem_t ended;

static void *end_detached(void *unused)
{
    (void)unused;
    CHECK(pthread_detach(pthread_self()) == 0);
    CHECK(sem_post(&ended) == 0);
    return NULL;
}

/* Far more than there is room for at once: each gives its stack back. */
static void detached_threads_leave_nothing(void)
{
    enum { ROUNDS = 60, STACK = 16 << 20 };
    pthread_attr_t attributes;
    pthread_t thread;

    CHECK(sem_init(&ended, 0, 0) == 0 && pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, STACK) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        int error;

        while ((error = pthread_create(&thread, &attributes, end_detached, NULL)) == EAGAIN)
            sleep_ms(1);
        CHECK(error == 0);
    }
    for (int i = 0; i < ROUNDS; i++)
        CHECK(sem_wait(&ended) == 0);
    CHECK(pthread_attr_setdetachstate(&attributes, 7) == EINVAL);
    CHECK(pthread_attr_setstacksize(&attributes, 1) == EINVAL);
}

static char order[16];

static void note(void *text)
{
    strlcat(order, text, sizeof(order));
}

static pthread_key_t key;

static void *exit_inside(void *unused)
{
    static char texts[][4] = {"1", "2", "3", "end", "k"};

    CHECK(pthread_getspecific(key) == NULL);
    CHECK(pthread_setspecific(key, texts[4]) == 0);
    pthread_cleanup_push(note, texts[0]);
    pthread_cleanup_push(note, texts[1]);
    pthread_cleanup_push(note, texts[2]);
    pthread_cleanup_pop(1);
    pthread_exit(texts[3]);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return unused;
}

static void exit_calls_what_is_to_be_cleaned_up(void)
{
    order[0] = '\0';
    CHECK(pthread_key_create(&key, note) == 0);
    CHECK(pthread_setspecific(key, "main") == 0);
    CHECK(strcmp(thread_join(thread_start(exit_inside, NULL)), "end") == 0);
    CHECK(strcmp(order, "321k") == 0);
    CHECK(strcmp(pthread_getspecific(key), "main") == 0);
    CHECK(pthread_key_delete(key) == 0);
    CHECK(pthread_key_delete(key) == EINVAL);
    CHECK(pthread_setspecific(key, NULL) == EINVAL);
}

static void *exit_the_process(void *unused)
{
    (void)unused;
    sleep_ms(2);
    _exit(42);
}

static void the_first_may_leave_before_the_others(void)
{
    pid_t pid = fork_checked();

    if (pid == 0) {
        (void)thread_start(exit_the_process, NULL);
        pthread_exit(NULL);
    }
    CHECK(exit_status_of(pid) == 42);
    pid = fork_checked();
    if (pid == 0)
        pthread_exit(NULL);
    CHECK(exit_status_of(pid) == 0);
}

static void exit_ends_threads_that_sleep_or_compute(void)
{
    static int never;
    pid_t pid = fork_checked();

    if (pid == 0) {
        (void)thread_start(sleep_for_ever, NULL);
        (void)thread_start(spin_until_set, &never);
        sleep_ms(2);
        _exit(3);
    }
    CHECK(exit_status_of(pid) == 3);
}

static void *run_a_program(void *unused)
{
    static const char *words[] = {"sh", "-c", "exit 17", NULL};

    execv("/bin/sh", ARGV(words));
    return unused;
}

/* By the first thread or another; by two at once, of which one wins. */
static void exec_ends_all_other_threads(void)
{
    static int never;

    for (int callers = 0; callers < 3; callers++) {
        pid_t pid = fork_checked();

        if (pid == 0) {
            (void)thread_start(sleep_for_ever, NULL);
            (void)thread_start(spin_until_set, &never);
            for (int i = 0; i < callers; i++)
                (void)thread_start(run_a_program, NULL);
            if (callers == 0)
                run_a_program(NULL);
            sleep_for_ever(NULL);
        }
        CHECK(exit_status_of(pid) == 17);
    }
}

static void *fork_here(void *unused)
{
    pid_t pid = fork();
    char *memory;

    CHECK(pid >= 0);
    if (pid == 0) {
        memory = malloc(100);
        _exit(memory != NULL && raise(0) == 0 && pthread_kill(pthread_self(), 0) == 0 ? 9 : 1);
    }
    CHECK(exit_status_of(pid) == 9);
    return unused;
}

static void *allocate_until_set(void *flag)
{
    while (!*(volatile int *)flag)
        free(malloc(64));
    return flag;
}

static void a_child_has_the_thread_that_forked(void)
{
    static volatile int stop;
    pthread_t other = thread_start(allocate_until_set, (void *)&stop);

    for (int i = 0; i < 5; i++)
        (void)thread_join(thread_start(fork_here, NULL));
    stop = 1;
    (void)thread_join(other);
}

static void *overflow(void *unused)
{
    volatile char *at = __builtin_frame_address(0);

    for (at -= PAGE_BYTES;; at -= PAGE_BYTES / 4)
        *at = 1;
    return unused;
}

static void overflow_a_stack(void)
{
    (void)thread_join(thread_start(overflow, NULL));
}

static void a_stack_ends_at_its_guard(void)
{
    CHECK(is_ended_by(overflow_a_stack, SIGSEGV));
}

static void *wait_for_post(void *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
    return NULL;
}

/* Make threads until one is refused, have them end, join them. How many there were. */
static int fill_and_empty(const pthread_attr_t *attributes)
{
    enum { LIMIT = 300 };
    static pthread_t threads[LIMIT];
    int count = 0, error = 0;

    while (count < LIMIT &&
           (error = pthread_create(&threads[count], attributes, wait_for_post, &ended)) == 0)
        count++;
    CHECK(error == EAGAIN);
    for (int i = 0; i < count; i++)
        CHECK(sem_post(&ended) == 0);
    for (int i = 0; i < count; i++)
        (void)thread_join(threads[i]);
    return count;
}

/* Who was joined is not in the way of another, though it may still be on its way out. */
static void too_many_threads_are_refused(void)
{
    pthread_attr_t attributes;
    int count;

    CHECK(sem_init(&ended, 0, 0) == 0 && pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
    count = fill_and_empty(&attributes);
    CHECK(count >= 50);
    CHECK(fill_and_empty(&attributes) == count);
    (void)thread_join(thread_start(use_own, (void *)3L));
    CHECK(raw_call(FRANK_SYS_thread_kill, 9999, SIGUSR1, 0) == -ESRCH);
    CHECK(raw_call(FRANK_SYS_thread_kill, 0, 99, 0) == -EINVAL);
}

static void start_nonsense(void)
{
    for (long address = -16; address < 0x80000000L; address += 0x1234564L)
        (void)raw_call(FRANK_SYS_thread_create, address, address, address);
    pause();
}

static void end_at_nonsense(void)
{
    (void)raw_call(FRANK_SYS_thread_exit, 0x30000001, 0, 0);
}

static void nonsense_ends_the_process_at_worst(void)
{
    CHECK(is_ended_by(start_nonsense, SIGSEGV));
    CHECK(status_of(end_at_nonsense) == 0);
}

/* ---- signals -----------------------------------------------------------------------------------
 */

static pthread_t signalled;
static unsigned handled; /* atomic */

static void note_thread(int signal)
{
    (void)signal;
    signalled = pthread_self();
    __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}

static void *wait_for_signal(void *unused)
{
    while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    return unused;
}

static void a_signal_can_be_meant_for_one_thread(void)
{
    struct sigaction action = {.sa_handler = note_thread};
    pthread_t one, other;
    sigset_t set, old;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    handled = 0;
    one = thread_start(wait_for_signal, NULL);
    other = thread_start(wait_for_signal, NULL);
    CHECK(pthread_kill(other, SIGUSR1) == 0);
    (void)thread_join(one);
    CHECK(signalled == other && handled == 1);
    (void)thread_join(other);

    /* raise() means the caller, who may put it off. */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(raise(SIGUSR1) == 0 && handled == 1);
    CHECK(sigpending(&set) == 0 && sigismember(&set, SIGUSR1));
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0 && handled == 2);
    CHECK(signalled == pthread_self());
}

/* One for the process goes to who does not block it. */
static void another_thread_takes_what_one_blocks(void)
{
    struct sigaction action = {.sa_handler = note_thread};
    sigset_t set, old;
    pthread_t other;

    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    handled = 0;
    other = thread_start(wait_for_signal, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(kill(getpid(), SIGUSR2) == 0);
    (void)thread_join(other);
    CHECK(signalled == other && handled == 1);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

struct shared {
    unsigned word, flag;
};

static void a_stop_stops_all_threads(void)
{
    struct shared *shared = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t pid;

    CHECK(shared != MAP_FAILED);
    pid = fork_checked();
    if (pid == 0) {
        (void)thread_start(spin_until_set, &shared->flag);
        for (;;)
            __atomic_fetch_add(&shared->word, 1, __ATOMIC_SEQ_CST);
    }
    while (__atomic_load_n(&shared->word, __ATOMIC_SEQ_CST) < 1000)
        sched_yield();
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    do { /* each stops when it is next on its way to user mode */
        status = (int)__atomic_load_n(&shared->word, __ATOMIC_SEQ_CST);
        sleep_ms(20);
    } while ((int)__atomic_load_n(&shared->word, __ATOMIC_SEQ_CST) != status);
    CHECK(state_of(pid) == FRANK_PROCESS_STOPPED);
    CHECK(kill(pid, SIGCONT) == 0);
    while ((int)__atomic_load_n(&shared->word, __ATOMIC_SEQ_CST) == status)
        sched_yield();
    CHECK(kill(pid, SIGKILL) == 0 && exit_status_of(pid) == -1);
    CHECK(munmap(shared, PAGE_BYTES) == 0);
}

/* ---- memory that a CPU may still know ----------------------------------------------------------
 */

static volatile unsigned long *written;
static volatile unsigned long rounds, faults;

static void *count_for_ever(void *unused)
{
    for (;;) {
        *written += 1;
        rounds++;
    }
    return unused;
}

static void wait_for_rounds(unsigned long count)
{
    unsigned long first = rounds;

    while (rounds - first < count)
        sched_yield();
}

/* How often to try what can only go wrong between CPUs. */
static int tries(int on_several)
{
    return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? on_several : 5;
}

static void *writable_page(void)
{
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    return page;
}

/* A child's pages do not change with what the parent's threads write after the fork. */
static void a_fork_stops_writers_on_other_cpus(void)
{
    written = writable_page();
    (void)thread_start(count_for_ever, NULL);
    for (int i = tries(30); i > 0; i--) {
        pid_t pid;

        wait_for_rounds(1000);
        pid = fork();
        if (pid == 0) {
            unsigned long seen = *written;

            sleep_ms(3);
            _exit(seen != *written);
        }
        CHECK(exit_status_of(pid) == 0);
    }
}

static void open_again(int signal)
{
    (void)signal;
    faults++;
    if (mprotect((void *)written, PAGE_BYTES, PROT_READ | PROT_WRITE) != 0)
        _exit(9);
}

static void a_right_taken_away_is_gone_on_other_cpus(void)
{
    enum { MANY_ROUNDS = 1000000 };
    struct sigaction action = {.sa_handler = open_again};

    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    written = writable_page();
    (void)thread_start(count_for_ever, NULL);
    for (int i = tries(50); i > 0; i--) {
        unsigned long before = faults, first;

        wait_for_rounds(1000);
        CHECK(mprotect((void *)written, PAGE_BYTES, PROT_READ) == 0);
        first = rounds;
        while (faults == before && rounds - first < MANY_ROUNDS)
            sched_yield();
        CHECK(faults != before);
    }
}

const struct test thread_tests[] = {
    TEST(each_has_its_own_variables_and_result),
    TEST(detached_threads_leave_nothing),
    TEST(exit_calls_what_is_to_be_cleaned_up),
    TEST(the_first_may_leave_before_the_others),
    TEST(exit_ends_threads_that_sleep_or_compute),
    TEST(exec_ends_all_other_threads),
    TEST(a_child_has_the_thread_that_forked),
    TEST(a_stack_ends_at_its_guard),
    TEST(too_many_threads_are_refused),
    TEST(nonsense_ends_the_process_at_worst),
    TEST(a_signal_can_be_meant_for_one_thread),
    TEST(another_thread_takes_what_one_blocks),
    TEST(a_stop_stops_all_threads),
    TEST(a_fork_stops_writers_on_other_cpus),
    TEST(a_right_taken_away_is_gone_on_other_cpus),
    TESTS_END,
};
