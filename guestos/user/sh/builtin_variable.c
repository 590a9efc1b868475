/* SPDX-License-Identifier: MIT */
/* Builtins on variables, arguments and options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "expand.h"
#include "run.h"
#include "sh.h"
#include "syntax.h"

/* ---- options and arguments ---------------------------------------------------------------------
 */

static bool set_letter(char letter, bool on)
{
    const char *place = strchr(option_letters, letter);

    if (!letter || !place)
        return false;
    shell.options[place - option_letters] = on;
    return true;
}

static bool set_named(const char *name, bool on)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(option_names[i], name) == 0) {
            shell.options[i] = on;
            return true;
        }
    }
    return false;
}

static void print_options(void)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        out_format("%-12s %s\n", option_names[i], shell.options[i] ? "on" : "off");
}

int options_parse(char **words)
{
    bool on = words[0][0] == '-';
    int used = 1;

    for (const char *letter = words[0] + 1; *letter; letter++) {
        if (*letter == 'o' && !words[used]) {
            print_options();
        } else if (*letter == 'o' ? !set_named(words[used++], on) : !set_letter(*letter, on)) {
            complain("%s: no such option", *letter == 'o' ? words[used - 1] : words[0]);
            return -1;
        }
    }
    return used;
}

int builtin_set(int argc, char **argv)
{
    int at = 1;

    if (argc == 1)
        variables_print("", 0);
    while (at < argc && (argv[at][0] == '-' || argv[at][0] == '+') && argv[at][1]) {
        int used;

        if (strcmp(argv[at], "--") == 0) {
            arguments_replace(argv + at + 1, argc - at - 1);
            return 0;
        }
        used = options_parse(argv + at);
        if (used < 0)
            return STATUS_USAGE;
        at += used;
    }
    if (at < argc)
        arguments_replace(argv + at, argc - at);
    return 0;
}

int builtin_shift(int argc, char **argv)
{
    long count = 1;

    if (argc > 1 && !builtin_number("shift", argv[1], &count))
        return STATUS_USAGE;
    if (count < 0 || count > shell.arguments.count) {
        complain("shift: there are %d arguments", shell.arguments.count);
        return 1;
    }
    arguments_replace(shell.arguments.words + count, shell.arguments.count - (int)count);
    return 0;
}

/* ---- variables ---------------------------------------------------------------------------------
 */

/* NAME or NAME=VALUE: the name, and in *value what is behind the =, or NULL. */
static char *take_name(const char *command, const char *word, const char **value)
{
    size_t length = name_length(word);

    if (length == 0 || (word[length] != '\0' && word[length] != '=')) {
        complain("%s: %s: not a name", command, word);
        return NULL;
    }
    *value = word[length] == '=' ? word + length + 1 : NULL;
    return arena_copy(&shell.scratch, word, length);
}

static int mark(int argc, char **argv, unsigned flag)
{
    const char *value;
    char *name;
    int status = 0;

    if (argc == 1 || strcmp(argv[1], "-p") == 0) {
        variables_print(flag == VARIABLE_EXPORTED ? "export " : "readonly ", flag);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            continue;
        name = take_name(argv[0], argv[i], &value);
        if (!name) {
            status = STATUS_USAGE;
            continue;
        }
        if (value)
            variable_set(name, value);
        variable_mark(name, flag);
    }
    return status;
}

int builtin_export(int argc, char **argv)
{
    return mark(argc, argv, VARIABLE_EXPORTED);
}

int builtin_read_only(int argc, char **argv)
{
    return mark(argc, argv, VARIABLE_READ_ONLY);
}

int builtin_unset(int argc, char **argv)
{
    bool is_function = argc > 1 && strcmp(argv[1], "-f") == 0;
    bool has_option = is_function || (argc > 1 && strcmp(argv[1], "-v") == 0);

    for (int i = 1 + has_option; i < argc; i++) {
        if (is_function)
            (void)function_remove(argv[i]);
        else
            variable_unset(argv[i]);
    }
    return 0;
}

