/* SPDX-License-Identifier: MIT */
/* sleep SECONDS: a number with or without a fraction. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct timespec request;
    double seconds;
    char *end;

    if (argc != 2) {
        fprintf(stderr, "usage: sleep SECONDS\n");
        return 2;
    }
    seconds = strtod(argv[1], &end);
    if (*end || end == argv[1] || !(seconds >= 0 && seconds < 1e9)) {
        fprintf(stderr, "sleep: %s: not a number of seconds\n", argv[1]);
        return 2;
    }
    request.tv_sec = (time_t)seconds;
    request.tv_nsec = (long)((seconds - (double)request.tv_sec) * 1e9);
    if (nanosleep(&request, NULL) < 0) {
        fprintf(stderr, "sleep: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
