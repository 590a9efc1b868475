/* SPDX-License-Identifier: MIT */
/*
 * sh [-aefmnuxC] [-o OPTION] [FILE [ARG...]] | sh -c COMMANDS [NAME [ARG...]] | sh -s [ARG...]:
 * the shell. `+` instead of `-` takes an option back.
 *
 * Without FILE and -c the commands come from standard input; if that is a terminal, somebody types
 * them: then there are a prompt (PS1, PS2), a line editor and job control.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "edit.h"
#include "expand.h"
#include "job.h"
#include "run.h"
#include "sh.h"
#include "trap.h"

enum { MESSAGE_BYTES = 400 };

struct shell shell;
const char option_letters[OPTION_COUNT + 1] = "aefmnuxC";
const char *const option_names[OPTION_COUNT] = {
    "allexport", "errexit", "noglob", "monitor", "noexec", "nounset", "xtrace", "noclobber",
};

extern char **environ;

static jmp_buf prompt_jump; /* where an interactive shell gives up to */

/* ---- errors and the end ------------------------------------------------------------------------
 */

static void complain_list(const char *format, va_list arguments)
{
    char message[MESSAGE_BYTES];

    (void)out_flush();
    vsnprintf(message, sizeof(message), format, arguments);
    if (shell.script && !shell.interactive)
        write_format(STDERR_FILENO, "%s: %u: %s\n", shell.script, shell.line, message);
    else
        write_format(STDERR_FILENO, "sh: %s\n", message);
}

void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain_list(format, arguments);
    va_end(arguments);
}

void shell_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain_list(format, arguments);
    va_end(arguments);
    shell_abort(STATUS_USAGE);
}

void shell_abort(int status)
{
    if (shell.interactive)
        longjmp(prompt_jump, status);
    shell_exit(status);
}

void shell_exit(int status)
{
    static bool is_ending;

    if (!is_ending) {
        is_ending = true;
        shell.last_status = status;
        trap_run_exit();
    }
    (void)out_flush();
    if (shell.interactive)
        jobs_leave_terminal();
    _exit(status);
}

void call_enter(void)
{
    if (++shell.call_depth > CALLS_MAX)
        shell_fail("more than %d calls within each other", CALLS_MAX);
}

/* ---- the loop ----------------------------------------------------------------------------------
 */

/* Run the next command: false: there is none. ends_shell: this process has nothing to do after the
 * last one. */
static bool run_next(struct source *source, bool ends_shell)
{
    struct tree *tree;

    switch (parse_command(source, &tree)) {
    case PARSE_END:
        return false;
    case PARSE_ERROR:
        shell_abort(STATUS_USAGE);
    default:
        break;
    }
    if (shell.options[OPTION_NO_RUN] && !shell.interactive) {
        tree_end(tree);
    } else {
        (void)run_tree(tree, ends_shell && source->position == source->length);
    }
    return shell.unwind == UNWIND_NONE;
}

int run_text(const char *text, unsigned line, bool ends_shell)
{
    struct source source = source_of_text(text, strlen(text), line);
    struct arena_mark mark = arena_mark(&shell.scratch);

    call_enter();
    shell.last_status = 0;
    while (run_next(&source, ends_shell)) {
    }
    shell.call_depth--;
    arena_release(&shell.scratch, mark);
    return shell.last_status;
}

int run_file(const char *path)
{
    const char *script = shell.script;
    struct source source;
    unsigned line = shell.line;

    if (source_of_file(&source, path) < 0)
        return -1;
    call_enter();
    shell.script = path;
    shell.last_status = 0;
    while (run_next(&source, false)) {
    }
    if (shell.unwind == UNWIND_RETURN)
        shell.unwind = UNWIND_NONE;
    shell.call_depth--;
    shell.script = script;
    shell.line = line;
    source_free(&source);
    return shell.last_status;
}

/* ---- somebody types ----------------------------------------------------------------------------
 */

static const char *prompt_text(bool is_first)
{
    const char *prompt = variable_get(is_first ? "PS1" : "PS2");
    const char *host = variable_get("HOSTNAME");

    if (prompt)
        return expand_string(prompt, QUOTING_HERE);
    return is_first ? arena_format(&shell.scratch, "%s$ ", host ? host : "frank") : "> ";
}

