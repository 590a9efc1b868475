/* SPDX-License-Identifier: MIT */
/* fsck [-n | -y] FILE: check a disk file system that is not mounted (-n), or repair it (-y). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

/* As fsck's are everywhere. */
enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_REPAIRED = 1,
    EXIT_DAMAGED = 4,
    EXIT_FAILED = 8,
    EXIT_USAGE = 16,
};

static int usage(void)
{
    fprintf(stderr, "usage: fsck [-n | -y] FILE\n"
                    "  -n  say what is wrong and write nothing (as without options)\n"
                    "  -y  repair it\n");
    return EXIT_USAGE;
}

static void say(void *context, const char *line)
{
    (void)context;
    puts(line);
}

static const char *verdict(const struct fsck_result *result, bool repair)
{
    if (result->state == FSCK_CLEAN)
        return "clean";
    if (result->state == FSCK_REPAIRED)
        return "repaired";
    return repair ? "not all could be repaired: make room and run fsck -y again"
                  : "nothing was changed: fsck -y repairs";
}

static int report(const char *file, const struct fsck_result *result, bool repair)
{
    static const int statuses[] = {
        [FSCK_CLEAN] = EXIT_CLEAN,
        [FSCK_REPAIRED] = EXIT_REPAIRED,
        [FSCK_DAMAGED] = EXIT_DAMAGED,
        [FSCK_FAILED] = EXIT_FAILED,
    };

    if (result->state == FSCK_FAILED) {
        fprintf(stderr, "fsck: %s: could not be checked: %s\n", file, result->problem);
        return EXIT_FAILED;
    }
    printf("%s: %u files, %u directories (%u to be finished by the next mount); "
           "%u blocks used, %u free; ",
           file, result->file_count, result->directory_count, result->orphan_count,
           result->used_blocks, result->free_blocks);
    if (result->finding_count > 0)
        printf("%llu found: ", (unsigned long long)result->finding_count);
    puts(verdict(result, repair));
    return statuses[result->state];
}

int main(int argc, char **argv)
{
    struct fsck_options options = {.say = say};
    struct fsck_result result;
    int option, descriptor;

    while ((option = getopt(argc, argv, "ny")) != -1) {
        if (option == '?')
            return usage();
        options.repair = option == 'y';
    }
    if (optind != argc - 1)
        return usage();
    descriptor = open(argv[optind], options.repair ? O_RDWR : O_RDONLY);
    if (descriptor < 0) {
        fprintf(stderr, "fsck: %s: %s\n", argv[optind], strerror(errno));
        return EXIT_FAILED;
    }
    result = fsck_check(descriptor, &options);
    close(descriptor);
    return report(argv[optind], &result, options.repair);
}
