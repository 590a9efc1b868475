/* SPDX-License-Identifier: MIT */
/*
 * Frank's file system as a Linux program under sanitizers: damaged archives, memory that runs out
 * at every allocation in turn, random work against a model; and no page or piece is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frank_kernel.h"
#include "kernel/fs/file.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/page_tree.h"
#include "kernel/fs/path.h"
#include "kernel/fs/ramfs.h"
#include "kernel/kmalloc.h"
#include "platform.h"
#include "printf.h"
#include "string.h"

#include "frank/errno.h"
#include "frank/fcntl.h"

enum {
    ARCHIVE_MAX = 8192,
    DAMAGE_ROUNDS = 20000,
    MODEL_BYTES = 40 * PAGE_SIZE,
    MODEL_ROUNDS = 4000,
};

/* ---- a file system to test ---------------------------------------------------------------------
 */

static int set_up(void **state)
{
    struct inode *root = ramfs_create_root();

    (void)state;
    assert_non_null(root);
    path_set_root(root);
    file_table_init(&frank_files);
    return 0;
}

static void remove_tree(struct inode *directory)
{
    struct directory_entry entry;
    u64 cursor = 0;

    while (directory->directory->read_entry(directory, &cursor, &entry) == 1) {
        bool is_directory = entry.type == INODE_DIRECTORY;
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
    file_table_close_all(&frank_files);
    remove_tree(root);
    inode_put(root);
    inode_put(root);
    assert_int_equal(frank_pages_in_use, 0);
    assert_int_equal(frank_pieces_in_use, 0);
    return 0;
}

/* ---- archives ----------------------------------------------------------------------------------
 */

static void add_padded(u8 *archive, size_t *at, const void *bytes, size_t size)
{
    memcpy(archive + *at, bytes, size);
    *at += size;
    while (*at % 4)
        archive[(*at)++] = 0;
}

static void add_member(u8 *archive, size_t *at, const char *name, u32 mode, const char *content)
{
    char head[512];
    size_t size = strlen(content);
    int length = snprintf(
        head, sizeof(head), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s", 1u,
        mode, 0u, 0u, 1u, 0u, (unsigned)size, 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1, 0u, name);

    add_padded(archive, at, head, (size_t)length + 1);
    add_padded(archive, at, content, size);
}

static size_t make_archive(u8 *archive)
{
    size_t at = 0;

    add_member(archive, &at, ".", 0040755, "");
    add_member(archive, &at, "bin", 0040755, "");
    add_member(archive, &at, "bin/prog", 0100755, "not really a program");
    add_member(archive, &at, "./etc/deep/er/file", 0100644, "text");
    add_member(archive, &at, "dev/null", 0020666, "");
    add_member(archive, &at, "empty", 0100600, "");
    add_member(archive, &at, "TRAILER!!!", 0, "");
    return at;
}

static void assert_content(const char *path, const char *content)
{
    char back[64];
    struct inode *inode;
    ssize_t size;

    assert_int_equal(path_lookup(path, &inode), 0);
    size = inode_read_kernel(inode, back, sizeof(back), 0);
    assert_int_equal(size, strlen(content));
    assert_memory_equal(back, content, strlen(content));
    inode_put(inode);
}

static void an_archive_becomes_files(void **state)
{
    static u8 archive[ARCHIVE_MAX];
    size_t size = make_archive(archive);
    struct inode *inode;

    (void)state;
    assert_int_equal(initrd_unpack(archive, size), 0);
    assert_content("/bin/prog", "not really a program");
    assert_content("/etc/deep/er/file", "text");
    assert_content("//empty", "");
    assert_int_equal(path_lookup("/dev/null", &inode), -ENOENT);
    assert_int_equal(path_lookup("/bin/prog", &inode), 0);
    assert_int_equal(inode->permissions, 0755);
    inode_put(inode);
    /* Once more, over what is there. */
    assert_int_equal(initrd_unpack(archive, size), 0);
    assert_content("/bin/prog", "not really a program");
}

static void a_short_archive_is_refused_at_every_length(void **state)
{
    static u8 archive[ARCHIVE_MAX];
    size_t size = make_archive(archive);

    (void)state;
    for (size_t cut = 0; cut < size - 4; cut++) {
        /* On the heap, so that reading behind it is noticed. */
        u8 *copy = malloc(cut ? cut : 1);

        memcpy(copy, archive, cut);
        assert_int_equal(initrd_unpack(copy, cut), -EINVAL);
        free(copy);
    }
}

static void a_damaged_archive_does_no_harm(void **state)
{
    static u8 archive[ARCHIVE_MAX];
    size_t size = make_archive(archive);
    u8 *copy = malloc(size);
    int refused = 0;

    (void)state;
    srand(1);
    for (int i = 0; i < DAMAGE_ROUNDS; i++) {
        int error;

        memcpy(copy, archive, size);
        for (int j = rand() % 4; j >= 0; j--)
            copy[(size_t)rand() % size] = rand() % 2 ? (u8)rand() : (u8) "0F/.\0"[rand() % 5];
        error = initrd_unpack(copy, size);
        assert_true(error == 0 || error == -EINVAL || error == -ENOSPC);
        refused += error != 0;
        (void)tear_down(state);
        (void)set_up(state);
    }
    assert_true(refused > DAMAGE_ROUNDS / 10);
    free(copy);
}

static void memory_may_run_out_at_any_allocation(void **state)
{
    static u8 archive[ARCHIVE_MAX];
    size_t size = make_archive(archive);
    int error = -ENOSPC;

    (void)state;
    for (long limit = 0; error == -ENOSPC; limit++) {
        frank_allocations_left = limit;
        error = initrd_unpack(archive, size);
        (void)tear_down(state);
        (void)set_up(state);
    }
    assert_int_equal(error, 0);
}

/* ---- files -------------------------------------------------------------------------------------
 */

/* One random change to the file and to the model, which then has the same size. */
static void change(struct inode *inode, u8 *model, u64 *size)
{
    static u8 bytes[3 * PAGE_SIZE];
    u64 offset = (u64)rand() % (MODEL_BYTES - sizeof(bytes));
    size_t count = (size_t)rand() % sizeof(bytes);
    struct uio uio;
    u64 at = offset;

    if (rand() % 4 == 0) {
        assert_int_equal(inode_truncate(inode, offset), 0);
        if (offset < *size)
            memset(model + offset, 0, *size - offset);
        *size = offset;
        return;
    }
    memset(bytes, rand(), count);
    uio_init_kernel(&uio, bytes, count);
    assert_int_equal(inode_write(inode, &uio, &at), count);
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
    assert_int_equal(inode_read_kernel(inode, back, sizeof(back), 0), size);
    assert_memory_equal(back, model, size);
    for (u64 i = 0; i < (size + PAGE_SIZE - 1) / PAGE_SIZE; i++) {
        assert_int_equal(inode_get_page(inode, i, &page), 0);
        assert_memory_equal(pa_to_kva(page), model + i * PAGE_SIZE, PAGE_SIZE);
        page_put(page);
    }
    assert_int_equal(inode_get_page(inode, (size + PAGE_SIZE - 1) / PAGE_SIZE, &page), -EINVAL);
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
    struct uio uio;
    u64 offset = 10;
    char back[32];

    (void)state;
    assert_int_equal(root->directory->create(root, "file", INODE_REGULAR, 0644, &inode), 0);
    uio_init_user(&uio, 0, 5);
    assert_int_equal(inode_write(inode, &uio, &offset), -EFAULT);
    assert_int_equal(inode->size, 0);
    assert_int_equal(frank_pages_in_use, 0);
    assert_int_equal(inode_truncate(inode, 20), 0);
    assert_int_equal(inode_read_kernel(inode, back, sizeof(back), 0), 20);
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
    struct uio uio;
    pa_t page;

    (void)state;
    assert_int_equal(root->directory->create(root, "file", INODE_REGULAR, 0644, &inode), 0);
    uio_init_kernel(&uio, text, sizeof(text));
    assert_int_equal(inode_write(inode, &uio, &offset), sizeof(text));
    assert_int_equal(inode_get_page(inode, 0, &page), 0);
    assert_int_equal(root->directory->unlink(root, "file", false), 0);
    inode_put(inode);
    assert_string_equal(pa_to_kva(page), "mapped");
    page_put(page);
    inode_put(root);
}

static void the_far_ends_of_a_page_tree_hold_pages(void **state)
{
    static const u64 indexes[] = {
        0,
        PAGE_TREE_DIRECT - 1,
        PAGE_TREE_DIRECT,
        PAGE_TREE_DIRECT + PAGE_TREE_NODE_SLOTS - 1,
        PAGE_TREE_DIRECT + PAGE_TREE_NODE_SLOTS,
        PAGE_TREE_MAX_PAGES - 1,
    };
    struct page_tree tree;
    pa_t page;

    (void)state;
    page_tree_init(&tree);
    for (size_t i = 0; i < ARRAY_SIZE(indexes); i++)
        assert_int_equal(page_tree_insert(&tree, indexes[i], page_alloc()), 0);
    page = page_alloc();
    assert_int_equal(page_tree_insert(&tree, PAGE_TREE_MAX_PAGES, page), -EFBIG);
    page_put(page);
    for (size_t cut = ARRAY_SIZE(indexes); cut > 0; cut--) {
        page_tree_cut(&tree, indexes[cut - 1]);
        for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
            page = page_tree_get(&tree, indexes[i]);
            assert_int_equal(page != 0, i < cut - 1);
            if (page)
                page_put(page);
        }
    }
    assert_int_equal(frank_pages_in_use, 0);
}