static bool fill_typed(struct source *source)
{
    struct arena_mark mark = arena_mark(&shell.scratch);
    struct text line = {.arena = &shell.scratch};
    bool is_first = source->length == source->command_start;
    enum edit_result result;

    if (is_first)
        jobs_report();
    result = edit_line(prompt_text(is_first), &line);
    if (result == EDIT_INTERRUPTED)
        shell_abort(STATUS_SIGNAL_BASE + 2);
    if (result == EDIT_LINE)
        source_add(source, line.bytes, line.length);
    arena_release(&shell.scratch, mark);
    return result == EDIT_LINE;
}

/* What was under way when shell_abort() was called is over. */
static void recover(int status, struct source *source)
{
    shell.last_status = status;
    shell.unwind = UNWIND_NONE;
    shell.loop_depth = 0;
    shell.call_depth = 0;
    shell.errors_expected = 0;
    shell.script = NULL;
    trees_stop();
    redirect_undo(0);
    variables_restore(0);
    arguments_restore(0);
    arena_release(&shell.scratch, (struct arena_mark){NULL, 0});
    source_drop_all(source);
}

static bool run_typed(struct source *source)
{
    int status = setjmp(prompt_jump);

    if (status != 0) {
        recover(status, source);
        return true;
    }
    return run_next(source, false) || shell.unwind != UNWIND_NONE;
}

static void run_interactive(void)
{
    struct source source = {.text = "", .line = 1, .descriptor = -1, .fill = fill_typed};
    bool warned = false;

    trap_init_interactive();
    jobs_init_terminal();
    for (;;) {
        shell.unwind = UNWIND_NONE;
        if (run_typed(&source)) {
            warned = false;
        } else if (jobs_any_stopped() && !warned) {
            complain("there are stopped jobs");
            warned = true;
        } else {
            break;
        }
    }
    shell_exit(shell.last_status);
}

/* ---- the start ---------------------------------------------------------------------------------
 */

static void set_arguments(char **words, int count)
{
    shell.name = words[0];
    shell.arguments = (struct arguments){words + 1, count - 1, false};
}

static void run_script(const char *path)
{
    int error;

    if (run_file(path) >= 0)
        return;
    error = errno;
    complain("%s: %s", path, strerror(error));
    shell_exit(error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

static void run_standard_input(void)
{
    struct source source = source_of_lines(STDIN_FILENO);

    shell.interactive = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (shell.interactive)
        run_interactive();
    shell.script = shell.name;
    while (run_next(&source, false)) {
    }
}

/* A word of options: "c" and "s" are told, the others set. How many words were used. */
static int take_option_word(char **words, bool *of_text, bool *of_input)
{
    char *word = words[0], *to = word + 1;
    bool takes_back = word[0] == '+';
    int used;

    for (const char *from = word + 1; *from; from++) {
        if (*from == 'c' && !takes_back)
            *of_text = true;
        else if (*from == 's' && !takes_back)
            *of_input = true;
        else
            *to++ = *from;
    }
    *to = '\0';
    used = word[1] ? options_parse(words) : 1;
    if (used < 0)
        shell_exit(STATUS_USAGE);
    return used;
}

/* Options before the rest: how many words of argv they are, with argv[0]. */
static int take_options(char **argv, bool *of_text, bool *of_input)
{
    int at = 1;

    while (argv[at] && (argv[at][0] == '-' || argv[at][0] == '+') && argv[at][1]) {
        if (strcmp(argv[at], "--") == 0)
            return at + 1;
        at += take_option_word(argv + at, of_text, of_input);
    }
    return at;
}

int main(int argc, char **argv)
{
    bool of_text = false, of_input = false;
    int at;

    shell.pid = getpid();
    shell.name = argc > 0 ? argv[0] : "sh";
    variables_import(environ);
    variable_set("IFS", " \t\n");
    at = argc > 0 ? take_options(argv, &of_text, &of_input) : argc;
    if (of_text) {
        if (at >= argc) {
            complain("usage: sh -c COMMANDS [NAME [ARG...]]");
            shell_exit(STATUS_USAGE);
        }
        if (argc > at + 1)
            set_arguments(argv + at + 1, argc - at - 1);
        shell.script = shell.name;
        (void)run_text(argv[at], 1, true);
    } else if (at < argc && !of_input) {
        set_arguments(argv + at, argc - at);
        run_script(argv[at]);
    } else {
        if (argc > at)
            shell.arguments = (struct arguments){argv + at, argc - at, false};
        run_standard_input();
    }
    shell_exit(shell.last_status);
}
