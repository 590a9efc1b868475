/* SPDX-License-Identifier: MIT */
/* env [-i] [NAME=VALUE...] [COMMAND [WORD...]]: run a command with other variables (-i: with these
   alone), or print them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

extern char **environ;

enum { STATUS_NOT_RUN = 126, STATUS_NOT_FOUND = 127 };

int main(int argc, char **argv)
{
    static char *nothing[] = {NULL};
    int i = 1;

    if (i < argc && strcmp(argv[i], "-i") == 0) {
        environ = nothing;
        i++;
    }
    for (; i < argc && strchr(argv[i], '='); i++) {
        if (argv[i][0] == '=')
            return program_usage("env [-i] [NAME=VALUE...] [COMMAND [WORD...]]");
        if (putenv(argv[i]) != 0)
            return program_complain("env", argv[i]);
    }
    if (i == argc) {
        for (char **variable = environ; *variable; variable++)
            puts(*variable);
        return 0;
    }
    execvp(argv[i], argv + i);
    (void)program_complain("env", argv[i]);
    return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN;
}
