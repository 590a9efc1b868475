/* SPDX-License-Identifier: MIT */
/* getline: newlib has it under another name. */
#include "line.h"

ssize_t getline(char **line, size_t *room, FILE *file)
{
    return __getline(line, room, file);
}
