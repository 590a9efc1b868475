/* SPDX-License-Identifier: MIT */
/* The disk of fsck_image.h, by the functions that mkfs fills a disk with. */
#define _GNU_SOURCE
#include "fsck_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fnv.h"
#include "mkfs/format.h"
#include "volume/directory.h"
#include "volume/map.h"

enum {
    IMAGE_BYTES = IMAGE_BLOCKS * DISKFS_BLOCK_BYTES,
    LONG_NAME = 200,
};

static void need(bool holds)
{
    if (!holds)
        abort();
}

int image_open(void)
{
    int descriptor = memfd_create("disk", 0);

    need(descriptor >= 0 && ftruncate(descriptor, IMAGE_BYTES) == 0);
    return descriptor;
}

uint8_t *image_save(int descriptor)
{
    uint8_t *bytes = malloc(IMAGE_BYTES);

    need(bytes && pread(descriptor, bytes, IMAGE_BYTES, 0) == IMAGE_BYTES);
    return bytes;
}

void image_restore(int descriptor, const uint8_t *bytes)
{
    need(pwrite(descriptor, bytes, IMAGE_BYTES, 0) == IMAGE_BYTES);
}

/* ---- what is on it -----------------------------------------------------------------------------
 */

static void add_part(struct volume *volume, struct diskfs_inode *inode, uint64_t index, int fill)
{
    uint32_t block = volume_take_block(volume);

    need(block != 0 && volume_set_part(volume, inode, index, block) == 0);
    memset(volume_renew(volume, block), fill, DISKFS_BLOCK_BYTES);
}

static void add_entry(struct volume *volume, uint32_t directory, const char *name, uint32_t number)
{
    struct diskfs_inode into = volume_load_inode(volume, directory);
    struct diskfs_inode inode = volume_load_inode(volume, number);

    need(volume_add_name(volume, &into, 0, name, number, S_ISDIR(inode.mode)) == 0);
    if (S_ISDIR(inode.mode)) {
        into.links++;
        inode.links = 2;
        inode.parent = directory;
    } else {
        inode.links++;
    }
    volume_store_inode(volume, directory, &into);
    volume_store_inode(volume, number, &inode);
}

/* A file of so many blocks, whose bytes are its number. */
static void add_file(struct volume *volume, uint32_t number, uint32_t blocks)
{
    struct diskfs_inode inode = {.mode = S_IFREG | 0644};

    for (uint32_t i = 0; i < blocks; i++)
        add_part(volume, &inode, i, (int)number);
    inode.size_bytes = (uint64_t)blocks * DISKFS_BLOCK_BYTES;
    volume_store_inode(volume, number, &inode);
}

static void add_directory(struct volume *volume, uint32_t number)
{
    struct diskfs_inode inode = {.mode = S_IFDIR | 0755};

    volume_store_inode(volume, number, &inode);
}

static void add_files(struct volume *volume)
{
    struct diskfs_inode inode;

    add_file(volume, IMAGE_FILE, IMAGE_FILE_BLOCKS);
    add_file(volume, IMAGE_BIG, IMAGE_BIG_BLOCKS);
    add_file(volume, IMAGE_DEEP, 1);
    add_file(volume, IMAGE_EMPTY, 0);
    add_file(volume, IMAGE_REMOVED, 1);
    add_file(volume, IMAGE_NOTHING, 0);
    add_file(volume, IMAGE_CUT, IMAGE_CUT_BLOCKS);
    inode = volume_load_inode(volume, IMAGE_CUT);
    inode.size_bytes = 1;
    volume_store_inode(volume, IMAGE_CUT, &inode);
    add_file(volume, IMAGE_HUGE, 1);
    inode = volume_load_inode(volume, IMAGE_HUGE);
    add_part(volume, &inode, IMAGE_HUGE_PART, IMAGE_HUGE);
    inode.size_bytes = (IMAGE_HUGE_PART + 1UL) * DISKFS_BLOCK_BYTES;
    volume_store_inode(volume, IMAGE_HUGE, &inode);
}

static void add_wide_names(struct volume *volume)
{
    char name[LONG_NAME + 1];

    memset(name, 'w', LONG_NAME);
    name[LONG_NAME] = '\0';
    for (unsigned i = 0; i < IMAGE_WIDE_NAMES; i++) {
        name[0] = (char)('0' + i / 10);
        name[1] = (char)('0' + i % 10);
        add_entry(volume, IMAGE_WIDE, name, IMAGE_EMPTY);
    }
}

