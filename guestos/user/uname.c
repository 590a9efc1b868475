/* SPDX-License-Identifier: MIT */
/* uname [-asnm]: the system's name (-s, as without options), the machine's (-n), its processor
   (-m), or all of them (-a). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

int main(int argc, char **argv)
{
    static const char letters[] = "snm";
    const char *host = getenv("HOSTNAME");
    const char *const texts[] = {"Frank", host ? host : "frank", "riscv64"};
    bool wanted[3] = {false}, any = false;
    int option;

    while ((option = getopt(argc, argv, "asnm")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        for (int i = 0; letters[i]; i++)
            wanted[i] |= option == 'a' || option == letters[i];
        any = true;
    }
    if (optind < argc)
        return program_usage("uname [-asnm]");
    wanted[0] |= !any;
    for (int i = 0, shown = 0; letters[i]; i++) {
        if (wanted[i])
            printf("%s%s", shown++ ? " " : "", texts[i]);
    }
    putchar('\n');
    return 0;
}
