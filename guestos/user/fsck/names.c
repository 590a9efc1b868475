/* SPDX-License-Identifier: MIT */
/*
 * Each directory, from the root on: its entries are sound, each names something once, and each
 * directory has one name.
 *
 * A directory is visited twice. The first visit follows an entry to a directory only if that says
 * that this is its parent. What is not reached in this way after all first visits is reached by the
 * second ones, by whatever names it; and of two names of a directory the wrong one is known by
 * then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fnv.h"
#include "internal.h"
#include "volume/directory.h"
#include "volume/map.h"

enum {
    PLACES_PER_BLOCK = DISKFS_BLOCK_BYTES / DISKFS_ENTRY_ALIGN,
    NO_POSITION = UINT32_MAX,
};

/* ---- visits ------------------------------------------------------------------------------------
 */

/* An entry with a name, in memory: `visit` may change its inode (0: it goes) and is_directory. */
struct place {
    uint32_t directory;
    uint32_t position; /* where in it, in units of DISKFS_ENTRY_ALIGN */
    struct diskfs_entry *entry;
    void *context;
};
typedef void place_visit(struct check *check, struct place *place);

/* A name for a line of text: what does not print is shown as a question mark. */
struct printed {
    char text[DISKFS_NAME_MAX + 1];
};

static struct printed print_name(const struct diskfs_entry *entry)
{
    struct printed printed;

    for (uint32_t i = 0; i < entry->name_bytes; i++) {
        char c = entry->name[i];

        printed.text[i] = '?';
        if (c >= ' ' && c <= '~')
            printed.text[i] = c;
    }
    printed.text[entry->name_bytes] = '\0';
    return printed;
}

/* Visit the names in one block, which is in memory; what is no entry becomes free room. */
static void visit_block(struct check *check, struct place place, uint32_t part, uint8_t *block,
                        place_visit *visit)
{
    for (uint32_t at = 0; at < DISKFS_BLOCK_BYTES; at += place.entry->entry_bytes) {
        uint32_t room = DISKFS_BLOCK_BYTES - at;

        place.entry = (struct diskfs_entry *)(block + at);
        place.position = part * PLACES_PER_BLOCK + at / DISKFS_ENTRY_ALIGN;
        if (!volume_entry_is_sound(place.entry, room)) {
            check_found(check, "free room",
                        "inode %u: at %u of block %u of the directory is no entry", place.directory,
                        at, part);
            memset(place.entry, 0, room);
            place.entry->entry_bytes = (uint16_t)room;
        }
        if (place.entry->inode != 0)
            visit(check, &place);
    }
}

static void visit_names(struct check *check, uint32_t directory, place_visit *visit, void *context)
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, directory);
    uint64_t count = min(inode.size_bytes, DISKFS_FILE_BYTES) / DISKFS_BLOCK_BYTES;
    struct place place = {.directory = directory, .context = context};
    _Alignas(uint64_t) uint8_t content[DISKFS_BLOCK_BYTES];

    for (uint32_t i = 0; i < count; i++) {
        uint32_t block = volume_find_part(&check->volume, &inode, i);

        if (block == 0)
            continue;
        memcpy(content, volume_look(&check->volume, block), sizeof(content));
        visit_block(check, place, i, content, visit);
        if (memcmp(content, volume_look(&check->volume, block), sizeof(content)) != 0)
            memcpy(volume_change(&check->volume, block), content, sizeof(content));
    }
}

static void drop(struct check *check, struct place *place, const char *why)
{
    struct printed name = print_name(place->entry);

    check_found(check, "dropped", "inode %u: its name %s for inode %u %s", place->directory,
                name.text, place->entry->inode, why);
    place->entry->inode = 0;
}

/* ---- names by themselves -----------------------------------------------------------------------
 */

static void check_entry(struct check *check, struct place *place)
{
    struct diskfs_entry *entry = place->entry;
    struct printed name = print_name(entry);
    bool is_directory;

    if (!volume_name_is_legal(entry->name, entry->name_bytes)) {
        drop(check, place, "is none");
        return;
    }
    if (entry->inode >= check->volume.inode_limit || check->nodes[entry->inode].kind == NODE_FREE) {
        drop(check, place, "leads nowhere");
        return;
    }
    is_directory = check->nodes[entry->inode].kind == NODE_DIRECTORY;
    if (entry->is_directory != is_directory) {
        check_found(check, "set", "inode %u: its name %s calls inode %u a %s", place->directory,
                    name.text, entry->inode, is_directory ? "file" : "directory");
        entry->is_directory = is_directory;
    }
}

/* ---- names that are there twice ----------------------------------------------------------------
 */

struct hashed {
    uint64_t hash;
    uint32_t position;
};

struct hashes {
    struct hashed *list;
    size_t count, max;
};

/* In two visits: count them, list them. */
static void visit_hash(struct check *check, struct place *place)
{
    struct hashes *hashes = place->context;

    (void)check;
    if (hashes->count < hashes->max) {
        hashes->list[hashes->count].hash = fnv64_update(FNV64_START, place->entry->name,
                                                        place->entry->name_bytes);
        hashes->list[hashes->count].position = place->position;
    }
    hashes->count++;
}

static int compare_hashes(const void *left, const void *right)
{
    const struct hashed *one = left, *other = right;

    if (one->hash != other->hash)
        return one->hash < other->hash ? -1 : 1;
    return one->position < other->position ? -1 : one->position > other->position;
}

