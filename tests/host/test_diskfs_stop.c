/* SPDX-License-Identifier: MIT */
/*
 * The machine stops at any moment: after every write of a random piece of work, with any part of
 * what no flush had followed. Then the disk is mounted and looked at: what was synced and not
 * touched since is whole, what was moved is at one of its places, what was replaced was replaced in
 * one step, and no block or inode is lost.
 *
 * A larger work is stopped at random points: STOPS of them, in a work that SEED decides (make
 * soak).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frank_disk.h"
#include "frank_kernel.h"
#include "kernel/diskfs/diskfs.h"
#include "kernel/fs/inode.h"
#include "kernel/page.h"
#include "printf.h"
#include "string.h"

enum {
    DISK_BLOCKS = 700,
    FILES = 8,
    FOLDERS = 3,
    STEPS = 60,
    LARGE_STEPS = 1500,
    SHORT_STEPS = 200, /* without STOPS */
    SHORT_STOPS = 10,
    ROUNDS = 3,
    BYTES_MAX = 60000,
    STOPS_A_POINT = 3, /* nothing of what was not flushed, then random parts of it */
    NAME_BYTES = 16,
};

/* What a file is after a step. */
struct state {
    bool exists;
    unsigned folder;
    unsigned name;    /* never used twice, but where one file takes another's */
    unsigned version; /* of its content */
    bool is_loose;    /* content changed since the last sync, which may be there in part */
};

struct step {
    u32 first_event; /* what it does to the disk is from here on */
    bool is_sync;
    struct state files[FILES];
};

struct work {
    struct frank_disk disk;
    u8 *start; /* the disk when the diary began */
    struct diskfs *fs;
    struct inode *folders[FOLDERS];
    struct step *steps;
    unsigned step_count;
    unsigned names, versions;
    struct inode *open; /* a removed file that somebody has open, or NULL */
};

static struct work work;
static u64 seed;

static u32 random_below(u32 limit)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (u32)(seed >> 33) % limit;
}

static bool by_chance(void)
{
    return random_below(2) != 0;
}

static bool never(void)
{
    return false;
}

/* ---- content -----------------------------------------------------------------------------------
 */

static size_t content_size(unsigned version)
{
    return 16 + version * 7919U % BYTES_MAX;
}

/* A file's bytes tell whose they are. */
static void make_content(u8 *bytes, unsigned file, unsigned version)
{
    size_t size = content_size(version);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (u8)(i * 31 + file * 101 + version * 17);
    bytes[0] = (u8)file;
    bytes[1] = (u8)version;
    bytes[2] = (u8)(version >> 8);
}

static void write_content(struct inode *inode, unsigned file, unsigned version)
{
    static u8 bytes[BYTES_MAX + 16];
    u64 offset = 0;

    make_content(bytes, file, version);
    assert_int_equal(inode->ops->write(inode, (uva_t)bytes, content_size(version), &offset),
                     content_size(version));
}

static void name_of(char *text, unsigned name)
{
    snprintf(text, NAME_BYTES, "name%u", name);
}

/* ---- the work ----------------------------------------------------------------------------------
 */

static struct inode *find(struct inode *directory, const char *name)
{
    struct inode *inode;

    assert_int_equal(directory->directory->lookup(directory, name, &inode), 0);
    return inode;
}

static struct inode *find_file(const struct state *state)
{
    char name[NAME_BYTES];

    name_of(name, state->name);
    return find(work.folders[state->folder], name);
}

static void create_file(struct state *state, unsigned file)
{
    char name[NAME_BYTES];
    struct inode *folder, *inode;

    *state = (struct state){true, random_below(FOLDERS), ++work.names, ++work.versions, true};
    name_of(name, state->name);
    folder = work.folders[state->folder];
    assert_int_equal(folder->directory->create(folder, name, INODE_REGULAR, 0644, &inode), 0);
    write_content(inode, file, state->version);
    inode_put(inode);
}

static void rewrite_file(struct state *state, unsigned file)
{
    struct inode *inode = find_file(state);

    if (by_chance())
        assert_int_equal(inode->ops->truncate(inode, random_below(BYTES_MAX)), 0);
    state->version = ++work.versions;
    state->is_loose = true;
    write_content(inode, file, state->version);
    assert_int_equal(inode->ops->truncate(inode, content_size(state->version)), 0);
    inode_put(inode);
}

static void remove_file(struct state *state)
{
    struct inode *folder = work.folders[state->folder];
    char name[NAME_BYTES];

    if (by_chance()) {
        inode_put(work.open);
        work.open = find_file(state);
    }
    name_of(name, state->name);
    assert_int_equal(folder->directory->unlink(folder, name, false), 0);
    state->exists = false;
}