/* ---- names and descriptors ---------------------------------------------------------------------
 */

static void paths_lead_where_they_should(void **state)
{
    static u8 archive[ARCHIVE_MAX];
    static char path[FRANK_PATH_SIZE];
    struct inode *inode;

    (void)state;
    assert_int_equal(initrd_unpack(archive, make_archive(archive)), 0);
    assert_content("bin/../etc/./deep//er/file", "text");
    assert_content("../../bin/prog", "not really a program");
    assert_int_equal(path_lookup("bin/prog/", &inode), -ENOTDIR);
    assert_int_equal(path_lookup("bin/prog/..", &inode), -ENOTDIR);
    assert_int_equal(path_lookup("", &inode), -ENOENT);
    memset(path, 'n', 300);
    assert_int_equal(path_lookup(path, &inode), -ENAMETOOLONG);
    assert_int_equal(path_lookup("etc/deep/er", &inode), 0);
    assert_int_equal(path_of_directory(inode, path, sizeof(path)), 12);
    assert_string_equal(path, "/etc/deep/er");
    assert_int_equal(path_of_directory(inode, path, 13), 12);
    assert_int_equal(path_of_directory(inode, path, 12), -ERANGE);
    inode_put(inode);
}

static void opening_survives_every_lack_of_memory(void **state)
{
    int descriptor = -1;

    (void)state;
    for (long limit = 0; descriptor < 0; limit++) {
        frank_allocations_left = limit;
        descriptor = file_open(&frank_files, "/file", O_RDWR | O_CREAT, 0644);
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
    assert_int_equal(file_open(&frank_files, "/file", O_RDWR | O_CREAT, 0644), 0);
    assert_int_equal(file_open(&frank_files, "/file", O_RDONLY | O_CLOEXEC, 0), 1);
    file_table_clone(&copy, &frank_files);
    file_table_close_on_exec(&copy);
    assert_null(file_table_get(&copy, 1));
    file = file_table_get(&frank_files, 1);
    assert_non_null(file);
    file_put(file);
    assert_null(file_table_get(&copy, 2));
    assert_null(file_table_get(&copy, ~0UL));
    file = file_table_get(&copy, 0);
    assert_int_equal(file_table_replace(&copy, file, FILE_TABLE_SLOTS - 1), FILE_TABLE_SLOTS - 1);
    assert_null(file_table_get(&copy, FILE_TABLE_SLOTS - 2));
    file_table_close_all(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_archive_becomes_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_short_archive_is_refused_at_every_length, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_archive_does_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_may_run_out_at_any_allocation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_behaves_as_an_array_of_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_copy_leaves_no_trace_behind_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_page_in_use_outlives_its_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_far_ends_of_a_page_tree_hold_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_lead_where_they_should, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_survives_every_lack_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_and_its_copy_close_apart, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
