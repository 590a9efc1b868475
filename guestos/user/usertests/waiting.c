/* SPDX-License-Identifier: MIT */
/* Threads and processes that wait for each other: words, mutexes, conditions and what is made of
 * them. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "frank/futex.h"
#include "usertests.h"

enum {
    MANY = 8,
    ADDITIONS = 2000,
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000000000,
};

static long futex(unsigned *word, long operation, unsigned value, unsigned long deadline)
{
    register long a0 __asm__("a0") = (long)word;
    register long a1 __asm__("a1") = operation;
    register long a2 __asm__("a2") = value;
    register unsigned long a3 __asm__("a3") = deadline;
    register long a7 __asm__("a7") = FRANK_SYS_futex;

    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
    return a0;
}

static struct timespec in_milliseconds(clockid_t clock, long milliseconds)
{
    struct timespec time;

    CHECK(clock_gettime(clock, &time) == 0);
    time.tv_nsec += milliseconds * NS_PER_MS;
    time.tv_sec += time.tv_nsec / NS_PER_SECOND;
    time.tv_nsec %= NS_PER_SECOND;
    return time;
}

/* ---- words -------------------------------------------------------------------------------------
 */

static void a_futex_tells_what_is_wrong(void)
{
    static unsigned word = 3;
    struct timespec now;
    unsigned long soon;

    CHECK(futex(&word, FRANK_FUTEX_WAIT, 4, FRANK_FUTEX_FOREVER) == -EAGAIN);
    CHECK(futex((unsigned *)((char *)&word + 1), FRANK_FUTEX_WAIT, 3, 0) == -EINVAL);
    CHECK(futex((unsigned *)8, FRANK_FUTEX_WAIT, 3, 0) == -EFAULT);
    CHECK(futex((unsigned *)-8, FRANK_FUTEX_WAKE, 3, 0) == -EFAULT);
    CHECK(futex(&word, 7, 3, 0) == -EINVAL);
    CHECK(futex(&word, FRANK_FUTEX_WAIT, 3, 0) == -ETIMEDOUT);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    soon = (unsigned long)now.tv_sec * NS_PER_SECOND + (unsigned long)now.tv_nsec + 20 * NS_PER_MS;
    CHECK(futex(&word, FRANK_FUTEX_WAIT, 3, soon) == -ETIMEDOUT);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    CHECK((unsigned long)now.tv_sec * NS_PER_SECOND + (unsigned long)now.tv_nsec >= soon);
    CHECK(futex(&word, FRANK_FUTEX_WAKE, 1, 0) == 0);
}

struct shared {
    unsigned word, other;
};

/* Forked processes take turns by a word in memory that they share; a private word of each at the
   same address wakes nobody else. */
static void processes_wait_for_each_other(void)
{
    enum { ROUNDS = 200 };
    static unsigned private_word;
    struct shared *shared = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    CHECK(shared != MAP_FAILED);
    pid = fork_checked();
    for (unsigned turn = pid == 0; turn < ROUNDS; turn += 2) {
        unsigned now;

        while ((now = __atomic_load_n(&shared->word, __ATOMIC_ACQUIRE)) != turn) {
            long result = futex(&shared->word, FRANK_FUTEX_WAIT, now, FRANK_FUTEX_FOREVER);
            CHECK(result == 0 || result == -EAGAIN);
        }
        __atomic_store_n(&shared->word, turn + 1, __ATOMIC_RELEASE);
        (void)futex(&shared->word, FRANK_FUTEX_WAKE, 1, 0);
    }
    if (pid == 0) {
        CHECK(futex(&private_word, FRANK_FUTEX_WAIT, 0, FRANK_FUTEX_FOREVER) == -EINTR);
        _exit(0);
    }
    wait_until_asleep(pid);
    CHECK(futex(&private_word, FRANK_FUTEX_WAKE, 1, 0) == 0);
    CHECK(futex(&shared->other, FRANK_FUTEX_WAKE, 1, 0) == 0);
    CHECK(kill(pid, SIGKILL) == 0 && exit_status_of(pid) == -1);
    CHECK(munmap(shared, PAGE_BYTES) == 0);
}

/* ---- exclusion and conditions ------------------------------------------------------------------
 */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long total;

static void *add(void *unused)
{
    for (int i = 0; i < ADDITIONS; i++) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        long before = total;
        if (i % 64 == 0)
            sched_yield();
        total = before + 1;
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    return unused;
}

static void a_mutex_lets_one_in(void)
{
    pthread_t threads[MANY];

    total = 0;
    for (int i = 0; i < MANY; i++)
        threads[i] = thread_start(add, NULL);
    for (int i = 0; i < MANY; i++)
        (void)thread_join(threads[i]);
    CHECK(total == MANY * ADDITIONS);
}

