/* SPDX-License-Identifier: MIT */
/*
 * The initial RAM disk: a cpio archive of the "newc" kind, unpacked into the root.
 *
 * The archive is input from outside: every length is checked against what is left of it. Regular
 * files and directories are taken; other types have no meaning here and are skipped. Folders on a
 * file's way are made if the archive does not name them. Format: cpio(5), "new ASCII format".
 */
#include "frank/errno.h"
#include "frank/mode.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/path.h"
#include "string.h"

enum cpio_layout {
    CPIO_MAGIC_BYTES = 6,
    CPIO_FIELD_DIGITS = 8,
    CPIO_HEADER_BYTES = 110,
    CPIO_ALIGNMENT = 4,
};

/* Which field of eight hexadecimal digits, in order after the magic number. */
enum cpio_field {
    CPIO_MODE = 1,
    CPIO_FILE_BYTES = 6,
    CPIO_NAME_BYTES = 11,
};

struct archive {
    const u8 *bytes;
    u64 size;
    u64 at; /* never beyond size */
};

struct member {
    char path[FRANK_PATH_SIZE];
    u32 mode;
    const u8 *content;
    u64 content_bytes;
};

static int hex_digit(u8 c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int read_field(const u8 *header, enum cpio_field field, u32 *value)
{
    const u8 *digits = header + CPIO_MAGIC_BYTES + CPIO_FIELD_DIGITS * (unsigned)field;

    *value = 0;
    for (unsigned i = 0; i < CPIO_FIELD_DIGITS; i++) {
        int digit = hex_digit(digits[i]);
        if (digit < 0)
            return -EINVAL;
        *value = *value << 4 | (u32)digit;
    }
    return 0;
}

/* The next `size` bytes and the padding behind them, or NULL if the archive is too short. */
static const u8 *take(struct archive *archive, u64 size)
{
    const u8 *piece = archive->bytes + archive->at;

    if (size > archive->size - archive->at)
        return NULL;
    archive->at = min(archive->size, ALIGN_UP(archive->at + size, (u64)CPIO_ALIGNMENT));
    return piece;
}

/* The next header and name: name_bytes counts the NUL, and the two are padded together. */
static int take_header(struct archive *archive, struct member *member, u32 *name_bytes)
{
    const u8 *header = archive->bytes + archive->at;
    u32 content_bytes;

    if (archive->size - archive->at < CPIO_HEADER_BYTES)
        return -EINVAL;
    if (memcmp(header, "070701", CPIO_MAGIC_BYTES) != 0 &&
        memcmp(header, "070702", CPIO_MAGIC_BYTES) != 0)
        return -EINVAL;
    if (read_field(header, CPIO_MODE, &member->mode) ||
        read_field(header, CPIO_FILE_BYTES, &content_bytes) ||
        read_field(header, CPIO_NAME_BYTES, name_bytes))
        return -EINVAL;
    member->content_bytes = content_bytes;
    return 0;
}

/* The next member, its path absolute. 1; 0 at the trailer; -EINVAL if the archive is damaged. */
static int next_member(struct archive *archive, struct member *member)
{
    u32 name_bytes;
    const u8 *piece;
    const char *name;
    int error = take_header(archive, member, &name_bytes);

    if (error)
        return error;
    if (name_bytes == 0 || name_bytes >= FRANK_PATH_SIZE)
        return -EINVAL;
    piece = take(archive, (u64)CPIO_HEADER_BYTES + name_bytes);
    if (!piece || piece[CPIO_HEADER_BYTES + name_bytes - 1] != '\0')
        return -EINVAL;
    name = (const char *)piece + CPIO_HEADER_BYTES;
    if (strcmp(name, "TRAILER!!!") == 0)
        return 0;
    if (strncmp(name, "./", 2) == 0)
        name += 2;
    member->path[0] = '/';
    strlcpy(member->path + 1, name, sizeof(member->path) - 1);
    member->content = take(archive, member->content_bytes);
    return member->content ? 1 : -EINVAL;
}

/* Make what `path` names, or find it if it is there already. */
static int make_inode(const char *path, enum inode_type type, u32 permissions, struct inode **inode)
{
    char name[FRANK_NAME_SIZE];
    struct inode *directory;
    bool must_be_directory;
    int error = path_lookup_parent(path, &directory, name, &must_be_directory);

    if (error)
        return error;
    error = directory->directory->create(directory, name, type, permissions, inode);
    if (error == -EEXIST)
        error = directory->directory->lookup(directory, name, inode);
    inode_put(directory);
    return error;
}

/* Make the folders on the way to `path`, which is put back as it was. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        struct inode *inode;
        int error;

        *slash = '\0';
        error = make_inode(path, INODE_DIRECTORY, 0755, &inode);
        *slash = '/';
        if (error)
            return error == -ENOSPC ? error : -EINVAL;
        inode_put(inode);
    }
    return 0;
}

static int fill_file(struct inode *inode, const struct member *member)
{
    struct uio uio;
    u64 offset = 0;
    ssize_t done;
    int error = inode_truncate(inode, 0);

    if (error)
        return -EINVAL;
    uio_init_kernel(&uio, (u8 *)member->content, member->content_bytes);
    done = inode_write(inode, &uio, &offset);
    return done == (ssize_t)member->content_bytes ? 0 : -ENOSPC;
}

static int unpack_member(struct member *member)
{
    u32 type = member->mode & S_IFMT;
    u32 permissions = member->mode & 0777;
    struct inode *inode;
    int error;

    if ((type != S_IFREG && type != S_IFDIR) || strcmp(member->path, "/.") == 0 ||
        strcmp(member->path, "/") == 0)
        return 0;
    error = make_folders(member->path);
    if (error)
        return error;
    error = make_inode(member->path, type == S_IFDIR ? INODE_DIRECTORY : INODE_REGULAR, permissions,
                       &inode);
    if (error)
        return error == -ENOSPC ? error : -EINVAL;
    if (type == S_IFREG)
        error = fill_file(inode, member);
    inode_put(inode);
    return error;
}

int initrd_unpack(const void *archive_bytes, size_t bytes)
{
    static struct member member; /* too large for a stack; used once, while one CPU boots */
    struct archive archive = {.bytes = archive_bytes, .size = bytes, .at = 0};
    int found;

    while ((found = next_member(&archive, &member)) == 1) {
        int error = unpack_member(&member);
        if (error)
            return error;
    }
    return found;
}
