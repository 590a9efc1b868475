/* SPDX-License-Identifier: MIT */
/* Names in a directory of a volume that is not mounted. */
#pragma once

#include "volume.h"

/* Whether what stands at an entry's place can be one, with so much room to the block's end. A name
   may still be one that no file has: volume_name_is_legal(). */
bool volume_entry_is_sound(const struct diskfs_entry *entry, uint32_t room);

bool volume_name_is_legal(const char *name, uint32_t name_bytes);

/* The inode of a name, and whether it is a directory's; 0: it is not there. The directory is sound.
 */
uint32_t volume_find_name(struct volume *volume, const struct diskfs_inode *directory,
                          const char *name, bool *is_directory);

/*
 * Put a name, which is legal and not there, into a directory in the caller's memory, which is sound
 * and may grow: it is to be stored then. Room is looked for from block `first` of the directory on.
 * -1: no block was free, or a directory cannot be larger.
 */
int volume_add_name(struct volume *volume, struct diskfs_inode *directory, uint32_t first,
                    const char *name, uint32_t number, bool is_directory);