static void *try_held(void *held)
{
    struct timespec soon = in_milliseconds(CLOCK_REALTIME, 10);

    CHECK(pthread_mutex_trylock(held) == EBUSY);
    CHECK(pthread_mutex_timedlock(held, &soon) == ETIMEDOUT);
    soon.tv_nsec = -1;
    CHECK(pthread_mutex_timedlock(held, &soon) == EINVAL);
    return NULL;
}

static void *unlock(void *held)
{
    CHECK(pthread_mutex_unlock(held) == EPERM);
    return NULL;
}

static void mutexes_are_of_kinds(void)
{
    pthread_mutex_t kinds[3];
    pthread_mutexattr_t attributes;

    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_settype(&attributes, 3) == EINVAL);
    for (int type = 0; type < 3; type++) {
        CHECK(pthread_mutexattr_settype(&attributes, type) == 0);
        CHECK(pthread_mutex_init(&kinds[type], &attributes) == 0);
        CHECK(pthread_mutex_lock(&kinds[type]) == 0);
        (void)thread_join(thread_start(try_held, &kinds[type]));
    }
    CHECK(pthread_mutex_trylock(&kinds[PTHREAD_MUTEX_NORMAL]) == EBUSY);
    CHECK(pthread_mutex_lock(&kinds[PTHREAD_MUTEX_ERRORCHECK]) == EDEADLK);
    CHECK(pthread_mutex_lock(&kinds[PTHREAD_MUTEX_RECURSIVE]) == 0);
    (void)thread_join(thread_start(unlock, &kinds[PTHREAD_MUTEX_RECURSIVE]));
    (void)thread_join(thread_start(unlock, &kinds[PTHREAD_MUTEX_ERRORCHECK]));
    CHECK(pthread_mutex_unlock(&kinds[PTHREAD_MUTEX_RECURSIVE]) == 0);
    CHECK(pthread_mutex_destroy(&kinds[PTHREAD_MUTEX_RECURSIVE]) == EBUSY);
    for (int type = 0; type < 3; type++)
        CHECK(pthread_mutex_unlock(&kinds[type]) == 0 && pthread_mutex_destroy(&kinds[type]) == 0);
    CHECK(pthread_mutex_unlock(&kinds[PTHREAD_MUTEX_ERRORCHECK]) == EPERM);
}

static int full; /* a place for one thing, guarded by mutex */

static void *consume(void *unused)
{
    long sum = 0;

    for (int i = 0; i < ADDITIONS; i++) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        while (!full)
            CHECK(pthread_cond_wait(&condition, &mutex) == 0);
        sum += full;
        full = 0;
        CHECK(pthread_cond_broadcast(&condition) == 0);
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    (void)unused;
    return (void *)sum;
}

static void a_condition_hands_over(void)
{
    pthread_t consumer = thread_start(consume, NULL);

    for (int i = 1; i <= ADDITIONS; i++) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        while (full)
            CHECK(pthread_cond_wait(&condition, &mutex) == 0);
        full = i;
        CHECK(pthread_cond_signal(&condition) == 0);
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    CHECK(thread_join(consumer) == (void *)((long)ADDITIONS * (ADDITIONS + 1) / 2));
}

static void a_condition_gives_up_in_time(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    pthread_condattr_t attributes;
    pthread_cond_t never;

    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, (clockid_t)77) == EINVAL);
    for (int i = 0; i < 2; i++) {
        struct timespec soon = in_milliseconds(clocks[i], 20);
        double begin = seconds_now();

        CHECK(pthread_condattr_setclock(&attributes, clocks[i]) == 0);
        CHECK(pthread_cond_init(&never, &attributes) == 0);
        CHECK(pthread_mutex_lock(&mutex) == 0);
        CHECK(pthread_cond_timedwait(&never, &mutex, &soon) == ETIMEDOUT);
        CHECK(pthread_mutex_trylock(&mutex) == EBUSY);
        CHECK(pthread_mutex_unlock(&mutex) == 0);
        CHECK(seconds_now() - begin >= 0.019);
    }
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile int halves[2];

static void *write_halves(void *unused)
{
    for (int i = 0; i < ADDITIONS / 4; i++) {
        CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
        halves[0]++;
        if (i % 16 == 0)
            sched_yield();
        halves[1]++;
        CHECK(pthread_rwlock_unlock(&rwlock) == 0);
    }
    return unused;
}

static void *read_halves(void *unused)
{
    for (int i = 0; i < ADDITIONS / 4; i++) {
        CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
        CHECK(halves[0] == halves[1]);
        CHECK(pthread_rwlock_unlock(&rwlock) == 0);
    }
    return unused;
}

