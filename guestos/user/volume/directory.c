/* SPDX-License-Identifier: MIT */
/* Entries of directories: found by looking at each, put into the first free room that is enough. */
#include "directory.h"

#include <string.h>

#include "map.h"
#include "types.h"

bool volume_entry_is_sound(const struct diskfs_entry *entry, uint32_t room)
{
    return entry->entry_bytes >= DISKFS_ENTRY_HEAD_BYTES && entry->entry_bytes <= room &&
           entry->entry_bytes % DISKFS_ENTRY_ALIGN == 0 &&
           (entry->inode == 0 ||
            (entry->name_bytes > 0 && diskfs_entry_bytes(entry->name_bytes) <= entry->entry_bytes));
}

bool volume_name_is_legal(const char *name, uint32_t name_bytes)
{
    if (name_bytes == 0 || name_bytes > DISKFS_NAME_MAX || memchr(name, '/', name_bytes) ||
        memchr(name, '\0', name_bytes))
        return false;
    return !(name[0] == '.' && (name_bytes == 1 || (name_bytes == 2 && name[1] == '.')));
}

static const struct diskfs_entry *entry_at(const void *block, uint32_t offset)
{
    return (const struct diskfs_entry *)((const char *)block + offset);
}

static uint32_t block_count(const struct diskfs_inode *directory)
{
    return (uint32_t)(min(directory->size_bytes, DISKFS_FILE_BYTES) / DISKFS_BLOCK_BYTES);
}

/* The entry of a name in one block, or NULL. */
static const struct diskfs_entry *find_in_block(const void *block, const char *name)
{
    size_t length = strlen(name);

    for (uint32_t at = 0; at < DISKFS_BLOCK_BYTES;) {
        const struct diskfs_entry *entry = entry_at(block, at);

        if (!volume_entry_is_sound(entry, DISKFS_BLOCK_BYTES - at))
            return NULL;
        if (entry->inode != 0 && entry->name_bytes == length &&
            memcmp(entry->name, name, length) == 0)
            return entry;
        at += entry->entry_bytes;
    }
    return NULL;
}

uint32_t volume_find_name(struct volume *volume, const struct diskfs_inode *directory,
                          const char *name, bool *is_directory)
{
    for (uint32_t i = 0; i < block_count(directory); i++) {
        uint32_t block = volume_find_part(volume, directory, i);
        const struct diskfs_entry *entry;

        if (block == 0)
            continue;
        entry = find_in_block(volume_look(volume, block), name);
        if (entry) {
            *is_directory = entry->is_directory;
            return entry->inode;
        }
    }
    return 0;
}

/* Free room in one piece. */
struct room {
    uint32_t offset;
    uint32_t bytes; /* 0: there is none */
};

/* The first room of so many bytes in a block. */
static struct room find_room(const void *block, uint32_t bytes)
{
    struct room room = {0, 0};

    for (uint32_t at = 0; at < DISKFS_BLOCK_BYTES && room.bytes < bytes;) {
        const struct diskfs_entry *entry = entry_at(block, at);

        if (!volume_entry_is_sound(entry, DISKFS_BLOCK_BYTES - at))
            return (struct room){0, 0};
        at += entry->entry_bytes;
        if (entry->inode != 0)
            room = (struct room){at, 0};
        else
            room.bytes += entry->entry_bytes;
    }
    return room.bytes >= bytes ? room : (struct room){0, 0};
}

static void fill_room(char *block, struct room room, const char *name, uint32_t number,
                      bool is_directory)
{
    uint32_t length = (uint32_t)strlen(name), bytes = diskfs_entry_bytes(length);
    struct diskfs_entry *entry = (struct diskfs_entry *)(block + room.offset);

    *entry = (struct diskfs_entry){
        .inode = number,
        .entry_bytes = (uint16_t)bytes,
        .name_bytes = (uint8_t)length,
        .is_directory = is_directory,
    };
    memcpy(entry->name, name, length);
    if (room.bytes > bytes) {
        struct diskfs_entry *rest = (struct diskfs_entry *)(block + room.offset + bytes);

        *rest = (struct diskfs_entry){.entry_bytes = (uint16_t)(room.bytes - bytes)};
    }
}

/* One more block, all of it free room. 0: none is free. */
static uint32_t grow(struct volume *volume, struct diskfs_inode *directory)
{
    uint32_t block = volume_take_block(volume);

    if (block == 0)
        return 0;
    if (volume_set_part(volume, directory, block_count(directory), block) != 0) {
        volume_set_used(volume, block, false);
        return 0;
    }
    directory->size_bytes += DISKFS_BLOCK_BYTES;
    ((struct diskfs_entry *)volume_renew(volume, block))->entry_bytes = DISKFS_BLOCK_BYTES;
    return block;
}

int volume_add_name(struct volume *volume, struct diskfs_inode *directory, uint32_t first,
                    const char *name, uint32_t number, bool is_directory)
{
    uint32_t bytes = diskfs_entry_bytes((uint32_t)strlen(name)), block = 0;
    struct room room = {0, 0};

    for (uint32_t i = first; room.bytes == 0 && i < block_count(directory); i++) {
        block = volume_find_part(volume, directory, i);
        if (block != 0)
            room = find_room(volume_look(volume, block), bytes);
    }
    if (room.bytes == 0) {
        block = grow(volume, directory);
        room = (struct room){0, DISKFS_BLOCK_BYTES};
    }
    if (block == 0)
        return -1;
    fill_room(volume_change(volume, block), room, name, number, is_directory);
    return 0;
}
