/* SPDX-License-Identifier: MIT */
/*
 * Frank's file system on the disk in memory as a Linux program under sanitizers: memory that runs
 * out at every allocation in turn, random work against a model; and no page or piece is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frank_disk.h"
#include "frank_kernel.h"
#include "kernel/block/ram_disk.h"
#include "kernel/diskfs/diskfs.h"
#include "kernel/fs/file.h"
#include "kernel/fs/path.h"
#include "kernel/kmalloc.h"
#include "platform.h"
#include "string.h"

#include "frank/errno.h"
#include "frank/fcntl.h"

enum {
    FREE_PAGES = 100000,
    RESERVED_PAGES = 256, /* files leave so many alone */
    MODEL_BYTES = 40 * PAGE_SIZE,
    MODEL_ROUNDS = 4000,
};

/* ---- a file system to test ---------------------------------------------------------------------
 */

static struct block_device *device;
static struct diskfs *fs;
static u32 free_blocks; /* of an empty file system */
static long pieces_at_rest;

static void nothing_done(struct block_request *request, int error)
{
    (void)request;
    assert_int_equal(error, 0);
}

/* The disk begins as one page, which is block 0. */
static int register_disk(void **state)
{
    pa_t image = page_alloc(), page;

    (void)state;
    assert_int_equal(ram_disk_register(image, 100), 0);
    pieces_at_rest = frank_pieces_in_use;
    device = block_find("ram0");
    assert_non_null(device);
    page = device->page(device, 0);
    assert_int_equal(page, image);
    page_put(page);
    return 0;
}

/* Make an empty file system on the disk, by requests. */
static void format(void)
{
    struct frank_disk made;

    frank_disk_create(&made, device->block_count);
    for (u32 block = 0; block < device->block_count; block++) {
        static const u8 zeros[PAGE_SIZE];
        u8 *content = made.content + (u64)block * PAGE_SIZE;
        struct block_request request = {
            .operation = BLOCK_WRITE,
            .block = block,
            .page = page_alloc(),
            .done = nothing_done,
        };

        if (memcmp(content, zeros, PAGE_SIZE) != 0) {
            memcpy(pa_to_kva(request.page), content, PAGE_SIZE);
            device->submit(device, &request);
        }
        page_put(request.page);
    }
    frank_disk_destroy(&made);
}

static int set_up(void **state)
{
    struct inode *root;

    (void)state;
    frank_allocations_left = -1;
    frank_free_pages = FREE_PAGES;
    format();
    assert_int_equal(diskfs_mount(device, &fs, &root), 0);
    free_blocks = diskfs_usage(fs).free_blocks;
    path_set_root(root, NULL);
    file_table_init(frank_files);
    return 0;
}

static void remove_tree(struct inode *directory)
{
    struct frank_dirent entry;
    u64 cursor = 0;

    while (directory->directory->read_entry(directory, &cursor, &entry) == 1) {
        bool is_directory = entry.mode == INODE_DIRECTORY;
        struct inode *child;

        assert_int_equal(directory->directory->lookup(directory, entry.name, &child), 0);
        if (is_directory)
            remove_tree(child);
        inode_put(child);
        assert_int_equal(directory->directory->unlink(directory, entry.name, is_directory), 0);
    }
}

/* Remove everything; then nothing may be left. */
static int tear_down(void **state)
{
    struct inode *root = path_root();

    (void)state;
    frank_allocations_left = -1;
    frank_free_pages = FREE_PAGES;
    file_table_close_all(frank_files);
    remove_tree(root);
    assert_int_equal(diskfs_usage(fs).free_blocks, free_blocks - root->size / PAGE_SIZE);
    inode_put(root);
    assert_int_equal(diskfs_unmount(fs), 0);
    for (u32 block = 0; block < device->block_count; block++)
        device->discard(device, block);
    assert_int_equal(frank_pages_in_use, 0);
    assert_int_equal(frank_pieces_in_use, pieces_at_rest);
    return 0;
}

static struct inode *make(const char *path, enum inode_type type)
{
    struct path_end end PATH_END_REF = {NULL};
    struct inode *inode;

    assert_int_equal(path_lookup_end(path, &end), 0);
    assert_int_equal(end.directory->directory->create(end.directory, end.name, type, 0644, &inode),
                     0);
    return inode;
}

static void write_text(struct inode *inode, const char *text)
{
    u64 offset = 0;

    assert_int_equal(inode->ops->write(inode, (uva_t)text, strlen(text), &offset), strlen(text));
}

