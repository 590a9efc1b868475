/* SPDX-License-Identifier: MIT */
/* date [-u] [-r FILE] [+FORMAT]: the time now, or of the file's last change, as strftime's FORMAT
   says. Frank knows no zones: all times are UTC, -u or not. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

enum {
    TEXT_MAX = 4096,
};

int main(int argc, char **argv)
{
    const char *format = "%a %b %e %H:%M:%S UTC %Y";
    time_t when = time(NULL);
    static char text[TEXT_MAX];
    struct stat file;
    int option;

    while ((option = getopt(argc, argv, "ur:")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        if (option == 'r' && stat(optarg, &file) != 0)
            return program_complain("date", optarg);
        if (option == 'r')
            when = file.st_mtime;
    }
    if (optind < argc && argv[optind][0] == '+')
        format = argv[optind++] + 1;
    if (optind < argc)
        return program_usage("date [-u] [-r FILE] [+FORMAT]");
    if (*format && strftime(text, sizeof(text), format, gmtime(&when)) == 0) {
        fprintf(stderr, "date: the format gives more than %d characters\n", TEXT_MAX - 1);
        return EXIT_FAILURE;
    }
    puts(text);
    return EXIT_SUCCESS;
}
