/* SPDX-License-Identifier: MIT */
/* What is in use and has no name: it comes to /lost+found, or is freed if there is nothing in it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"
#include "volume/directory.h"

enum lost_limits {
    CLIMB_MAX = 1000, /* directories; after that one of the middle is as good */
    NAMES_MAX = 1000, /* tried */
    NAME_SIZE = 32,
};

#define LOST_FOUND "lost+found"

/* ---- /lost+found -------------------------------------------------------------------------------
 */

/* A name that is free in a directory, or NULL. */
static const char *find_name(struct check *check, uint32_t directory, const char *wanted,
                             char name[NAME_SIZE])
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, directory);
    bool is_directory;

    for (unsigned i = 0; i < NAMES_MAX; i++) {
        if (i == 0)
            (void)snprintf(name, NAME_SIZE, "%s", wanted);
        else
            (void)snprintf(name, NAME_SIZE, "%s.%u", wanted, i);
        if (volume_find_name(&check->volume, &inode, name, &is_directory) == 0)
            return name;
    }
    return NULL;
}

/* Give an inode, which is in use, a name in a directory that was checked already. */
static bool add_name(struct check *check, uint32_t parent, const char *wanted, uint32_t number)
{
    struct diskfs_inode directory = volume_load_inode(&check->volume, parent);
    bool is_directory = check->nodes[number].kind == NODE_DIRECTORY;
    char name[NAME_SIZE];

    if (!find_name(check, parent, wanted, name) ||
        volume_add_name(&check->volume, &directory, 0, name, number, is_directory) != 0)
        return false;
    directory.links += is_directory;
    volume_store_inode(&check->volume, parent, &directory);
    if (is_directory) {
        struct diskfs_inode inode = volume_load_inode(&check->volume, number);

        inode.parent = parent;
        volume_store_inode(&check->volume, number, &inode);
    } else {
        check->nodes[number].names++;
    }
    return true;
}

/* Make the directory; 0: there is no room for it. */
static uint32_t make_lost_found(struct check *check)
{
    struct diskfs_inode inode = {.mode = S_IFDIR | 0700, .links = 2, .parent = DISKFS_ROOT};
    uint32_t number = volume_find_free_inode(&check->volume);

    if (number == 0)
        return 0;
    check->nodes[number].kind = NODE_DIRECTORY;
    check->nodes[number].has_no_links = false;
    volume_store_inode(&check->volume, number, &inode);
    if (!add_name(check, DISKFS_ROOT, LOST_FOUND, number)) {
        inodes_free(check, number);
        return 0;
    }
    names_reach(check, number, DISKFS_ROOT, 0);
    check->names_next = check->strays_next = check->reached_count; /* there is nothing in it */
    return number;
}

static uint32_t find_lost_found(struct check *check)
{
    struct diskfs_inode root = volume_load_inode(&check->volume, DISKFS_ROOT);
    bool is_directory = false;
    uint32_t number = volume_find_name(&check->volume, &root, LOST_FOUND, &is_directory);

    return is_directory ? number : 0;
}

/* Put a lost inode there. */
static bool keep(struct check *check, uint32_t number)
{
    char name[NAME_SIZE];

    (void)snprintf(name, sizeof(name), "%u", number);
    if (check->lost_found == 0)
        check->lost_found = find_lost_found(check);
    if (check->lost_found == 0)
        check->lost_found = make_lost_found(check);
    return check->lost_found != 0 && add_name(check, check->lost_found, name, number);
}

/* ---- what is lost ------------------------------------------------------------------------------
 */

static bool is_lost(const struct check *check, uint32_t number)
{
    const struct node *node = &check->nodes[number];

    return !node_is_removed(node) && ((node->kind == NODE_DIRECTORY && !node->is_reached) ||
                                      (node->kind == NODE_FILE && node->names == 0));
}

/* The directory above a lost one that is as high as can be found, if it is lost too. */
static uint32_t climb(const struct check *check, uint32_t number)
{
    for (unsigned i = 0; i < CLIMB_MAX; i++) {
        uint32_t parent = check->nodes[number].parent;

        if (parent >= check->volume.inode_limit || check->nodes[parent].kind != NODE_DIRECTORY ||
            !is_lost(check, parent))
            break;
        number = parent;
    }
    return number;
}

static bool is_empty(struct check *check, uint32_t number)
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, number);

    if (check->nodes[number].kind == NODE_DIRECTORY)
        return names_is_empty(check, number);
    return inode.size_bytes == 0 || inode.block_count == 0;
}

/* Free it, or keep it by a name: whether it is not lost any more. */
static bool settle(struct check *check, uint32_t number)
{
    const char *kind = check->nodes[number].kind == NODE_DIRECTORY ? "directory" : "file";

    if (is_empty(check, number)) {
        check_found(check, "freed", "inode %u: an empty %s without a name", number, kind);
        inodes_free(check, number);
        return true;
    }
    if (keep(check, number)) {
        check_found(check, "in /" LOST_FOUND, "inode %u: a %s without a name", number, kind);
        return true;
    }
    check_left(check, "inode %u: a %s without a name, and no room to give it one", number, kind);
    return false;
}

/* Directories first: files may have names in them. */
static void settle_directories(struct check *check)
{
    for (uint32_t i = DISKFS_ROOT; i < check->volume.inode_limit;) {
        uint32_t top;

        if (check->nodes[i].kind != NODE_DIRECTORY || !is_lost(check, i)) {
            i++;
            continue;
        }
        top = climb(check, i);
        if (!settle(check, top)) {
            i++;
            continue;
        }
        if (check->nodes[top].kind == NODE_DIRECTORY) {
            names_reach(check, top, check->lost_found, 0);
            names_check(check);
        }
    }
}

void lost_check(struct check *check)
{
    settle_directories(check);
    for (uint32_t i = DISKFS_ROOT; i < check->volume.inode_limit; i++) {
        if (check->nodes[i].kind == NODE_FILE && is_lost(check, i))
            (void)settle(check, i);
    }
}
