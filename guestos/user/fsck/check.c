/* SPDX-License-Identifier: MIT */
/* A check from its beginning to its end. */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { LINE_SIZE = 512 };

/* ---- findings ----------------------------------------------------------------------------------
 */

static PRINTF_LIKE(3, 0) void say(struct check *check, const char *repair, const char *format,
                                  va_list arguments)
{
    char line[LINE_SIZE];
    size_t length;

    check->result->finding_count++;
    (void)vsnprintf(line, sizeof(line), format, arguments);
    length = strlen(line);
    (void)snprintf(line + length, sizeof(line) - length, " -> %s", repair);
    if (check->options->say)
        check->options->say(check->options->context, line);
}

void check_found(struct check *check, const char *repair, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(check, repair, format, arguments);
    va_end(arguments);
}

void check_left(struct check *check, const char *format, ...)
{
    va_list arguments;

    check->result->left_count++;
    va_start(arguments, format);
    say(check, "left as it is", format, arguments);
    va_end(arguments);
}

/* ---- the check ---------------------------------------------------------------------------------
 */

static bool open_check(struct check *check, int descriptor)
{
    struct volume *volume = &check->volume;
    const char *refused = volume_open(volume, descriptor);
    size_t bits;

    if (refused) {
        (void)snprintf(check->result->problem, sizeof(check->result->problem), "%s", refused);
        return false;
    }
    bits = (volume->super.block_count + 7UL) / 8;
    check->nodes = calloc(volume->inode_limit, sizeof(*check->nodes));
    check->reached = calloc(volume->inode_limit, sizeof(*check->reached));
    check->shared = calloc(bits, 1);
    check->owned = calloc(bits, 1);
    if (!check->nodes || !check->reached || !check->shared || !check->owned)
        volume_fail(volume, ENOMEM, VOLUME_NO_BLOCK);
    return true;
}

static void close_check(struct check *check)
{
    volume_close(&check->volume);
    free(check->nodes);
    free(check->reached);
    free(check->shared);
    free(check->owned);
}

/* The images come to the disk by themselves, before anything is repaired: a stop of the machine
   meanwhile leaves what a mount can recover. */
static void replay(struct check *check)
{
    journal_replay(check);
    if (check->options->repair && check->volume.changed_count > 0)
        (void)volume_flush(&check->volume); /* a failure is remembered */
}

static void run_passes(struct check *check)
{
    static void (*const passes[])(struct check *) = {
        replay,     orphans_load,       inodes_check,         names_check,
        lost_check, counts_check_links, counts_check_orphans, counts_check_bitmap,
    };

    for (size_t i = 0; i < ARRAY_SIZE(passes) && check->volume.error == 0; i++)
        passes[i](check);
}

static void repair(struct check *check)
{
    if (check->volume.changed_count == 0)
        return;
    journal_retire(check);
    (void)volume_flush(&check->volume);
}

static void say_failure(struct check *check)
{
    struct volume *volume = &check->volume;
    struct fsck_result *result = check->result;

    if (volume->error_block == VOLUME_NO_BLOCK)
        (void)snprintf(result->problem, sizeof(result->problem), "%s", strerror(volume->error));
    else
        (void)snprintf(result->problem, sizeof(result->problem), "block %u: %s",
                       volume->error_block, strerror(volume->error));
}

static enum fsck_state state_of(const struct check *check)
{
    if (check->volume.error)
        return FSCK_FAILED;
    if (check->result->finding_count == 0)
        return FSCK_CLEAN;
    return check->options->repair && check->result->left_count == 0 ? FSCK_REPAIRED : FSCK_DAMAGED;
}

struct fsck_result fsck_check(int descriptor, const struct fsck_options *options)
{
    struct fsck_result result = {.state = FSCK_FAILED};
    struct check check = {.options = options, .result = &result};

    if (!open_check(&check, descriptor))
        return result;
    run_passes(&check);
    if (options->repair && check.volume.error == 0)
        repair(&check);
    result.state = state_of(&check);
    if (check.volume.error)
        say_failure(&check);
    close_check(&check);
    return result;
}
