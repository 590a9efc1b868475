/* SPDX-License-Identifier: MIT */
/* mkfs [-m] [-i INODES] [-j JOURNAL_BLOCKS] [-s SIZE] [-d DIRECTORY] FILE: make a file system. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "frank/diskfs.h"
#include "populate.h"
#include "volume/io.h"

enum { DECIMAL = 10, CREATED_MODE = 0644 };

struct request {
    const char *file;
    const char *directory; /* or NULL */
    uint64_t size_bytes;   /* 0: as the file is */
    struct format_plan plan;
};

static int usage(void)
{
    fprintf(stderr,
            "usage: mkfs [-m] [-i INODES] [-j JOURNAL_BLOCKS] [-s SIZE] [-d DIRECTORY] FILE\n"
            "  -i  how many files and directories there can be (usually one for each four blocks)\n"
            "  -j  blocks of 4096 bytes for the journal, %d to %d (usually by the size)\n"
            "  -s  make FILE this long: bytes, or with K, M or G (usually as long as it is)\n"
            "  -d  copy what is in DIRECTORY into the new file system\n"
            "  -m  for a disk in memory: no journal, and FILE is cut behind the last block of -d\n",
            DISKFS_JOURNAL_BLOCKS_MIN, DISKFS_JOURNAL_BLOCKS_MAX);
    return 2;
}

static int fail(const char *file, const char *why)
{
    fprintf(stderr, "mkfs: %s: %s\n", file, why);
    return 1;
}

/* ---- the command line --------------------------------------------------------------------------
 */

/* A number from 1 to `limit`; with `units` K, M, G may follow. 0: it is none. */
static uint64_t parse_number(const char *text, uint64_t limit, bool units)
{
    static const char letters[] = "KMG";
    unsigned long long value;
    const char *letter;
    unsigned shift = 0;
    char *end;

    errno = 0;
    value = strtoull(text, &end, DECIMAL);
    if (errno != 0 || text[0] < '0' || text[0] > '9')
        return 0;
    letter = units && *end != '\0' ? strchr(letters, *end) : NULL;
    if (letter) {
        shift = 10 * (unsigned)(letter - letters + 1);
        end++;
    }
    return *end == '\0' && value <= limit >> shift ? value << shift : 0;
}

/* Whether an option makes sense; if not, that is said. */
static bool take_option(struct request *request, int option, const char *value)
{
    uint64_t limit = option == 's' ? (uint64_t)UINT32_MAX * DISKFS_BLOCK_BYTES : UINT32_MAX / 2;
    uint64_t number;

    if (option == 'd') {
        request->directory = value;
        return true;
    }
    number = parse_number(value, limit, option == 's');
    if (number == 0) {
        fprintf(stderr, "mkfs: -%c %s: a number from 1 to %llu is expected\n", option, value,
                (unsigned long long)limit);
        return false;
    }
    if (option == 's')
        request->size_bytes = number;
    else if (option == 'i')
        request->plan.inode_count = (uint32_t)number;
    else
        request->plan.journal_blocks = (uint32_t)number;
    return true;
}

static bool parse(int argc, char **argv, struct request *request)
{
    int option;

    while ((option = getopt(argc, argv, "mi:j:s:d:")) != -1) {
        if (option == '?')
            return false;
        if (option == 'm')
            request->plan.without_journal = true;
        else if (!take_option(request, option, optarg))
            return false;
    }
    if (optind != argc - 1)
        return false;
    request->file = argv[optind];
    return true;
}

/* ---- the work ----------------------------------------------------------------------------------
 */

/* Make the file as long as is asked for, and see how many blocks that is. */
static int measure(int descriptor, struct request *request)
{
    off_t bytes;

    if (request->size_bytes > 0 && ftruncate(descriptor, (off_t)request->size_bytes) != 0)
        return fail(request->file, strerror(errno));
    bytes = lseek(descriptor, 0, SEEK_END);
    if (bytes < 0)
        return fail(request->file, strerror(errno));
    if (bytes == 0)
        return fail(request->file, "it is empty; -s SIZE says how long it is to be");
    if ((uint64_t)bytes / DISKFS_BLOCK_BYTES > UINT32_MAX)
        return fail(request->file, "it is too large; -s SIZE makes a smaller file");
    request->plan.block_count = (uint32_t)((uint64_t)bytes / DISKFS_BLOCK_BYTES);
    return 0;
}

/* A tree that could not be copied as a whole leaves nothing that could be mounted. */
static int fill(int descriptor, const struct request *request)
{
    static const char nothing[DISKFS_BLOCK_BYTES];
    struct volume volume;
    const char *refused = volume_open(&volume, descriptor);
    off_t used_bytes;
    int result;

    if (refused)
        return fail(request->file, refused);
    result = populate(&volume, request->directory);
    used_bytes = (off_t)volume_used_end(&volume) * DISKFS_BLOCK_BYTES;
    volume_close(&volume);
    if (result == 0)
        return request->plan.without_journal && ftruncate(descriptor, used_bytes) != 0
                   ? fail(request->file, strerror(errno))
                   : 0;
    if (io_write_block(descriptor, DISKFS_SUPERBLOCK, nothing) != 0)
        return fail(request->file, strerror(errno));
    return fail(request->file, "there is no file system on it now");
}

static int make(int descriptor, struct request *request)
{
    if (measure(descriptor, request) != 0)
        return 1;
    if (format_disk(descriptor, &request->plan) != 0)
        return fail(request->file,
                    errno == EINVAL ? "it is too small for what is asked for: make it larger (-s), "
                                      "with fewer inodes (-i), or leave the journal's size out (-j)"
                                    : strerror(errno));
    if (request->directory && fill(descriptor, request) != 0)
        return 1;
    printf("%s: %u blocks of %d bytes\n", request->file, request->plan.block_count,
           DISKFS_BLOCK_BYTES);
    return 0;
}

int main(int argc, char **argv)
{
    struct request request = {0};
    int descriptor, status;

    if (!parse(argc, argv, &request))
        return usage();
    descriptor = open(request.file, O_RDWR | (request.size_bytes > 0 ? O_CREAT : 0), CREATED_MODE);
    if (descriptor < 0)
        return fail(request.file, strerror(errno));
    status = make(descriptor, &request);
    if (close(descriptor) != 0)
        status = fail(request.file, strerror(errno));
    return status;
}
