/* SPDX-License-Identifier: MIT */
/*
 * The tree comes in by depth first, the names of a directory in their order. Content is written at
 * once; what describes it (inodes, names, numbers) stays in memory for a while. There is no need
 * for a journal: until the last block is written nobody mounts this.
 */
#include "populate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "volume/directory.h"
#include "volume/map.h"

enum populate_limits {
    PATH_SIZE = 1024,
    PERMISSIONS = 0777,
    CHANGED_MAX = 1024, /* blocks, before they are written */
    NS_PER_SECOND = 1000000000,
};

static int complain(const char *path, const char *why)
{
    fprintf(stderr, "mkfs: %s: %s\n", path, why);
    return -1;
}

static const char no_block[] = "the disk is full; a larger one (-s) has room for it";
static const char no_inode[] = "there is no free inode; -i makes more";

/* ---- files -------------------------------------------------------------------------------------
 */

static bool is_zero(const char *content)
{
    return content[0] == 0 && memcmp(content, content + 1, DISKFS_BLOCK_BYTES - 1) == 0;
}

/* Read up to a block; what is not there is zeros. How much there was, or -1. */
static ssize_t read_part(int descriptor, char *content)
{
    size_t done = 0;

    while (done < DISKFS_BLOCK_BYTES) {
        ssize_t count = read(descriptor, content + done, DISKFS_BLOCK_BYTES - done);

        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    memset(content + done, 0, DISKFS_BLOCK_BYTES - done);
    return (ssize_t)done;
}

/* NULL, or why not. */
static const char *put_part(struct volume *volume, struct diskfs_inode *inode, uint64_t index,
                            const char *content)
{
    uint32_t block;

    if (is_zero(content))
        return NULL;
    block = volume_take_block(volume);
    if (block == 0 || volume_set_part(volume, inode, index, block) != 0)
        return no_block;
    volume_write(volume, block, content);
    return volume->error ? strerror(volume->error) : NULL;
}

static const char *copy_content(struct volume *volume, struct diskfs_inode *inode, int descriptor)
{
    char content[DISKFS_BLOCK_BYTES];

    for (uint64_t i = 0;; i++) {
        ssize_t count = read_part(descriptor, content);
        const char *why;

        if (count <= 0)
            return count < 0 ? strerror(errno) : NULL;
        if (i >= DISKFS_FILE_BLOCKS)
            return "it is larger than a file can be";
        why = put_part(volume, inode, i, content);
        if (why)
            return why;
        inode->size_bytes = i * DISKFS_BLOCK_BYTES + (uint64_t)count;
    }
}

static int copy_file(struct volume *volume, const char *path, struct diskfs_inode *inode)
{
    int descriptor = open(path, O_RDONLY);
    const char *why;

    if (descriptor < 0)
        return complain(path, strerror(errno));
    why = copy_content(volume, inode, descriptor);
    close(descriptor);
    return why ? complain(path, why) : 0;
}

/* ---- names of a directory ----------------------------------------------------------------------
 */

struct names {
    char **list;
    size_t count;
};

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int add_to_list(struct names *names, const char *name)
{
    char **grown = realloc(names->list, (names->count + 1) * sizeof(*names->list));
    char *copy = strdup(name);

    if (grown)
        names->list = grown;
    if (!grown || !copy) {
        free(copy);
        return -1;
    }
    names->list[names->count++] = copy;
    return 0;
}

/* The names in a directory, but "." and "..", in order. */
static int list_names(const char *path, struct names *names)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    int result = 0;

    *names = (struct names){NULL, 0};
    if (!directory)
        return complain(path, strerror(errno));
    while (result == 0 && (entry = readdir(directory)) != NULL) {
        if (volume_name_is_legal(entry->d_name, (uint32_t)strlen(entry->d_name)))
            result = add_to_list(names, entry->d_name);
    }
    closedir(directory);
    if (result != 0) {
        free_names(names);
        return complain(path, strerror(ENOMEM));
    }
    if (names->count > 0)
        qsort(names->list, names->count, sizeof(*names->list), compare_names);
    return 0;
}

