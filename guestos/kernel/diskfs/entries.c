/* SPDX-License-Identifier: MIT */
/* A directory's entries: walking over them, and room for new ones. See entries.h. */
#include "kernel/diskfs/entries.h"

#include "kernel/timer.h"
#include "string.h"

void walk_end(struct walk *walk)
{
    buffer_put(walk->buffer);
    walk->buffer = NULL;
}

static int walk_read_block(struct walk *walk)
{
    struct disk_inode *directory = walk->directory;
    int error;

    walk_end(walk);
    MUTEX_GUARD(&directory->map_lock);
    error = map_buffer(directory, walk->next / DISKFS_BLOCK_BYTES, &walk->buffer);
    return !error && !walk->buffer ? -EIO : error;
}

static bool entry_is_sound(const struct diskfs_entry *entry, u32 room)
{
    return entry->entry_bytes >= DISKFS_ENTRY_HEAD_BYTES && entry->entry_bytes <= room &&
           entry->entry_bytes % DISKFS_ENTRY_ALIGN == 0 &&
           (entry->inode == 0 ||
            (entry->name_bytes > 0 && diskfs_entry_bytes(entry->name_bytes) <= entry->entry_bytes));
}

int walk_next(struct walk *walk)
{
    u32 in_block = walk->next % DISKFS_BLOCK_BYTES;
    int error = 0;

    if (walk->next >= walk->directory->inode.size)
        return 0;
    if (in_block == 0 || !walk->buffer)
        error = walk_read_block(walk);
    if (error)
        return error;
    walk->entry = (struct diskfs_entry *)((u8 *)buffer_data(walk->buffer) + in_block);
    walk->offset = walk->next;
    if (!entry_is_sound(walk->entry, DISKFS_BLOCK_BYTES - in_block))
        return -EIO;
    walk->next += walk->entry->entry_bytes;
    return 1;
}

static bool has_name(const struct diskfs_entry *entry, const char *name, size_t length)
{
    return entry->inode != 0 && entry->name_bytes == length &&
           memcmp(entry->name, name, length) == 0;
}

int walk_find(struct walk *walk, const char *name)
{
    size_t length = strlen(name);
    int found;

    while ((found = walk_next(walk)) == 1) {
        if (has_name(walk->entry, name, length))
            return 0;
    }
    return found < 0 ? found : -ENOENT;
}

/* Whether a walk's entry makes `run`, the free room that ends where it begins, longer. */
static void extend_run(const struct walk *walk, struct room *run)
{
    bool joins = run->bytes > 0 && walk->offset % DISKFS_BLOCK_BYTES != 0;

    if (walk->entry->inode != 0)
        *run = (struct room){0};
    else if (joins)
        run->bytes += walk->entry->entry_bytes;
    else
        *run = (struct room){walk->offset, walk->entry->entry_bytes, NULL};
}

/* That a name is not there, and where it could be: room->bytes is 0 if the directory must grow.
   -EEXIST, -EIO, -ENOMEM. */
static int find_room(struct disk_inode *directory, const char *name, struct room *room)
{
    size_t length = strlen(name);
    u32 bytes = diskfs_entry_bytes((u32)length);
    struct walk walk WALK_REF = {.directory = directory};
    struct room run = {0};
    int found;

    *room = run;
    while ((found = walk_next(&walk)) == 1) {
        if (has_name(walk.entry, name, length))
            return -EEXIST;
        extend_run(&walk, &run);
        if (room->bytes == 0 && run.bytes >= bytes)
            *room = run;
    }
    return found;
}

/* In a handle, map_lock held: one more block, all of it free. */
static int grow_locked(struct disk_inode *directory, struct room *room)
{
    u64 size = directory->disk.size_bytes;
    struct buffer *buffer;
    int error = map_make(directory, size / DISKFS_BLOCK_BYTES, &buffer);

    if (!error && !buffer)
        error = -EIO; /* a block behind the end, which no directory has */
    if (!error) {
        *room = (struct room){size, DISKFS_BLOCK_BYTES, buffer};
        journal_add(directory->fs, buffer);
        ((struct diskfs_entry *)buffer_data(buffer))->entry_bytes = DISKFS_BLOCK_BYTES;
        directory->disk.size_bytes = size + DISKFS_BLOCK_BYTES;
        WRITE_ONCE(directory->inode.size, directory->disk.size_bytes);
    }
    disk_inode_store_locked(directory);
    return error;
}

int room_make(struct room *room, struct disk_inode *directory, const char *name)
{
    int error = find_room(directory, name, room);

    if (error)
        return error;
    MUTEX_GUARD(&directory->map_lock);
    if (room->bytes == 0)
        error = grow_locked(directory, room);
    else
        error = map_buffer(directory, room->offset / DISKFS_BLOCK_BYTES, &room->buffer);
    return !error && !room->buffer ? -EIO : error;
}

void room_leave(struct room *room)
{
    buffer_put(room->buffer);
}

void room_fill(struct room *room, struct disk_inode *directory, const char *name,
               const struct inode *inode)
{
    u32 length = (u32)strlen(name), bytes = diskfs_entry_bytes(length);
    struct diskfs_entry *entry, *rest;

    journal_add(directory->fs, room->buffer);
    entry = (struct diskfs_entry *)((u8 *)buffer_data(room->buffer) +
                                    room->offset % DISKFS_BLOCK_BYTES);
    *entry = (struct diskfs_entry){
        .inode = (u32)inode->number,
        .entry_bytes = (u16)bytes,
        .name_bytes = (u8)length,
        .is_directory = inode->type == INODE_DIRECTORY,
    };
    memcpy(entry->name, name, length);
    if (room->bytes > bytes) {
        rest = (struct diskfs_entry *)((u8 *)entry + bytes);
        *rest = (struct diskfs_entry){.entry_bytes = (u16)(room->bytes - bytes)};
    }
    WRITE_ONCE(directory->inode.modified_ns, timer_wall_ns());
    room_leave(room);
}

void walk_clear(struct walk *walk)
{
    journal_add(walk->directory->fs, walk->buffer);
    walk->entry->inode = 0;
    WRITE_ONCE(walk->directory->inode.modified_ns, timer_wall_ns());
}