static void assert_text(const char *path, const char *text)
{
    char back[64];
    struct inode *inode;

    assert_int_equal(path_lookup(path, &inode), 0);
    assert_int_equal(inode->ops->read(inode, (uva_t)back, sizeof(back), &(u64){0}), strlen(text));
    assert_memory_equal(back, text, strlen(text));
    inode_put(inode);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

/* Until it works: a directory with a file of some pages. */
static int make_tree(void)
{
    static u8 bytes[20 * PAGE_SIZE];
    struct inode *root = path_root(), *directory, *file;
    u64 offset = 0;
    ssize_t done;
    int error = root->directory->create(root, "directory", INODE_DIRECTORY, 0755, &directory);

    inode_put(root);
    if (error)
        return error;
    error = directory->directory->create(directory, "file", INODE_REGULAR, 0644, &file);
    inode_put(directory);
    if (error)
        return error;
    done = file->ops->write(file, (uva_t)bytes, sizeof(bytes), &offset);
    inode_put(file);
    return done < 0 ? (int)done : done == (ssize_t)sizeof(bytes) ? 0 : -ENOSPC;
}

static void memory_may_run_out_at_any_allocation(void **state)
{
    int error = -ENOSPC;

    (void)state;
    for (long limit = 0; error; limit++) {
        struct inode *root = path_root();

        frank_allocations_left = limit;
        error = make_tree();
        assert_true(error == 0 || error == -ENOSPC || error == -ENOMEM);
        frank_allocations_left = -1;
        remove_tree(root);
        inode_put(root);
    }
}

static void files_leave_memory_to_processes_and_give_back_what_they_had(void **state)
{
    struct inode *root = path_root(), *file = make("/file", INODE_REGULAR);
    long before;

    (void)state;
    write_text(file, "as long as there was room");
    before = frank_pages_in_use;
    frank_free_pages = RESERVED_PAGES;
    assert_int_equal(make_tree(), -ENOSPC);
    assert_text("/file", "as long as there was room");
    frank_free_pages = RESERVED_PAGES + 1;
    remove_tree(root);
    assert_int_equal(make_tree(), 0);
    frank_free_pages = RESERVED_PAGES;
    remove_tree(root);
    inode_put(file);
    inode_put(root);
    assert_true(frank_pages_in_use < before);
}

static void a_block_of_an_old_image_is_zeros_in_a_new_file(void **state)
{
    struct inode *file = make("/file", INODE_REGULAR);
    u32 first = device->block_count - (u32)diskfs_usage(fs).block_count; /* of the data */
    static const u8 zeros[100];
    u8 back[101];
    u64 offset = 100;

    (void)state;
    for (u32 block = first + 1; block < first + 9; block++) {
        pa_t page = device->page(device, block);

        memset(pa_to_kva(page), 0x5a, PAGE_SIZE);
        page_put(page);
    }
    assert_int_equal(file->ops->write(file, (uva_t) "x", 1, &offset), 1);
    assert_int_equal(file->ops->read(file, (uva_t)back, sizeof(back), &(u64){0}), sizeof(back));
    assert_memory_equal(back, zeros, sizeof(zeros));
    assert_int_equal(back[100], 'x');
    inode_put(file);
}

/* ---- files -------------------------------------------------------------------------------------
 */

/* One random change to the file and to the model, which then has the same size. */
static void change(struct inode *inode, u8 *model, u64 *size)
{
    static u8 bytes[3 * PAGE_SIZE];
    u64 offset = (u64)rand() % (MODEL_BYTES - sizeof(bytes));
    size_t count = (size_t)rand() % sizeof(bytes);
    u64 at = offset;

    if (rand() % 4 == 0) {
        assert_int_equal(inode->ops->truncate(inode, offset), 0);
        if (offset < *size)
            memset(model + offset, 0, *size - offset);
        *size = offset;
        return;
    }
    memset(bytes, rand(), count);
    assert_int_equal(inode->ops->write(inode, (uva_t)bytes, count, &at), count);
    assert_int_equal(at, offset + count);
    memcpy(model + offset, bytes, count);
    if (count > 0)
        *size = max(*size, offset + count);
}

static void assert_same(struct inode *inode, const u8 *model, u64 size)
{
    static u8 back[MODEL_BYTES];
    pa_t page;

    assert_int_equal(inode->size, size);
    assert_int_equal(inode->ops->read(inode, (uva_t)back, sizeof(back), &(u64){0}), size);
    assert_memory_equal(back, model, size);
    for (u64 i = 0; i < (size + PAGE_SIZE - 1) / PAGE_SIZE; i++) {
        assert_int_equal(inode->ops->get_page(inode, i, false, &page), 0);
        assert_memory_equal(pa_to_kva(page), model + i * PAGE_SIZE, PAGE_SIZE);
        page_put(page);
    }
    assert_int_equal(inode->ops->get_page(inode, (size + PAGE_SIZE - 1) / PAGE_SIZE, false, &page),
                     -EINVAL);
}

static void a_file_behaves_as_an_array_of_bytes(void **state)
{
    static u8 model[MODEL_BYTES + PAGE_SIZE];
    struct inode *root = path_root();
    struct inode *inode;
    u64 size = 0;

    (void)state;
    srand(2);
    assert_int_equal(root->directory->create(root, "file", INODE_REGULAR, 0644, &inode), 0);
    for (int i = 0; i < MODEL_ROUNDS; i++) {
        change(inode, model, &size);
        if (i % 16 == 0)
            assert_same(inode, model, size);
    }
    assert_same(inode, model, size);
    inode_put(inode);
    inode_put(root);
}

static void a_failed_copy_leaves_no_trace_behind_the_end(void **state)
{
    struct inode *root = path_root();
    struct inode *inode;
    u64 offset = 10;
    char back[32];

    (void)state;
    assert_int_equal(root->directory->create(root, "file", INODE_REGULAR, 0644, &inode), 0);
    assert_int_equal(inode->ops->write(inode, 0, 5, &offset), -EFAULT);
    assert_int_equal(inode->size, 0);
    assert_int_equal(inode->ops->truncate(inode, 20), 0);
    assert_int_equal(inode->ops->read(inode, (uva_t)back, sizeof(back), &(u64){0}), 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(back[i], 0);
    inode_put(inode);
    inode_put(root);
}

static void a_page_in_use_outlives_its_file(void **state)
{
    struct inode *root = path_root();
    struct inode *inode;
    u64 offset = 0;
    char text[] = "mapped";
    pa_t page;

    (void)state;
    assert_int_equal(root->directory->create(root, "file", INODE_REGULAR, 0644, &inode), 0);
    assert_int_equal(inode->ops->write(inode, (uva_t)text, sizeof(text), &offset), sizeof(text));
    assert_int_equal(inode->ops->get_page(inode, 0, false, &page), 0);
    assert_int_equal(root->directory->unlink(root, "file", false), 0);
    inode_put(inode);
    assert_string_equal(pa_to_kva(page), "mapped");
    page_put(page);
    inode_put(root);
}

/* ---- names and descriptors ---------------------------------------------------------------------
 */

static void paths_lead_where_they_should(void **state)
{
    static char path[FRANK_PATH_SIZE];
    struct inode *inode;

    (void)state;
    inode_put(make("/bin", INODE_DIRECTORY));
    inode_put(make("/etc", INODE_DIRECTORY));
    inode_put(make("/etc/deep", INODE_DIRECTORY));
    inode_put(make("/etc/deep/er", INODE_DIRECTORY));
    inode = make("/etc/deep/er/file", INODE_REGULAR);
    write_text(inode, "text");
    inode_put(inode);
    inode = make("/bin/prog", INODE_REGULAR);
    write_text(inode, "not really a program");
    inode_put(inode);
    assert_text("bin/../etc/./deep//er/file", "text");
    assert_text("../../bin/prog", "not really a program");
    assert_int_equal(path_lookup("bin/prog/", &inode), -ENOTDIR);
    assert_int_equal(path_lookup("bin/prog/..", &inode), -ENOTDIR);
    assert_int_equal(path_lookup("", &inode), -ENOENT);
    memset(path, 'n', 300);
    assert_int_equal(path_lookup(path, &inode), -ENAMETOOLONG);
    assert_int_equal(path_lookup("etc/deep/er", &inode), 0);
    inode_put(inode);
}

static void opening_survives_every_lack_of_memory(void **state)
{
    int descriptor = -1;

    (void)state;
    for (long limit = 0; descriptor < 0; limit++) {
        frank_allocations_left = limit;
        descriptor = file_open(frank_files, "/file", O_RDWR | O_CREAT, 0644);
        assert_true(descriptor >= 0 || descriptor == -ENOSPC || descriptor == -ENOMEM);
    }
    frank_allocations_left = -1;
    assert_int_equal(descriptor, 0);
}

static void a_table_and_its_copy_close_apart(void **state)
{
    struct file_table copy;
    struct file *file;

    (void)state;
    assert_int_equal(file_open(frank_files, "/file", O_RDWR | O_CREAT, 0644), 0);
    assert_int_equal(file_open(frank_files, "/file", O_RDONLY | O_CLOEXEC, 0), 1);
    file_table_clone(&copy, frank_files);
    file_table_close_on_exec(&copy);
    assert_null(file_table_get(&copy, 1));
    file = file_table_get(frank_files, 1);
    assert_non_null(file);
    file_put(file);
    assert_null(file_table_get(&copy, 2));
    assert_null(file_table_get(&copy, ~0UL));
    file = file_table_get(&copy, 0);
    assert_int_equal(file_table_replace(&copy, file, FILE_TABLE_SLOTS - 1), FILE_TABLE_SLOTS - 1);
    assert_null(file_table_get(&copy, FILE_TABLE_SLOTS - 2));
    file_table_close_all(&copy);
}

#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(memory_may_run_out_at_any_allocation),
        FILES_TEST(files_leave_memory_to_processes_and_give_back_what_they_had),
        FILES_TEST(a_block_of_an_old_image_is_zeros_in_a_new_file),
        FILES_TEST(a_file_behaves_as_an_array_of_bytes),
        FILES_TEST(a_failed_copy_leaves_no_trace_behind_the_end),
        FILES_TEST(a_page_in_use_outlives_its_file),
        FILES_TEST(paths_lead_where_they_should),
        FILES_TEST(opening_survives_every_lack_of_memory),
        FILES_TEST(a_table_and_its_copy_close_apart),
    };

    return cmocka_run_group_tests(tests, register_disk, NULL);
}
