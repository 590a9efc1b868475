/* SPDX-License-Identifier: MIT */
/* tee [-a] [FILE...]: copy standard input to standard output and to files; -a behind what they
 * hold.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "program.h"

enum { BUFFER_BYTES = 4096 };

struct output {
    FILE *file; /* NULL: it failed */
};

int main(int argc, char **argv)
{
    static char buffer[BUFFER_BYTES];
    const char *mode = "w";
    struct output *outputs;
    ssize_t size;
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "a")) != -1) {
        if (option == '?')
            return PROGRAM_USAGE;
        mode = "a";
    }
    outputs = calloc((size_t)argc, sizeof(*outputs));
    if (!outputs)
        return program_complain("tee", "memory");
    outputs[0].file = stdout; /* and the file of argument i at i */
    for (int i = optind; i < argc; i++) {
        outputs[i].file = fopen(argv[i], mode);
        if (!outputs[i].file)
            status = program_complain("tee", argv[i]);
    }
    while ((size = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
        for (int i = 0; i < argc; i++) {
            if (outputs[i].file &&
                (fwrite(buffer, 1, (size_t)size, outputs[i].file) != (size_t)size ||
                 fflush(outputs[i].file) != 0)) {
                status = program_complain("tee", i == 0 ? "standard output" : argv[i]);
                outputs[i].file = NULL;
            }
        }
    }
    if (size < 0)
        status = program_complain("tee", "standard input");
    return status;
}