/* ---- the tree ----------------------------------------------------------------------------------
 */

/* A directory on its way into the volume. */
struct directory {
    uint32_t number;
    struct diskfs_inode inode;
};

static int copy_directory(struct volume *volume, char path[PATH_SIZE], struct directory *into);

static struct diskfs_inode describe(const struct stat *stat, uint32_t parent)
{
    bool is_directory = S_ISDIR(stat->st_mode);

    return (struct diskfs_inode){
        .mode = (is_directory ? S_IFDIR : S_IFREG) | (stat->st_mode & PERMISSIONS),
        .links = is_directory ? 2 : 1,
        .modified_ns = (int64_t)stat->st_mtim.tv_sec * NS_PER_SECOND + stat->st_mtim.tv_nsec,
        .parent = is_directory ? parent : 0,
    };
}

/* The inode is stored at first, so that its number is taken while what is below comes in. */
static int copy_inode(struct volume *volume, char path[PATH_SIZE], const char *name,
                      const struct stat *stat, struct directory *into)
{
    struct directory made = {volume_find_free_inode(volume), describe(stat, into->number)};
    uint32_t last = (uint32_t)(into->inode.size_bytes / DISKFS_BLOCK_BYTES);
    bool is_directory = S_ISDIR(stat->st_mode);
    int result;

    if (made.number == 0)
        return complain(path, no_inode);
    volume_store_inode(volume, made.number, &made.inode);
    result = is_directory ? copy_directory(volume, path, &made)
                          : copy_file(volume, path, &made.inode);
    if (result != 0)
        return -1;
    volume_store_inode(volume, made.number, &made.inode);
    if (volume_add_name(volume, &into->inode, last > 0 ? last - 1 : 0, name, made.number,
                        is_directory) != 0)
        return complain(path, no_block);
    into->inode.links += is_directory;
    if (volume->changed_count > CHANGED_MAX && volume_flush(volume) != 0)
        return complain(path, strerror(volume->error));
    return 0;
}

/* `path` is the directory's, and has room for more. */
static int copy_name(struct volume *volume, char path[PATH_SIZE], const char *name,
                     struct directory *into)
{
    size_t length = strlen(path);
    struct stat stat;
    int result;

    if (length + 1 + strlen(name) >= PATH_SIZE)
        return complain(path, strerror(ENAMETOOLONG));
    path[length] = '/';
    memcpy(path + length + 1, name, strlen(name) + 1);
    if (lstat(path, &stat) != 0) {
        result = complain(path, strerror(errno));
    } else if (!S_ISDIR(stat.st_mode) && !S_ISREG(stat.st_mode)) {
        (void)complain(path, "neither a file nor a directory: left out");
        result = 0;
    } else {
        result = copy_inode(volume, path, name, &stat, into);
    }
    path[length] = '\0';
    return result;
}

static int copy_directory(struct volume *volume, char path[PATH_SIZE], struct directory *into)
{
    struct names names;
    int result = list_names(path, &names);

    if (result != 0)
        return -1;
    for (size_t i = 0; result == 0 && i < names.count; i++)
        result = copy_name(volume, path, names.list[i], into);
    free_names(&names);
    return result;
}

int populate(struct volume *volume, const char *path)
{
    struct directory root = {DISKFS_ROOT, volume_load_inode(volume, DISKFS_ROOT)};
    char buffer[PATH_SIZE];

    if (strlen(path) >= sizeof(buffer))
        return complain(path, strerror(ENAMETOOLONG));
    memcpy(buffer, path, strlen(path) + 1);
    if (copy_directory(volume, buffer, &root) != 0)
        return -1;
    volume_store_inode(volume, DISKFS_ROOT, &root.inode);
    volume_store_bitmap(volume);
    return volume_flush(volume) == 0 ? 0 : complain(path, strerror(volume->error));
}