/* To a new name, or to another file's, which is no more then. */
static void move_file(struct state *state, struct state *other)
{
    struct inode *from = work.folders[state->folder], *to;
    char name[NAME_BYTES], new_name[NAME_BYTES];
    bool replaces = other != state && other->exists;
    unsigned folder = replaces ? other->folder : random_below(FOLDERS);
    unsigned new_number = replaces ? other->name : ++work.names;

    to = work.folders[folder];
    name_of(name, state->name);
    name_of(new_name, new_number);
    assert_int_equal(from->directory->rename(from, name, to, new_name), 0);
    state->folder = folder;
    state->name = new_number;
    if (replaces)
        other->exists = false;
}

static void sync(struct state *files)
{
    assert_int_equal(diskfs_sync(work.fs), 0);
    for (unsigned i = 0; i < FILES; i++)
        files[i].is_loose = false;
}

static void do_step(struct step *step)
{
    unsigned file = random_below(FILES);
    struct state *state = &step->files[file];

    step->first_event = work.disk.event_count;
    step->is_sync = random_below(6) == 0;
    if (step->is_sync)
        sync(step->files);
    else if (!state->exists)
        create_file(state, file);
    else if (random_below(3) == 0)
        rewrite_file(state, file);
    else if (random_below(4) == 0)
        remove_file(state);
    else
        move_file(state, &step->files[random_below(FILES)]);
}

static void do_work(unsigned step_count)
{
    struct inode *root;

    frank_disk_create(&work.disk, DISK_BLOCKS);
    assert_int_equal(diskfs_mount(&work.disk.device, &work.fs, &root), 0);
    for (unsigned i = 0; i < FOLDERS; i++) {
        char name[NAME_BYTES];

        snprintf(name, sizeof(name), "folder%u", i);
        assert_int_equal(
            root->directory->create(root, name, INODE_DIRECTORY, 0755, &work.folders[i]), 0);
    }
    assert_int_equal(diskfs_sync(work.fs), 0);
    work.start = malloc(DISK_BLOCKS * PAGE_SIZE);
    memcpy(work.start, work.disk.content, DISK_BLOCKS * PAGE_SIZE);
    frank_disk_begin_diary(&work.disk);
    work.steps = calloc(step_count, sizeof(*work.steps));
    work.step_count = step_count;
    for (unsigned i = 0; i < step_count; i++) {
        if (i > 0)
            memcpy(work.steps[i].files, work.steps[i - 1].files, sizeof(work.steps[i].files));
        do_step(&work.steps[i]);
    }
    inode_put(work.open);
    work.open = NULL;
    for (unsigned i = 0; i < FOLDERS; i++)
        inode_put(work.folders[i]);
    assert_int_equal(diskfs_unmount(work.fs), 0);
}

static void forget_work(void)
{
    frank_disk_destroy(&work.disk);
    free(work.start);
    free(work.steps);
    memset(&work, 0, sizeof(work));
}

/* ---- what may be there after a stop ------------------------------------------------------------
 */

/* The steps whose outcome may be seen after so many events: from a sync that was over (or the state
   before the first step, -1) to the last that had begun. */
struct span {
    int first;
    int last;
};

static struct span steps_at(u32 events)
{
    struct span span = {-1, -1};

    for (int i = 0; i < (int)work.step_count; i++) {
        u32 end = i + 1 < (int)work.step_count ? work.steps[i + 1].first_event
                                               : work.disk.event_count;

        if (work.steps[i].first_event < events)
            span.last = i;
        if (work.steps[i].is_sync && end <= events)
            span.first = i;
    }
    span.last = max(span.last, span.first);
    return span;
}

static const struct state *state_at(int step, unsigned file)
{
    static const struct state nothing;

    return step < 0 ? &nothing : &work.steps[step].files[file];
}

/* Whether a file may be under a name with a content; NULL: with any, or none. */
static bool may_be(struct span span, unsigned file, unsigned folder, unsigned name,
                   const unsigned *version)
{
    for (int step = span.first; step <= span.last; step++) {
        const struct state *state = state_at(step, file);

        if (state->exists && state->folder == folder && state->name == name &&
            (!version || state->is_loose || state->version == *version))
            return true;
    }
    return false;
}

static bool is_loose(struct span span, unsigned file)
{
    for (int step = span.first; step <= span.last; step++) {
        if (state_at(step, file)->is_loose)
            return true;
    }
    return false;
}

static bool exists_throughout(struct span span, unsigned file)
{
    for (int step = span.first; step <= span.last; step++) {
        if (!state_at(step, file)->exists)
            return false;
    }
    return true;
}

/* Whether some file had a name after each step. */
static bool name_is_taken_throughout(struct span span, unsigned folder, unsigned name)
{
    for (int step = span.first; step <= span.last; step++) {
        bool taken = false;

        for (unsigned file = 0; file < FILES; file++) {
            const struct state *state = state_at(step, file);

            taken = taken || (state->exists && state->folder == folder && state->name == name);
        }
        if (!taken)
            return false;
    }
    return true;
}