static void add_tree(struct volume *volume)
{
    static const uint32_t directories[] = {IMAGE_DIR, IMAGE_SUB, IMAGE_WIDE, IMAGE_HOLLOW};

    for (unsigned i = 0; i < sizeof(directories) / sizeof(*directories); i++)
        add_directory(volume, directories[i]);
    add_entry(volume, DISKFS_ROOT, "file", IMAGE_FILE);
    add_entry(volume, DISKFS_ROOT, "big", IMAGE_BIG);
    add_entry(volume, DISKFS_ROOT, "dir", IMAGE_DIR);
    add_entry(volume, IMAGE_DIR, "sub", IMAGE_SUB);
    add_entry(volume, IMAGE_DIR, "second", IMAGE_FILE);
    add_entry(volume, IMAGE_SUB, "deep", IMAGE_DEEP);
    add_entry(volume, DISKFS_ROOT, "empty", IMAGE_EMPTY);
    add_entry(volume, DISKFS_ROOT, "wide", IMAGE_WIDE);
    add_entry(volume, DISKFS_ROOT, "cut", IMAGE_CUT);
    add_entry(volume, DISKFS_ROOT, "huge", IMAGE_HUGE);
    add_entry(volume, DISKFS_ROOT, "nothing", IMAGE_NOTHING);
    add_entry(volume, DISKFS_ROOT, "hollow", IMAGE_HOLLOW);
    add_entry(volume, IMAGE_HOLLOW, "gone", IMAGE_NOTHING);
    add_wide_names(volume);
}

void image_make(int descriptor)
{
    struct format_plan plan = {.block_count = IMAGE_BLOCKS, .inode_count = IMAGE_INODES};
    struct diskfs_orphans *orphans;
    struct diskfs_inode nothing;
    struct volume volume;

    need(format_disk(descriptor, &plan) == 0 && !volume_open(&volume, descriptor));
    add_files(&volume);
    add_tree(&volume);
    image_entry(&volume, IMAGE_HOLLOW, "gone")->inode = 0;
    nothing = volume_load_inode(&volume, IMAGE_NOTHING);
    nothing.links = 1;
    volume_store_inode(&volume, IMAGE_NOTHING, &nothing);
    orphans = volume_change(&volume, DISKFS_ORPHANS);
    orphans->inodes[0] = IMAGE_REMOVED;
    orphans->inodes[5] = IMAGE_CUT;
    volume_store_bitmap(&volume);
    need(volume_flush(&volume) == 0);
    volume_close(&volume);
}

/* ---- looking and changing ----------------------------------------------------------------------
 */

static void add_line(void *context, const char *line)
{
    struct image_check *check = context;
    size_t length = strlen(check->lines);

    (void)snprintf(check->lines + length, sizeof(check->lines) - length, "%s\n", line);
}

void image_check(int descriptor, bool repair, struct image_check *check)
{
    struct fsck_options options = {.repair = repair, .say = add_line, .context = check};

    check->lines[0] = '\0';
    check->result = fsck_check(descriptor, &options);
}

struct volume *image_begin(int descriptor)
{
    struct volume *volume = malloc(sizeof(*volume));

    need(volume && !volume_open(volume, descriptor));
    memcpy(volume->in_use, volume_look(volume, volume->super.bitmap_start), DISKFS_BLOCK_BYTES);
    return volume;
}

void image_end(struct volume *volume)
{
    need(volume_flush(volume) == 0);
    volume_close(volume);
    free(volume);
}

struct diskfs_entry *image_entry(struct volume *volume, uint32_t directory, const char *name)
{
    struct diskfs_inode inode = volume_load_inode(volume, directory);
    size_t length = strlen(name);

    for (uint32_t i = 0; i < inode.size_bytes / DISKFS_BLOCK_BYTES; i++) {
        uint8_t *block = volume_change(volume, volume_find_part(volume, &inode, i));

        for (uint32_t at = 0; at < DISKFS_BLOCK_BYTES;) {
            struct diskfs_entry *entry = (struct diskfs_entry *)(block + at);

            if (entry->inode != 0 && entry->name_bytes == length &&
                memcmp(entry->name, name, length) == 0)
                return entry;
            at += entry->entry_bytes;
        }
    }
    return NULL;
}

void image_journal(struct volume *volume, unsigned half, uint64_t sequence, uint32_t count,
                   const uint32_t *targets, const uint8_t (*images)[DISKFS_BLOCK_BYTES])
{
    uint32_t start = volume->super.journal_start + (half ? volume->super.journal_blocks / 2 : 0);
    struct diskfs_journal_head *head = volume_renew(volume, start);
    const uint8_t *from = (const uint8_t *)&head->sequence;

    head->magic = DISKFS_JOURNAL_MAGIC;
    head->sequence = sequence;
    head->image_count = count;
    for (uint32_t i = 0; i < count; i++) {
        head->targets[i] = targets[i];
        memcpy(volume_renew(volume, start + 1 + i), images[i], DISKFS_BLOCK_BYTES);
    }
    head->checksum = fnv64_update(FNV64_START, from,
                                  (size_t)((const uint8_t *)&head->targets[count] - from));
}
