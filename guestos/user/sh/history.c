/* SPDX-License-Identifier: MIT */
/* Lines that were typed, kept for the session. */
#include <stdlib.h>
#include <string.h>

#include "edit.h"
#include "memory.h"

enum { HISTORY_LINES = 200 };

static char *lines[HISTORY_LINES]; /* a ring */
static size_t line_count;          /* ever added */

void history_add(const char *line)
{
    const char *last = history_get(1);
    char **place = &lines[line_count % HISTORY_LINES];
    char *copy;

    if (!line[strspn(line, " \t")] || (last && strcmp(last, line) == 0))
        return;
    copy = memory_copy(line);
    free(*place);
    *place = copy;
    line_count++;
}

const char *history_get(size_t back)
{
    if (back == 0 || back > line_count || back > HISTORY_LINES)
        return NULL;
    return lines[(line_count - back) % HISTORY_LINES];
}

size_t history_search(size_t back, const char *text)
{
    const char *line;

    while ((line = history_get(++back))) {
        if (strstr(line, text))
            return back;
    }
    return 0;
}
