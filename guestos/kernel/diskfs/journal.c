/* SPDX-License-Identifier: MIT */
/*
 * The journal: handles join a running transaction, and a commit makes it hold as a whole.
 * frank/diskfs.h tells how it lies on the disk and why recovery is so simple.
 *
 * While a commit is under way no handle is active, so the blocks do not change under it. A handle
 * promises how much it will change at most before it begins; who finds no room commits first.
 *
 * A disk that is memory has no use for any of this: it would be lost as a whole.
 */
#include "fnv.h"
#include "kernel/diskfs/internal.h"
#include "kernel/printk.h"
#include "kernel/wait.h"
#include "string.h"

/* ---- handles -----------------------------------------------------------------------------------
 */

/* Room for one more handle in the running transaction. Where blocks are short, those that it frees
   are better had first. */
static bool has_room(const struct diskfs *fs)
{
    const struct journal *journal = &fs->journal;
    u32 handles = journal->active_count + 1;

    return journal->buffer_count + handles * HANDLE_IMAGES_MAX + fs->super.bitmap_blocks <=
               journal->image_max &&
           (READ_ONCE(fs->freed_block_count) == 0 ||
            READ_ONCE(fs->free_block_count) >= handles * HANDLE_BLOCKS_MAX);
}

int journal_begin(struct diskfs *fs)
{
    struct journal *journal = &fs->journal;

    if (journal->is_read_only)
        return -EROFS;
    if (journal->is_needless)
        return 0;
    SPIN_GUARD(&journal->lock);
    while (journal->is_committing || !has_room(fs)) {
        int error;

        if (journal->is_committing || journal->active_count > 0) {
            wait_on_uninterruptible(&journal->changed, &journal->lock);
            continue;
        }
        spin_release(&journal->lock);
        error = journal_commit(fs);
        spin_acquire(&journal->lock);
        if (error)
            return error;
    }
    if (journal->has_failed)
        return -EIO;
    journal->active_count++;
    return 0;
}

void journal_end(struct diskfs *fs)
{
    struct journal *journal = &fs->journal;

    if (journal->is_needless)
        return;
    SPIN_GUARD(&journal->lock);
    journal->active_count--;
    wake_all(&journal->changed);
}

void journal_add(struct diskfs *fs, struct buffer *buffer)
{
    struct journal *journal = &fs->journal;
    bool added;

    if (journal->is_needless)
        return;
    spin_acquire(&journal->lock);
    added = !buffer->is_journaled;
    if (added) {
        buffer->is_journaled = true;
        list_push_back(&journal->buffers, &buffer->journal_node);
        journal->buffer_count++;
    }
    spin_release(&journal->lock);
    if (added)
        buffer_get(buffer);
}

/* ---- commit ------------------------------------------------------------------------------------
 */

static u32 half_start(const struct diskfs *fs, u64 sequence)
{
    return fs->super.journal_start + (sequence % 2 ? fs->super.journal_blocks / 2 : 0);
}

/* Write each block of the transaction: its image, or to its place. All are on their way at once. */
static int write_blocks(struct diskfs *fs, bool images)
{
    struct journal *journal = &fs->journal;
    u32 image = half_start(fs, journal->sequence) + 1;
    struct buffer *buffer;
    int result = 0;

    list_for_each (buffer, &journal->buffers, journal_node)
        buffer_start_write(buffer, images ? image++ : buffer->block);
    list_for_each (buffer, &journal->buffers, journal_node) {
        int error = buffer_wait(buffer);
        result = error ? error : result;
    }
    return result;
}

static u64 head_checksum(const struct diskfs_journal_head *head)
{
    const u8 *end = (const u8 *)&head->targets[head->image_count];

    return fnv64_update(FNV64_START, &head->sequence, (size_t)(end - (const u8 *)&head->sequence));
}

static int write_head(struct diskfs *fs)
{
    struct journal *journal = &fs->journal;
    struct buffer *buffer = journal->heads[journal->sequence % 2], *image;
    struct diskfs_journal_head *head = buffer_data(buffer);

    memset(head, 0, sizeof(*head));
    head->magic = DISKFS_JOURNAL_MAGIC;
    head->sequence = journal->sequence;
    list_for_each (image, &journal->buffers, journal_node)
        head->targets[head->image_count++] = image->block;
    head->checksum = head_checksum(head);
    buffer_start_write(buffer, buffer->block);
    return buffer_wait(buffer);
}

/* Let go of the transaction's blocks: it holds, or never will. */
static void let_go(struct journal *journal)
{
    struct buffer *buffer, *next;

    list_for_each_safe (buffer, next, &journal->buffers, journal_node) {
        list_remove(&buffer->journal_node);
        buffer->is_journaled = false;
        buffer_put(buffer);
    }
    journal->buffer_count = 0;
}

/* The images, and the head that makes them hold; then the blocks to their places. */
static int write_in_order(struct diskfs *fs)
{
    int error = write_blocks(fs, true);

    if (!error)
        error = buffer_flush(fs->cache);
    if (!error)
        error = write_head(fs);
    if (!error)
        error = buffer_flush(fs->cache);
    return error ? error : write_blocks(fs, false);
}