static void readers_see_nothing_half_written(void)
{
    pthread_t threads[4];

    halves[0] = halves[1] = 0;
    for (int i = 0; i < 4; i++)
        threads[i] = thread_start(i % 2 ? write_halves : read_halves, NULL);
    for (int i = 0; i < 4; i++)
        (void)thread_join(threads[i]);
    CHECK(halves[1] == ADDITIONS / 4 * 2);
    CHECK(pthread_rwlock_rdlock(&rwlock) == 0 && pthread_rwlock_tryrdlock(&rwlock) == 0);
    CHECK(pthread_rwlock_trywrlock(&rwlock) == EBUSY);
    CHECK(pthread_rwlock_unlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
    CHECK(pthread_rwlock_trywrlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
}

static pthread_barrier_t barrier;
static unsigned arrived; /* atomic */

static void *meet(void *unused)
{
    long last = 0;

    for (unsigned round = 1; round <= 20; round++) {
        __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
        last += pthread_barrier_wait(&barrier) != 0; /* PTHREAD_BARRIER_SERIAL_THREAD */
        CHECK(__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) >= 3 * round);
        (void)pthread_barrier_wait(&barrier);
    }
    (void)unused;
    return (void *)last;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned once_runs; /* atomic */

static void run_once(void)
{
    sleep_ms(2);
    __atomic_fetch_add(&once_runs, 1, __ATOMIC_SEQ_CST);
}

static void *do_once(void *unused)
{
    CHECK(pthread_once(&once, run_once) == 0);
    CHECK(__atomic_load_n(&once_runs, __ATOMIC_SEQ_CST) == 1);
    return unused;
}

static void barriers_and_once(void)
{
    pthread_t threads[3];
    long last = 0;

    arrived = 0;
    CHECK(pthread_barrier_init(&barrier, NULL, 0) == EINVAL);
    CHECK(pthread_barrier_init(&barrier, NULL, 3) == 0);
    for (int i = 0; i < 3; i++)
        threads[i] = thread_start(meet, NULL);
    for (int i = 0; i < 3; i++)
        last += (long)thread_join(threads[i]);
    CHECK(last == 20 && arrived == 60);
    for (int i = 0; i < 3; i++)
        threads[i] = thread_start(do_once, NULL);
    for (int i = 0; i < 3; i++)
        (void)thread_join(threads[i]);
}

static void semaphores_count(void)
{
    struct timespec soon = in_milliseconds(CLOCK_REALTIME, 10);
    sem_t semaphore;
    int value;

    CHECK(sem_init(&semaphore, 0, 2) == 0);
    CHECK(sem_wait(&semaphore) == 0 && sem_trywait(&semaphore) == 0);
    CHECK_ERROR(sem_trywait(&semaphore), EAGAIN);
    CHECK_ERROR(sem_timedwait(&semaphore, &soon), ETIMEDOUT);
    CHECK(sem_post(&semaphore) == 0 && sem_getvalue(&semaphore, &value) == 0 && value == 1);
    CHECK(sem_wait(&semaphore) == 0 && sem_destroy(&semaphore) == 0);
    CHECK_ERROR(sem_init(&semaphore, 0, 0x80000000U), EINVAL);
}

static void *print_lines(void *letter)
{
    FILE *file = fopen("lines", "a");

    CHECK(file != NULL);
    for (int i = 0; i < 100; i++)
        CHECK(fprintf(file, "%c%d\n", *(char *)letter, i) > 0);
    CHECK(fclose(file) == 0);
    return NULL;
}

static void streams_and_the_heap_are_for_all(void)
{
    static char letters[] = "abcd";
    pthread_t threads[4];
    int lines = 0;
    FILE *file;

    for (int i = 0; i < 4; i++)
        threads[i] = thread_start(print_lines, &letters[i]);
    for (int i = 0; i < 4; i++)
        (void)thread_join(threads[i]);
    file = fopen("lines", "r");
    CHECK(file != NULL);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    CHECK(lines == 400 && fclose(file) == 0 && unlink("lines") == 0);
}

const struct test waiting_tests[] = {
    TEST(a_futex_tells_what_is_wrong),
    TEST(processes_wait_for_each_other),
    TEST(a_mutex_lets_one_in),
    TEST(mutexes_are_of_kinds),
    TEST(a_condition_hands_over),
    TEST(a_condition_gives_up_in_time),
    TEST(readers_see_nothing_half_written),
    TEST(barriers_and_once),
    TEST(semaphores_count),
    TEST(streams_and_the_heap_are_for_all),
    TESTS_END,
};