/* ---- looking -----------------------------------------------------------------------------------
 */

/* One file that is there: it may be, as it is. Returns whose it is; FILES: an empty or cut one. */
static unsigned look_at(struct span span, struct inode *inode, unsigned folder, unsigned name)
{
    static u8 bytes[BYTES_MAX + 16], expected[BYTES_MAX + 16];
    ssize_t size = inode->ops->read(inode, (uva_t)bytes, sizeof(bytes), &(u64){0});
    unsigned file, version;

    assert_int_equal(size, inode->size);
    file = size > 0 ? bytes[0] : FILES;
    version = size > 2 ? bytes[1] + 256U * bytes[2] : 0;
    if (file >= FILES || !may_be(span, file, folder, name, &version)) {
        /* Not as it was written: somebody was about to write it. */
        for (file = 0; file < FILES; file++) {
            if (may_be(span, file, folder, name, NULL) && is_loose(span, file))
                return file;
        }
        fail_msg("folder %u, name %u: %ld bytes that nobody may have left", folder, name, size);
    }
    if (!is_loose(span, file)) {
        make_content(expected, file, version);
        assert_int_equal(size, content_size(version));
        assert_memory_equal(bytes, expected, size);
    }
    return file;
}

/* All files of a folder, which are removed on the way. */
static void look_into(struct span span, struct inode *directory, unsigned folder, bool *seen)
{
    struct frank_dirent entry;
    u64 cursor = 0;

    for (unsigned name = 1; name <= work.names; name++) {
        char text[NAME_BYTES];
        struct inode *inode;

        name_of(text, name);
        if (!name_is_taken_throughout(span, folder, name))
            continue;
        assert_int_equal(directory->directory->lookup(directory, text, &inode), 0);
        inode_put(inode);
    }
    while (directory->directory->read_entry(directory, &cursor, &entry) == 1) {
        struct inode *inode = find(directory, entry.name);

        seen[look_at(span, inode, folder, (unsigned)strtoul(entry.name + 4, NULL, 10))] = true;
        inode_put(inode);
        assert_int_equal(directory->directory->unlink(directory, entry.name, false), 0);
    }
}

static void look_after(u32 events, bool (*keeps)(void))
{
    struct span span = steps_at(events);
    bool seen[FILES + 1] = {false};
    struct frank_statvfs usage;
    struct frank_disk copy;
    struct inode *root;
    struct diskfs *fs;

    frank_disk_stop(&work.disk, work.start, events, keeps, &copy);
    assert_int_equal(diskfs_mount(&copy.device, &fs, &root), 0);
    for (unsigned i = 0; i < FOLDERS; i++) {
        struct inode *folder;
        char name[NAME_BYTES];

        snprintf(name, sizeof(name), "folder%u", i);
        folder = find(root, name);
        look_into(span, folder, i, seen);
        inode_put(folder);
        assert_int_equal(root->directory->unlink(root, name, true), 0);
    }
    for (unsigned file = 0; file < FILES; file++)
        assert_true(seen[file] || !exists_throughout(span, file));
    assert_int_equal(diskfs_sync(fs), 0);
    usage = diskfs_usage(fs);
    assert_int_equal(usage.free_inodes, usage.inode_count - 1);
    assert_int_equal(usage.free_blocks, usage.block_count - root->size / PAGE_SIZE);
    assert_int_equal(diskfs_unmount(fs), 0);
    frank_disk_destroy(&copy);
    assert_int_equal(frank_pages_in_use, 0);
    assert_int_equal(frank_pieces_in_use, 0);
}

static void a_stop_at_any_write_loses_nothing_synced(void **state)
{
    (void)state;
    for (u64 round = 0; round < ROUNDS; round++) {
        seed = round;
        do_work(STEPS);
        for (u32 events = 0; events <= work.disk.event_count; events++) {
            for (unsigned i = 0; i < STOPS_A_POINT; i++)
                look_after(events, i == 0 ? never : by_chance);
        }
        forget_work();
    }
}

static u64 number_of(const char *variable, u64 otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

static void a_stop_at_random_points_of_a_larger_work_loses_nothing_synced(void **state)
{
    u64 stops = number_of("STOPS", SHORT_STOPS);

    (void)state;
    seed = number_of("SEED", ROUNDS);
    do_work(getenv("STOPS") ? LARGE_STEPS : SHORT_STEPS);
    for (u64 i = 0; i < stops; i++)
        look_after(random_below(work.disk.event_count + 1), i % 3 == 0 ? never : by_chance);
    print_message("%lu stops, %u writes and flushes\n", stops, work.disk.event_count);
    forget_work();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_at_any_write_loses_nothing_synced),
        cmocka_unit_test(a_stop_at_random_points_of_a_larger_work_loses_nothing_synced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
