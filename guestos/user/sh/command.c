/* SPDX-License-Identifier: MIT */
/* Simple commands: assignments, functions, builtins, programs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builtin.h"
#include "expand.h"
#include "job.h"
#include "run.h"
#include "sh.h"

enum { HASH_BANG_BYTES = 128 };

/* ---- functions ---------------------------------------------------------------------------------
 */

struct function {
    struct function *next;
    struct tree *tree;
    const struct node *body;
    char name[];
};

static struct function *functions;

static struct function **function_place(const char *name)
{
    struct function **place = &functions;

    while (*place && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    return place;
}

bool function_exists(const char *name)
{
    return *function_place(name) != NULL;
}

void functions_each(void (*visit)(const char *name, void *argument), void *argument)
{
    for (const struct function *at = functions; at; at = at->next)
        visit(at->name, argument);
}

bool function_remove(const char *name)
{
    struct function **place = function_place(name);
    struct function *function = *place;

    if (!function)
        return false;
    *place = function->next;
    function->tree->functions--;
    tree_check(function->tree);
    free(function);
    return true;
}

void function_define(struct tree *tree, const struct node *node)
{
    struct function *fresh;

    (void)function_remove(node->name);
    fresh = memory_resize(NULL, sizeof(*fresh) + strlen(node->name) + 1);
    fresh->next = functions;
    fresh->tree = tree;
    fresh->body = node->body;
    memcpy(fresh->name, node->name, strlen(node->name) + 1);
    tree->functions++;
    functions = fresh;
}

/* Arguments that functions have replaced. */
struct pushed {
    struct pushed *older;
    struct arguments arguments;
};

static struct pushed *pushed;
static size_t pushed_count;

void arguments_push(char **words, int count)
{
    struct pushed *fresh = memory_resize(NULL, sizeof(*fresh));

    *fresh = (struct pushed){pushed, shell.arguments};
    pushed = fresh;
    pushed_count++;
    shell.arguments = (struct arguments){words, count, false};
}

size_t arguments_pushed(void)
{
    return pushed_count;
}

static void free_arguments(void)
{
    if (!shell.arguments.is_owned)
        return;
    for (int i = 0; i < shell.arguments.count; i++)
        free(shell.arguments.words[i]);
    free(shell.arguments.words);
}

void arguments_restore(size_t count)
{
    while (pushed_count > count) {
        struct pushed *top = pushed;

        free_arguments();
        shell.arguments = top->arguments;
        pushed = top->older;
        pushed_count--;
        free(top);
    }
}

void arguments_replace(char **words, int count)
{
    char **copy = memory_resize(NULL, ((size_t)count + 1) * sizeof(*copy));

    for (int i = 0; i < count; i++)
        copy[i] = memory_copy(words[i]);
    copy[count] = NULL;
    free_arguments();
    shell.arguments = (struct arguments){copy, count, true};
}

static int call_function(const struct function *function, struct words *words)
{
    size_t arguments = arguments_pushed(), variables = variables_saved();
    int loops = shell.loop_depth, status;

    call_enter();
    arguments_push(words->list + 1, (int)words->count - 1);
    shell.loop_depth = 0;
    status = run_part(function->tree, function->body, false);
    if (shell.unwind == UNWIND_RETURN) {
        shell.unwind = UNWIND_NONE;
        status = shell.last_status;
    }
    shell.loop_depth = loops;
    variables_restore(variables);
    arguments_restore(arguments);
    shell.call_depth--;
    return status;
}

/* ---- programs ----------------------------------------------------------------------------------
 */

/* The words of a script's #! line before the script itself: "/bin/sh" if it has none. */
static void add_interpreter(struct words *words, const char *path)
{
    char line[HASH_BANG_BYTES + 1];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = descriptor < 0 ? 0 : read(descriptor, line, HASH_BANG_BYTES);
    const char *at = line, *end;

    if (descriptor >= 0)
        close(descriptor);
    line[got > 0 ? got : 0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (strncmp(line, "#!", 2) != 0)
        at = "  /bin/sh";
    at += 2 + strspn(at + 2, " \t");
    end = at + strcspn(at, " \t");
    words_add(words, arena_copy(&shell.scratch, at, (size_t)(end - at)));
    at = end + strspn(end, " \t");
    if (*at)
        words_add(words, arena_copy(&shell.scratch, at, strlen(at)));
}

/* Become the program or script `path`; returns if that fails, with errno. */
static void exec_path(char *path, char **argv, char **environment)
{
    struct words words = {.arena = &shell.scratch};

    execve(path, argv, environment);
    if (errno != ENOEXEC)
        return;
    add_interpreter(&words, path);
    words_add(&words, path);
    for (char **word = argv + 1; *word; word++)
        words_add(&words, *word);
    execve(words.list[0], words.list, environment);
}

static bool is_program(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && access(path, X_OK) == 0;
}

char *command_find(const char *name)
{
    const char *path = variable_get("PATH");

    if (strchr(name, '/'))
        return is_program(name) ? arena_copy(&shell.scratch, name, strlen(name)) : NULL;
    for (const char *from = path ? path : "/bin"; from;) {
        size_t length = strcspn(from, ":");
        char *full = arena_format(&shell.scratch, "%.*s%s%s", (int)length, from,
                                  length > 0 ? "/" : "", name);

        if (is_program(full))
            return full;
        from = from[length] ? from + length + 1 : NULL;
    }
    return NULL;
}

int command_exec(char **words)
{
    char *path = strchr(words[0], '/') ? words[0] : command_find(words[0]);
    int error;

    if (!path) {
        complain("%s: not found", words[0]);
        return STATUS_NOT_FOUND;
    }
    exec_path(path, words, variables_export());
    error = errno;
    complain("%s: %s", words[0], strerror(error));
    return error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

/* ---- commands ----------------------------------------------------------------------------------
 */

enum assignment_kind { ASSIGN_SHELL, ASSIGN_SAVED, ASSIGN_EXPORTED };

static void assign(const struct word *assignment, enum assignment_kind kind)
{
    for (; assignment; assignment = assignment->next) {
        size_t length = name_length(assignment->text);
        char *name = arena_copy(&shell.scratch, assignment->text, length);
        const char *value = expand_string(assignment->text + length + 1, QUOTING_ASSIGNMENT);

        if (shell.options[OPTION_TRACE])
            (void)write_all(STDERR_FILENO, "+ ", 2),
                (void)write_all(STDERR_FILENO, assignment->text, strlen(assignment->text)),
                (void)write_all(STDERR_FILENO, "\n", 1);
        if (kind == ASSIGN_SAVED)
            variable_save(name);
        variable_set(name, value);
        if (kind != ASSIGN_SHELL)
            variable_mark(name, VARIABLE_EXPORTED);
    }
}

/* set -x */
static void trace(const struct words *words)
{
    struct text text = {.arena = &shell.scratch};

    if (!shell.options[OPTION_TRACE] || words->count == 0)
        return;
    text_add_byte(&text, '+');
    for (size_t i = 0; i < words->count; i++) {
        text_add_byte(&text, ' ');
        text_add_string(&text, words->list[i]);
    }
    text_add_byte(&text, '\n');
    (void)write_all(STDERR_FILENO, text.bytes, text.length);
}

static int run_builtin(const struct builtin *builtin, const struct node *node, struct words *words)
{
    size_t redirected = redirect_mark(), variables = variables_saved();
    bool is_exec = strcmp(builtin->name, "exec") == 0;
    int status = 1;

    if (redirect(node ? node->redirections : NULL, !is_exec) == 0) {
        if (node)
            assign(node->assignments, builtin->is_special ? ASSIGN_SHELL : ASSIGN_SAVED);
        status = builtin->run((int)words->count, words->list);
        if (out_flush() < 0) {
            complain("%s: %s", builtin->name, strerror(errno));
            status = 1;
        }
    }
    if (node && node->assignments) /* what `local` keeps is not for this command only */
        variables_restore(variables);
    redirect_undo(redirected);
    return status;
}

static int run_function(const struct function *function, const struct node *node,
                        struct words *words)
{
    size_t redirected = redirect_mark(), variables = variables_saved();
    int status = 1;

    if (redirect(node ? node->redirections : NULL, true) == 0) {
        if (node)
            assign(node->assignments, ASSIGN_SAVED);
        status = call_function(function, words);
    }
    variables_restore(variables);
    redirect_undo(redirected);
    return status;
}

/* Become the program, or end. */
static void become_program(const struct node *node, struct words *words) __attribute__((noreturn));

static void become_program(const struct node *node, struct words *words)
{
    redirect_forget();
    if (node) {
        if (redirect(node->redirections, false) < 0)
            _exit(1);
        assign(node->assignments, ASSIGN_EXPORTED);
    }
    _exit(command_exec(words->list));
}

static int run_program(const struct node *node, struct words *words, bool is_last)
{
    struct job *job;
    pid_t pid;

    if (is_last)
        become_program(node, words);
    job = job_new(node && node->text ? node->text : words->list[0]);
    pid = job_fork(job, JOB_FOREGROUND);
    if (pid == 0)
        become_program(node, words);
    if (pid < 0) {
        job_drop(job);
        return STATUS_USAGE;
    }
    return job_wait(job);
}

static int run_words(const struct node *node, struct words *words, bool functions_too, bool is_last)
{
    const struct builtin *builtin = builtin_find(words->list[0]);
    const struct function *function = functions_too ? *function_place(words->list[0]) : NULL;

    trace(words);
    if (builtin && (builtin->is_special || !function))
        return run_builtin(builtin, node, words);
    if (function)
        return run_function(function, node, words);
    return run_program(node, words, is_last);
}

int command_run_words(struct words *words, bool functions_too)
{
    return run_words(NULL, words, functions_too, false);
}

/* No command: assignments count for the shell, redirections are tried. */
static int run_assignments(const struct node *node)
{
    size_t mark = redirect_mark();
    int result = redirect(node->redirections, true);

    redirect_undo(mark);
    if (result < 0)
        return 1;
    assign(node->assignments, ASSIGN_SHELL);
    return shell.has_substituted ? shell.last_status : 0;
}

int run_command(const struct node *node, bool is_last)
{
    struct arena_mark mark = arena_mark(&shell.scratch);
    struct words words = {.arena = &shell.scratch};
    int status;

    shell.line = node->line;
    shell.has_substituted = false;
    for (const struct word *word = node->words; word; word = word->next)
        expand_fields(&words, word->text);
    if (words.count == 0)
        status = run_assignments(node);
    else
        status = run_words(node, &words, true, is_last);
    arena_release(&shell.scratch, mark);
    return status;
}
