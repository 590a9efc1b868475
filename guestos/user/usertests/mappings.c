/* SPDX-License-Identifier: MIT */
/* mmap and its kin: private and shared, of files and of nothing, with their errors. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usertests.h"

enum {
    PAGE = 4096,
    FILE_BYTES = 3 * PAGE + 100,
    MANY_PAGES = 64,
    RACERS = 4,
    RACE_ROUNDS = 200,
};

static volatile char *target;

static void read_target(void)
{
    (void)*target;
}

static void write_target(void)
{
    *target = 1;
}

static char *map(size_t size, int protection, int flags, int descriptor, off_t offset)
{
    char *pages = mmap(NULL, size, protection, flags, descriptor, offset);

    CHECK(pages != MAP_FAILED);
    return pages;
}

static char *map_memory(size_t size, int sharing)
{
    return map(size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
}

/* A file of FILE_BYTES bytes: each says in which page it is. */
static int open_letters(void)
{
    int descriptor = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char byte;

    CHECK(descriptor >= 0);
    for (int i = 0; i < FILE_BYTES; i++) {
        byte = (char)('a' + i / PAGE);
        CHECK(i % 500 != 0 || lseek(descriptor, i, SEEK_SET) == i);
        if (i % 500 == 0 || i == FILE_BYTES - 1)
            CHECK(pwrite(descriptor, &byte, 1, i) == 1);
    }
    return descriptor;
}

static char byte_at(int descriptor, off_t offset)
{
    char byte;

    CHECK(pread(descriptor, &byte, 1, offset) == 1);
    return byte;
}

static void end_file(int descriptor)
{
    CHECK(close(descriptor) == 0 && unlink("mapped") == 0);
}

static void anonymous_memory_is_zeros_and_goes_back(void)
{
    char *pages = map_memory(MANY_PAGES * PAGE, MAP_PRIVATE);

    for (int i = 0; i < MANY_PAGES; i++) {
        CHECK(pages[i * PAGE] == 0 && pages[i * PAGE + PAGE - 1] == 0);
        pages[i * PAGE] = (char)i;
    }
    CHECK(munmap(pages + PAGE, PAGE) == 0);
    target = pages + PAGE;
    CHECK(is_ended_by(read_target, SIGSEGV));
    CHECK(pages[0] == 0 && pages[2 * PAGE] == 2);
    CHECK(munmap(pages, MANY_PAGES * PAGE) == 0);
    target = pages;
    CHECK(is_ended_by(write_target, SIGSEGV));
    CHECK(munmap(pages, PAGE) == 0);
}

static void mappings_keep_off_each_other_the_heap_and_the_stack(void)
{
    char *first = map_memory(2 * PAGE, MAP_PRIVATE), *second = map_memory(PAGE, MAP_SHARED);
    char *heap = sbrk(PAGE), local = 0;

    CHECK(heap != (char *)-1);
    CHECK(second + PAGE <= first || first + 2 * PAGE <= second);
    CHECK(heap + PAGE <= first && heap + PAGE <= second && &local > first && &local > second);
    CHECK_ERROR((long)sbrk(first - heap), ENOMEM);
    CHECK(sbrk(-PAGE) != (char *)-1);
    CHECK(munmap(first, 2 * PAGE) == 0 && munmap(second, PAGE) == 0);
}