/* The entry at a position, with its name, which is sound. */
union named {
    struct diskfs_entry entry;
    uint8_t bytes[DISKFS_ENTRY_HEAD_BYTES + DISKFS_NAME_MAX];
};

static void load_entry(struct check *check, const struct diskfs_inode *inode, uint32_t position,
                       union named *named)
{
    uint32_t at = position % PLACES_PER_BLOCK * DISKFS_ENTRY_ALIGN;
    uint32_t block = volume_find_part(&check->volume, inode, position / PLACES_PER_BLOCK);
    size_t bytes = DISKFS_BLOCK_BYTES - at;

    memset(named, 0, sizeof(*named));
    memcpy(named, (const uint8_t *)volume_look(&check->volume, block) + at,
           min(bytes, sizeof(*named)));
}

static bool have_same_name(struct check *check, const struct diskfs_inode *inode, uint32_t left,
                           uint32_t right)
{
    union named one, other;

    load_entry(check, inode, left, &one);
    load_entry(check, inode, right, &other);
    return one.entry.name_bytes == other.entry.name_bytes &&
           memcmp(one.bytes + DISKFS_ENTRY_HEAD_BYTES, other.bytes + DISKFS_ENTRY_HEAD_BYTES,
                  one.entry.name_bytes) == 0;
}

static void drop_at(struct check *check, uint32_t directory, const struct diskfs_inode *inode,
                    uint32_t position)
{
    uint32_t block = volume_find_part(&check->volume, inode, position / PLACES_PER_BLOCK);
    uint8_t *content = volume_change(&check->volume, block);
    struct place place = {.directory = directory, .position = position};

    place.entry = (struct diskfs_entry *)(content +
                                          position % PLACES_PER_BLOCK * DISKFS_ENTRY_ALIGN);
    drop(check, &place, "is there twice");
}

/* Names with the same hash stand one behind the other: the first of the same name stays. */
static void check_hashes(struct check *check, uint32_t directory, const struct hashes *hashes)
{
    struct diskfs_inode inode = volume_load_inode(&check->volume, directory);
    size_t first = 0;

    for (size_t i = 1; i < hashes->count; i++) {
        if (hashes->list[i].hash != hashes->list[first].hash)
            first = i;
        else if (have_same_name(check, &inode, hashes->list[first].position,
                                hashes->list[i].position))
            drop_at(check, directory, &inode, hashes->list[i].position);
    }
}

static void check_twice(struct check *check, uint32_t directory)
{
    struct hashes hashes = {0};

    visit_names(check, directory, visit_hash, &hashes);
    if (hashes.count < 2)
        return;
    hashes.max = hashes.count;
    hashes.count = 0;
    hashes.list = calloc(hashes.max, sizeof(*hashes.list));
    if (!hashes.list) {
        volume_fail(&check->volume, ENOMEM, VOLUME_NO_BLOCK);
        return;
    }
    visit_names(check, directory, visit_hash, &hashes);
    hashes.count = min(hashes.count, hashes.max);
    qsort(hashes.list, hashes.count, sizeof(*hashes.list), compare_hashes);
    check_hashes(check, directory, &hashes);
    free(hashes.list);
}

/* ---- the tree ----------------------------------------------------------------------------------
 */

void names_reach(struct check *check, uint32_t number, uint32_t parent, uint32_t position)
{
    struct node *node = &check->nodes[number];

    if (node_is_removed(node)) { /* it was allowed to be half gone, and is not any more */
        struct diskfs_inode inode = volume_load_inode(&check->volume, number);

        inodes_settle_directory(check, number, &inode);
        volume_store_inode(&check->volume, number, &inode);
    }
    if (number != DISKFS_ROOT)
        check->nodes[parent].names++;
    node->is_reached = true;
    node->parent = parent;
    node->position = position;
    check->reached[check->reached_count++] = number;
}

static void follow(struct check *check, struct place *place, bool to_strays)
{
    struct node *node = &check->nodes[place->entry->inode];

    if (node->is_reached) {
        if (node->parent != place->directory || node->position != place->position)
            drop(check, place, "is not its only one");
    } else if (to_strays || node->parent == place->directory) {
        names_reach(check, place->entry->inode, place->directory, place->position);
    }
}

static void visit_name(struct check *check, struct place *place)
{
    struct node *node = &check->nodes[place->entry->inode];

    if (node->kind == NODE_FILE)
        node->names++;
    else
        follow(check, place, false);
}

static void visit_stray(struct check *check, struct place *place)
{
    if (check->nodes[place->entry->inode].kind == NODE_DIRECTORY)
        follow(check, place, true);
}

void names_check(struct check *check)
{
    if (!check->nodes[DISKFS_ROOT].is_reached)
        names_reach(check, DISKFS_ROOT, check->nodes[DISKFS_ROOT].parent, NO_POSITION);
    while (check->volume.error == 0) {
        if (check->names_next < check->reached_count) {
            uint32_t directory = check->reached[check->names_next++];

            visit_names(check, directory, check_entry, NULL);
            check_twice(check, directory);
            visit_names(check, directory, visit_name, NULL);
        } else if (check->strays_next < check->reached_count) {
            visit_names(check, check->reached[check->strays_next++], visit_stray, NULL);
        } else {
            return;
        }
    }
}

static void visit_anything(struct check *check, struct place *place)
{
    (void)check;
    *(bool *)place->context = false;
}

bool names_is_empty(struct check *check, uint32_t number)
{
    bool is_empty = true;

    visit_names(check, number, visit_anything, &is_empty);
    return is_empty;
}
