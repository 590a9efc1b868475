/* SPDX-License-Identifier: MIT */
/* Walking paths, component by component; one directory is locked at a time. See path.h. */
#include "kernel/fs/path.h"

#include "kernel/process.h"
#include "string.h"

static struct inode *root, *devices;

void path_set_root(struct inode *root_inode, struct inode *devices_inode)
{
    root = root_inode;
    devices = devices_inode;
}

struct inode *path_root(void)
{
    return inode_get(root);
}

bool path_is_devices(const struct inode *directory, const char *name)
{
    return directory == root && strcmp(name, "dev") == 0;
}

/* The next component of *path, which is not at its end, into `name`; *path is moved behind it and
   the slashes that follow. */
static int next_component(const char **path, char *name)
{
    size_t length = 0;

    while ((*path)[length] && (*path)[length] != '/')
        length++;
    if (length >= FRANK_NAME_SIZE)
        return -ENAMETOOLONG;
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length;
    while (**path == '/')
        ++*path;
    return 0;
}

/* Replace *inode by what `name` is in it, references too; by NULL on an error. */
static int step(struct inode **inode, const char *name)
{
    struct inode *directory INODE_REF = *inode;

    *inode = NULL;
    if (directory->type != INODE_DIRECTORY)
        return -ENOTDIR;
    if (strcmp(name, ".") == 0 || path_is_devices(directory, name)) {
        *inode = inode_get(name[0] == '.' ? directory : devices);
        return 0;
    }
    return directory->directory->lookup(directory, name, inode);
}

/* What an error leaves of a walk: nothing. */
static int give_up(struct inode **inode, int error)
{
    inode_put(*inode);
    *inode = NULL;
    return error;
}

/* Walk over all components but the last one, which comes into `name`: "" if there is none. */
static int walk(const char *path, struct inode **inode, char *name)
{
    int error = 0;

    *inode = NULL;
    if (!path[0])
        return -ENOENT;
    *inode = path[0] == '/' ? inode_get(root) : file_table_directory(process_files());
    while (*path == '/')
        path++;
    name[0] = '\0';
    while (*path && !error) {
        if (name[0])
            error = step(inode, name);
        if (!error)
            error = next_component(&path, name);
    }
    return error ? give_up(inode, error) : 0;
}

static bool ends_in_slash(const char *path)
{
    return path[strlen(path) - 1] == '/';
}

int path_lookup(const char *path, struct inode **inode)
{
    char name[FRANK_NAME_SIZE];
    int error = walk(path, inode, name);

    if (!error && name[0])
        error = step(inode, name);
    if (!error && ends_in_slash(path) && (*inode)->type != INODE_DIRECTORY)
        error = give_up(inode, -ENOTDIR);
    return error;
}

int path_lookup_end(const char *path, struct path_end *end)
{
    int error = walk(path, &end->directory, end->name);

    if (error)
        return error;
    end->has_slash = ends_in_slash(path);
    if (end->name[0] == '\0')
        return -EBUSY;
    if (end->directory->type != INODE_DIRECTORY)
        return -ENOTDIR;
    if (strcmp(end->name, ".") == 0 || strcmp(end->name, "..") == 0)
        return -EINVAL;
    return end->directory->directory->create ? 0 : -EPERM;
}