static void fixed_mapping_takes_the_place_of_what_was_there(void)
{
    char *pages = map_memory(3 * PAGE, MAP_PRIVATE), *middle;

    memset(pages, 'x', 3 * PAGE);
    middle = mmap(pages + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(middle == pages + PAGE);
    CHECK(pages[PAGE - 1] == 'x' && middle[0] == 0 && pages[2 * PAGE] == 'x');
    target = middle;
    CHECK(is_ended_by(write_target, SIGSEGV));
    CHECK(munmap(pages, 3 * PAGE) == 0);
}

static void private_mapping_shows_the_file_and_keeps_changes(void)
{
    int descriptor = open_letters();
    char *pages = map(FILE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);

    CHECK(pages[0] == 'a' && pages[2 * PAGE + 308] == 'c' && pages[1] == 0);
    CHECK(pages[FILE_BYTES - 1] == 'd' && pages[FILE_BYTES] == 0);
    pages[0] = 'z';
    CHECK(byte_at(descriptor, 0) == 'a');
    CHECK(munmap(pages, FILE_BYTES) == 0);
    CHECK(byte_at(descriptor, 0) == 'a');
    end_file(descriptor);
}

static void shared_mapping_is_the_file(void)
{
    int descriptor = open_letters();
    char *pages = map(FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    char *second = map(PAGE, PROT_READ, MAP_SHARED, descriptor, PAGE);

    CHECK(close(open("mapped", O_RDONLY)) == 0);
    pages[PAGE] = 'X';
    CHECK(second[0] == 'X' && byte_at(descriptor, PAGE) == 'X');
    CHECK(pwrite(descriptor, "Y", 1, PAGE) == 1);
    CHECK(pages[PAGE] == 'Y' && second[0] == 'Y');
    CHECK(msync(pages, FILE_BYTES, MS_SYNC) == 0);
    CHECK(munmap(pages, FILE_BYTES) == 0 && munmap(second, PAGE) == 0);
    CHECK(byte_at(descriptor, PAGE) == 'Y');
    end_file(descriptor);
}

static void shared_mapping_fills_holes(void)
{
    int descriptor = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char *pages;

    CHECK(descriptor >= 0 && ftruncate(descriptor, 8 * PAGE) == 0);
    pages = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    CHECK(pages[5 * PAGE] == 0);
    pages[5 * PAGE] = 'h';
    CHECK(byte_at(descriptor, 5 * PAGE) == 'h' && byte_at(descriptor, 5 * PAGE + 1) == 0);
    CHECK(munmap(pages, 8 * PAGE) == 0);
    CHECK(byte_at(descriptor, 5 * PAGE) == 'h');
    end_file(descriptor);
}

static void mapping_outlives_descriptor_and_name(void)
{
    int descriptor = open_letters();
    char *pages = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

    end_file(descriptor);
    CHECK(pages[0] == 'a');
    pages[0] = 'b';
    CHECK(munmap(pages, PAGE) == 0);
}

static void touch_behind_the_end_is_sigbus(void)
{
    int descriptor = open_letters();
    char *private = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
    char *shared = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

    target = private + 4 * PAGE;
    CHECK(is_ended_by(read_target, SIGBUS) && is_ended_by(write_target, SIGBUS));
    target = shared + 4 * PAGE;
    CHECK(is_ended_by(read_target, SIGBUS) && is_ended_by(write_target, SIGBUS));
    CHECK_ERROR(read(descriptor, shared + 4 * PAGE, 1), EFAULT);
    CHECK(ftruncate(descriptor, 5 * PAGE) == 0);
    CHECK(shared[4 * PAGE] == 0);
    CHECK(munmap(private, 8 * PAGE) == 0 && munmap(shared, 8 * PAGE) == 0);
    end_file(descriptor);
}

/* Each of some processes adds to its own counter and to everybody's, page by page. */
static void count(volatile unsigned *counters, int which)
{
    for (int i = 0; i < RACE_ROUNDS; i++) {
        __atomic_fetch_add(&counters[0], 1, __ATOMIC_RELAXED);
        counters[(size_t)(which + 1) * PAGE / sizeof(*counters)]++;
    }
}

static void children_share_what_is_shared(void)
{
    volatile unsigned *counters = (void *)map_memory((RACERS + 1) * PAGE, MAP_SHARED);
    char *private = map_memory(PAGE, MAP_PRIVATE);
    pid_t pids[RACERS];

    counters[1] = 7;
    private[0] = 'p';
    for (int i = 0; i < RACERS; i++) {
        pids[i] = fork_checked();
        if (pids[i] == 0) {
            private[0] = 'c';
            count(counters, i);
            _exit(counters[1] != 7);
        }
    }
    for (int i = 0; i < RACERS; i++)
        CHECK(exit_status_of(pids[i]) == 0);
    CHECK(private[0] == 'p' && counters[0] == RACERS * RACE_ROUNDS);
    for (int i = 0; i < RACERS; i++)
        CHECK(counters[(size_t)(i + 1) * PAGE / sizeof(*counters)] == RACE_ROUNDS);
    CHECK(munmap((void *)counters, (RACERS + 1) * PAGE) == 0 && munmap(private, PAGE) == 0);
}

static void write_reaches_a_file_through_its_own_mapping(void)
{
    int descriptor = open_letters();
    char *pages = map(FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

    CHECK(pwrite(descriptor, pages + PAGE, PAGE, 0) == PAGE);
    CHECK(pages[0] == pages[PAGE]);
    CHECK(pread(descriptor, pages, PAGE, 2 * PAGE) == PAGE);
    CHECK(pages[308] == 'c' && byte_at(descriptor, 308) == 'c');
    CHECK(munmap(pages, FILE_BYTES) == 0);
    end_file(descriptor);
}

static void rights_of_the_descriptor_limit_the_mapping(void)
{
    int descriptor = open_letters(), reads, writes;
    char *pages;

    reads = open("mapped", O_RDONLY);
    writes = open("mapped", O_WRONLY);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reads, 0), EACCES);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writes, 0), EACCES);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writes, 0), EACCES);
    pages = map(PAGE, PROT_READ, MAP_SHARED, reads, 0);
    CHECK_ERROR(mprotect(pages, PAGE, PROT_READ | PROT_WRITE), EACCES);
    target = pages;
    CHECK(is_ended_by(write_target, SIGSEGV));
    CHECK(munmap(pages, PAGE) == 0);
    pages = map(PAGE, PROT_READ, MAP_PRIVATE, reads, 0);
    CHECK(mprotect(pages, PAGE, PROT_READ | PROT_WRITE) == 0);
    pages[0] = 'z';
    CHECK(byte_at(reads, 0) == 'a');
    CHECK(munmap(pages, PAGE) == 0 && close(reads) == 0 && close(writes) == 0);
    end_file(descriptor);
}

