/* SPDX-License-Identifier: MIT */
/* What was expanded, to fields: cut at IFS, and patterns to the files that match. */
#include <glob.h>
#include <string.h>

#include "expand.h"
#include "sh.h"

struct splitter splitter_of(const struct expansion *expansion)
{
    const char *separators = variable_get("IFS");

    return (struct splitter){expansion, separators ? separators : " \t\n", 0};
}

static bool is_separator(const struct splitter *splitter)
{
    const struct expansion *expansion = splitter->expansion;

    return splitter->at < expansion->length && expansion->kinds[splitter->at] == BYTE_SPLIT &&
           expansion->bytes[splitter->at] &&
           strchr(splitter->separators, expansion->bytes[splitter->at]);
}

static bool is_break(const struct splitter *splitter)
{
    return splitter->at < splitter->expansion->length &&
           splitter->expansion->kinds[splitter->at] == BYTE_BREAK;
}

/* Blanks that are separators: any number of them is one. */
static bool is_blank(const struct splitter *splitter)
{
    return is_separator(splitter) && strchr(" \t\n", splitter->expansion->bytes[splitter->at]);
}

static void skip_blanks(struct splitter *splitter)
{
    while (is_blank(splitter))
        splitter->at++;
}

bool splitter_next(struct splitter *splitter, size_t *start, size_t *end)
{
    for (;;) {
        skip_blanks(splitter);
        if (splitter->at >= splitter->expansion->length)
            return false;
        *start = splitter->at;
        while (splitter->at < splitter->expansion->length && !is_break(splitter) &&
               !is_separator(splitter))
            splitter->at++;
        *end = splitter->at;
        if (is_break(splitter)) {
            splitter->at++;
            /* An empty argument of an unquoted $@ is no field. */
            if (*start == *end)
                continue;
        } else {
            skip_blanks(splitter);
            if (is_separator(splitter))
                splitter->at++;
        }
        return true;
    }
}

void splitter_rest(struct splitter *splitter, size_t *start, size_t *end)
{
    skip_blanks(splitter);
    *start = splitter->at;
    *end = splitter->expansion->length;
    while (*end > *start) {
        splitter->at = *end - 1;
        if (!is_blank(splitter))
            break;
        --*end;
    }
    splitter->at = splitter->expansion->length;
}

static bool has_pattern(const struct expansion *expansion, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        enum byte_kind kind = expansion->kinds[i];

        if ((kind == BYTE_PLAIN || kind == BYTE_SPLIT) && expansion->bytes[i] &&
            strchr("*?[", expansion->bytes[i]))
            return true;
    }
    return false;
}

/* Add the names of the files that match. False: none does. */
static bool add_matches(struct words *fields, const char *pattern)
{
    glob_t found;
    bool any = false;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < (size_t)found.gl_pathc; i++) {
            words_add(fields,
                      arena_copy(&shell.scratch, found.gl_pathv[i], strlen(found.gl_pathv[i])));
            any = true;
        }
        globfree(&found);
    }
    return any;
}

void expand_fields(struct words *fields, const char *word)
{
    struct expansion expansion = {0};
    struct splitter splitter;
    size_t start, end;

    expand_text(&expansion, word, strlen(word), QUOTING_NONE);
    splitter = splitter_of(&expansion);
    while (splitter_next(&splitter, &start, &end)) {
        if (!shell.options[OPTION_NO_PATTERNS] && has_pattern(&expansion, start, end) &&
            add_matches(fields, expansion_string(&expansion, start, end, true)))
            continue;
        words_add(fields, expansion_string(&expansion, start, end, false));
    }
}
