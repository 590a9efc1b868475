/* SPDX-License-Identifier: MIT */
/* Walking paths, component by component; one directory is locked at a time. See path.h. */
#include "kernel/fs/path.h"

#include "frank/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/process.h"
#include "string.h"

static struct inode *root;

void path_set_root(struct inode *inode)
{
    root = inode;
}

struct inode *path_root(void)
{
    return inode_get(root);
}

/* Where a walk of `path` starts, with a new reference. */
static struct inode *start_of(const char *path)
{
    return path[0] == '/' ? inode_get(root) : file_table_directory(process_current()->files);
}

/*
 * The next component of *path into `name`; *path is moved behind it and the slashes that follow.
 * 1 if there was one, 0 at the end.
 */
static int next_component(const char **path, char *name)
{
    const char *from = *path;
    size_t length = 0;

    while (*from == '/')
        from++;
    while (from[length] && from[length] != '/')
        length++;
    if (length == 0)
        return 0;
    if (length >= FRANK_NAME_SIZE)
        return -ENAMETOOLONG;
    memcpy(name, from, length);
    name[length] = '\0';
    from += length;
    while (*from == '/')
        from++;
    *path = from;
    return 1;
}

/* Replace *inode by what `name` is in it, references too. On an error *inode has been let go. */
static int step(struct inode **inode, const char *name)
{
    struct inode *directory = *inode;
    int error = 0;

    if (directory->type != INODE_DIRECTORY)
        error = -ENOTDIR;
    else if (strcmp(name, ".") == 0)
        return 0;
    else
        error = mount_lookup(directory, name, inode);
    inode_put(directory);
    return error;
}

int path_lookup(const char *path, struct inode **inode)
{
    char name[FRANK_NAME_SIZE];
    bool slash_at_end = path[0] && path[strlen(path) - 1] == '/';
    int found;

    if (!path[0])
        return -ENOENT;
    *inode = start_of(path);
    while ((found = next_component(&path, name)) == 1) {
        int error = step(inode, name);
        if (error)
            return error;
    }
    if (found == 0 && slash_at_end && (*inode)->type != INODE_DIRECTORY)
        found = -ENOTDIR;
    if (found < 0)
        inode_put(*inode);
    return found;
}

static bool is_dot_or_dot_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int path_lookup_parent(const char *path, struct inode **directory, char *name,
                       bool *must_be_directory)
{
    int found;

    if (!path[0])
        return -ENOENT;
    *must_be_directory = path[strlen(path) - 1] == '/';
    *directory = start_of(path);
    found = next_component(&path, name);
    while (found == 1 && *path) {
        int error = step(directory, name);
        if (error)
            return error;
        found = next_component(&path, name);
    }
    if (found == 0)
        found = -EBUSY;
    else if (found == 1 && (*directory)->type != INODE_DIRECTORY)
        found = -ENOTDIR;
    else if (found == 1 && is_dot_or_dot_dot(name))
        found = -EINVAL;
    if (found < 0) {
        inode_put(*directory);
        return found;
    }
    return 0;
}

/* The name that `parent` gives to inode number `number`. */
static int find_name_of(struct inode *parent, u64 number, struct directory_entry *entry)
{
    u64 cursor = 0;
    int found;

    while ((found = parent->directory->read_entry(parent, &cursor, entry)) == 1) {
        if (entry->number == number)
            return 0;
    }
    return found < 0 ? found : -ENOENT;
}

/* Put "/name" before what stands at *at in the buffer. */
static int prepend(char *buffer, size_t *at, const char *name)
{
    size_t length = strlen(name);

    if (*at < length + 1)
        return -ERANGE;
    *at -= length;
    memcpy(buffer + *at, name, length);
    buffer[--*at] = '/';
    return 0;
}

int path_of_directory(struct inode *directory, char *buffer, size_t size)
{
    struct directory_entry entry;
    struct inode *here = inode_get(directory);
    size_t at = size;
    int error = size < 2 ? -ERANGE : 0;

    if (!error)
        buffer[--at] = '\0';
    while (!error && here != root) {
        struct inode *parent;

        here = mount_leave(here);
        error = here->directory->lookup(here, "..", &parent);
        if (error)
            break;
        error = find_name_of(parent, here->number, &entry);
        inode_put(here);
        here = parent;
        if (!error)
            error = prepend(buffer, &at, entry.name);
    }
    inode_put(here);
    if (error)
        return error;
    if (buffer[at] == '\0')
        buffer[--at] = '/';
    memmove(buffer, buffer + at, size - at);
    return (int)(size - at - 1);
}