static void mmap_refuses_nonsense(void)
{
    int descriptor = open_letters(), console = open("/dev/console", O_RDWR), ends[2];
    int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

    CHECK(pipe(ends) == 0);
    CHECK_ERROR((long)mmap(NULL, 0, PROT_READ, anonymous, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED | anonymous, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, 0x80, anonymous, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, anonymous | 0x1000, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, (size_t)1 << 40, PROT_READ, anonymous, -1, 0), ENOMEM);
    CHECK_ERROR((long)mmap(NULL, (size_t)-1, PROT_READ, anonymous, -1, 0), ENOMEM);
    CHECK_ERROR((long)mmap((void *)1, PAGE, PROT_READ, anonymous | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, anonymous | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERROR(
        (long)mmap((void *)0xffffffc080200000, PAGE, PROT_READ, anonymous | MAP_FIXED, -1, 0),
        EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 63, 0), EBADF);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, descriptor, 100), EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, descriptor, -PAGE), EINVAL);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, console, 0), ENODEV);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ends[0], 0), ENODEV);
    CHECK_ERROR(munmap((void *)100, PAGE), EINVAL);
    CHECK_ERROR(munmap((void *)PAGE, 0), EINVAL);
    CHECK_ERROR(munmap((void *)0xffffffc080200000, PAGE), EINVAL);
    CHECK_ERROR(msync((void *)0x30000000, PAGE, MS_SYNC), ENOMEM);
    CHECK_ERROR(msync((void *)100, PAGE, MS_SYNC), EINVAL);
    CHECK_ERROR(msync((void *)0x30000000, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK(close(console) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
    end_file(descriptor);
}

static void exit_and_exec_let_go_of_mappings(void)
{
    static const char *words[] = {"/bin/true", NULL};
    pid_t pid = fork_checked();

    if (pid == 0) {
        char *shared = map_memory(MANY_PAGES * PAGE, MAP_SHARED);
        int descriptor = open_letters();
        char *pages = map(FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

        memset(shared, 1, MANY_PAGES * PAGE);
        pages[0] = 'E';
        execv(words[0], ARGV(words));
        _exit(1);
    }
    CHECK(exit_status_of(pid) == 0);
    pid = open("mapped", O_RDONLY);
    CHECK(byte_at(pid, 0) == 'E');
    end_file(pid);
}

const struct test mapping_tests[] = {
    TEST(anonymous_memory_is_zeros_and_goes_back),
    TEST(mappings_keep_off_each_other_the_heap_and_the_stack),
    TEST(fixed_mapping_takes_the_place_of_what_was_there),
    TEST(private_mapping_shows_the_file_and_keeps_changes),
    TEST(shared_mapping_is_the_file),
    TEST(shared_mapping_fills_holes),
    TEST(mapping_outlives_descriptor_and_name),
    TEST(touch_behind_the_end_is_sigbus),
    TEST(children_share_what_is_shared),
    TEST(write_reaches_a_file_through_its_own_mapping),
    TEST(rights_of_the_descriptor_limit_the_mapping),
    TEST(mmap_refuses_nonsense),
    TEST(exit_and_exec_let_go_of_mappings),
    TESTS_END,
};