int builtin_local(int argc, char **argv)
{
    const char *value;
    char *name;

    if (arguments_pushed() == 0) {
        complain("local: not in a function");
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        name = take_name("local", argv[i], &value);
        if (!name)
            return STATUS_USAGE;
        variable_save(name);
        if (value)
            variable_set(name, value);
        else
            variable_unset(name);
    }
    return 0;
}

/* ---- read --------------------------------------------------------------------------------------
 */

/* A line from standard input, byte by byte. Escaped bytes are quoted. 0; 1 at the end. */
static int read_into(struct expansion *line, bool raw)
{
    char byte;

    for (;;) {
        ssize_t got = read(STDIN_FILENO, &byte, 1);

        if (got < 0 && errno == EINTR)
            return STATUS_SIGNAL_BASE;
        if (got < 0)
            complain("read: %s", strerror(errno));
        if (got <= 0)
            return 1;
        if (byte == '\n')
            return 0;
        if (byte == '\\' && !raw) {
            if (read(STDIN_FILENO, &byte, 1) != 1)
                return 1;
            if (byte != '\n')
                expansion_add(line, &byte, 1, BYTE_QUOTED);
        } else if (byte) {
            expansion_add(line, &byte, 1, BYTE_SPLIT);
        }
    }
}

int builtin_read(int argc, char **argv)
{
    struct expansion line = {0};
    struct splitter splitter;
    int first = 1, status;
    bool raw = argc > 1 && strcmp(argv[1], "-r") == 0;

    first += raw;
    if (first == argc)
        return builtin_usage("read [-r] NAME...");
    status = read_into(&line, raw);
    splitter = splitter_of(&line);
    for (int i = first; i < argc; i++) {
        size_t start = 0, end = 0;

        if (i == argc - 1)
            splitter_rest(&splitter, &start, &end);
        else if (!splitter_next(&splitter, &start, &end))
            start = end = 0;
        variable_set(argv[i], expansion_string(&line, start, end, false));
    }
    return status;
}

/* ---- getopts -----------------------------------------------------------------------------------
 */

static int end_of_options(const char *name)
{
    variable_set(name, "?");
    return 1;
}

/* Where in a word with several letters the next one is; 0: at its start. */
static size_t letter_at;

/* The argument of an option, from the rest of its word or the next one. NULL: there is none. */
static const char *option_argument(char **words, int count, long *index, const char *rest)
{
    const char *argument = rest;

    if (!*rest)
        argument = *index <= count ? words[(*index)++ - 1] : NULL;
    return argument;
}

int builtin_getopts(int argc, char **argv)
{
    const char *index_text = variable_get("OPTIND"), *place, *word;
    char **words = argc > 3 ? argv + 3 : shell.arguments.words;
    int count = argc > 3 ? argc - 3 : shell.arguments.count;
    long index = index_text ? strtol(index_text, NULL, 10) : 1;
    char letter[2] = "";

    if (argc < 3)
        return builtin_usage("getopts LETTERS NAME [ARG...]");
    if (index < 1 || index > count)
        return end_of_options(argv[2]);
    word = words[index - 1];
    if (word[0] != '-' || !word[1])
        return end_of_options(argv[2]);
    if (strcmp(word, "--") == 0) {
        variable_set("OPTIND", arena_format(&shell.scratch, "%ld", index + 1));
        return end_of_options(argv[2]);
    }
    if (letter_at == 0 || letter_at >= strlen(word))
        letter_at = 1;
    letter[0] = word[letter_at++];
    place = letter[0] == ':' ? NULL : strchr(argv[1], letter[0]);
    variable_unset("OPTARG");
    if (!place) {
        complain("%s: no such option: -%s", shell.name, letter);
        letter[0] = '?';
    }
    if (place && place[1] == ':') {
        const char *argument;

        index++;
        argument = option_argument(words, count, &index, word + letter_at);
        letter_at = 0;
        if (argument) {
            variable_set("OPTARG", argument);
        } else {
            complain("%s: option -%s needs an argument", shell.name, letter);
            letter[0] = '?';
        }
    } else if (!word[letter_at]) {
        index++;
        letter_at = 0;
    }
    variable_set("OPTIND", arena_format(&shell.scratch, "%ld", index));
    variable_set(argv[2], letter);
    return 0;
}