/* No handle is active. What fails before anything was changed can be tried again later; what fails
   afterwards ends all writing, since memory and disk no longer agree. */
static int write_transaction(struct diskfs *fs)
{
    struct journal *journal = &fs->journal;
    int error = journal->has_failed ? -EIO : buffer_write_dirty(fs->cache);

    if (error)
        return error;
    if (journal->buffer_count == 0)
        return buffer_flush(fs->cache);
    blocks_release(fs);
    error = write_in_order(fs);
    if (!error) {
        let_go(journal);
        journal->sequence++;
        return 0;
    }
    printk("%s: cannot be written (error %d): the file system takes no more changes\n",
           fs->device->name, -error);
    WRITE_ONCE(journal->has_failed, true);
    return -EIO;
}

int journal_commit(struct diskfs *fs)
{
    struct journal *journal = &fs->journal;
    int error;

    if (journal->is_needless || journal->is_read_only)
        return 0;
    spin_acquire(&journal->lock);
    while (journal->is_committing)
        wait_on_uninterruptible(&journal->changed, &journal->lock);
    journal->is_committing = true;
    while (journal->active_count > 0)
        wait_on_uninterruptible(&journal->changed, &journal->lock);
    spin_release(&journal->lock);

    error = write_transaction(fs);

    spin_acquire(&journal->lock);
    journal->is_committing = false;
    wake_all(&journal->changed);
    spin_release(&journal->lock);
    return error;
}

/* ---- recovery ----------------------------------------------------------------------------------
 */

/* A head as it lies on the disk, if it makes sense: its sequence, or 0. */
static u64 check_head(const struct diskfs *fs, const struct diskfs_journal_head *head)
{
    if (head->magic != DISKFS_JOURNAL_MAGIC || head->image_count > fs->journal.image_max ||
        head->checksum != head_checksum(head))
        return 0;
    for (u32 i = 0; i < head->image_count; i++) {
        u32 target = head->targets[i];

        if (target >= fs->super.block_count ||
            (target != DISKFS_ORPHANS && target < fs->super.bitmap_start))
            return 0;
    }
    return head->sequence;
}

/* The sequence of a half's last transaction; 0: there is none. */
static int read_head(struct diskfs *fs, u32 half, u64 *sequence)
{
    struct buffer **head = &fs->journal.heads[half];
    int error = buffer_read(fs->cache, half_start(fs, half), head);

    if (!error)
        *sequence = check_head(fs, buffer_data(*head));
    return error;
}

/* Copy one image to its place: on the disk, or where that is only read in memory, to stay. */
static int copy_image(struct diskfs *fs, u32 image, u32 target)
{
    struct buffer *buffer BUFFER_REF = NULL, *there BUFFER_REF = NULL;
    int error = buffer_read(fs->cache, image, &buffer);

    if (!error && fs->journal.is_read_only) {
        error = buffer_read(fs->cache, target, &there);
        if (error)
            return error;
        memcpy(buffer_data(there), buffer_data(buffer), DISKFS_BLOCK_BYTES);
        journal_add(fs, there);
    } else if (!error) {
        buffer_start_write(buffer, target);
        error = buffer_wait(buffer);
    }
    return error;
}

static int copy_images(struct diskfs *fs, const struct buffer *head_buffer)
{
    const struct diskfs_journal_head *head = buffer_data(head_buffer);
    int error = 0;

    for (u32 i = 0; !error && i < head->image_count; i++)
        error = copy_image(fs, head_buffer->block + 1 + i, head->targets[i]);
    return error || fs->journal.is_read_only ? error : buffer_flush(fs->cache);
}

static int recover(struct diskfs *fs)
{
    u64 sequences[2];
    int last, error = read_head(fs, 0, &sequences[0]);

    if (!error)
        error = read_head(fs, 1, &sequences[1]);
    if (error)
        return error;
    last = sequences[1] > sequences[0];
    fs->journal.sequence = sequences[last] + 1;
    return sequences[last] > 0 ? copy_images(fs, fs->journal.heads[last]) : 0;
}

void journal_init(struct diskfs *fs)
{
    struct journal *journal = &fs->journal;

    journal->is_needless = block_is_memory(fs->device);
    journal->is_read_only = fs->device->read_only;
    spin_init(&journal->lock, "journal", LOCK_BUFFER);
    wait_queue_init(&journal->changed);
    list_init(&journal->buffers);
}

int journal_open(struct diskfs *fs)
{
    struct journal *journal = &fs->journal;

    if (fs->super.journal_blocks == 0)
        return journal->is_needless ? 0 : -EINVAL;
    journal->image_max = min(fs->super.journal_blocks / 2 - 1, (u32)DISKFS_IMAGES_MAX);
    return recover(fs);
}

void journal_close(struct diskfs *fs)
{
    let_go(&fs->journal);
    for (unsigned half = 0; half < ARRAY_SIZE(fs->journal.heads); half++)
        buffer_put(fs->journal.heads[half]);
}
