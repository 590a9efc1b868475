/* SPDX-License-Identifier: MIT */
/*
 * Walking the tree.
 *
 * break, continue and return do not jump: they set shell.unwind, and everything here stops when it
 * is set, until it reaches whom it means.
 *
 * is_last: nothing comes after it in this process, so a program may take the shell's place.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "expand.h"
#include "job.h"
#include "sh.h"
#include "trap.h"

static struct tree *current_tree;

static int run_node(const struct node *node, bool is_last);

struct tree *run_current_tree(void)
{
    return current_tree;
}

int run_part(struct tree *tree, const struct node *node, bool is_last)
{
    struct tree *outer = current_tree;
    int status;

    tree->runs++;
    current_tree = tree;
    status = run_node(node, is_last);
    current_tree = outer;
    tree->runs--;
    return status;
}

int run_tree(struct tree *tree, bool is_last)
{
    int status = run_part(tree, tree->root, is_last);

    tree_end(tree);
    return status;
}

/* ---- processes ---------------------------------------------------------------------------------
 */

/* In a child of its own: run it and end. */
static void run_and_exit(const struct node *node) __attribute__((noreturn));

static void run_and_exit(const struct node *node)
{
    if (node->kind == NODE_COMMAND)
        shell_exit(run_command(node, true));
    if (node->kind == NODE_SUBSHELL) {
        if (redirect(node->redirections, false) < 0)
            shell_exit(1);
        node = node->body;
    }
    shell_exit(run_node(node, true));
}

static int run_subshell(const struct node *node)
{
    struct job *job = job_new("( )");
    pid_t pid = job_fork(job, JOB_FOREGROUND);

    if (pid == 0)
        run_and_exit(node);
    if (pid < 0) {
        job_drop(job);
        return STATUS_USAGE;
    }
    return job_wait(job);
}

/* A child's descriptors between two pipes: `in` is the one before's end to read, or -1. */
static void connect_stage(int in, const int out[2])
{
    if (in > STDIN_FILENO) {
        (void)dup2(in, STDIN_FILENO);
        close(in);
    }
    if (out[1] >= 0) {
        if (out[1] != STDOUT_FILENO) {
            (void)dup2(out[1], STDOUT_FILENO);
            close(out[1]);
        }
        if (out[0] != STDIN_FILENO)
            close(out[0]);
    }
}

/* Start all stages; the shell itself keeps no end of any pipe. False: not all could be. */
static bool start_stages(struct job *job, const struct node *stage)
{
    int in = -1;
    pid_t pid = 0;

    for (; stage; stage = stage->next) {
        int out[2] = {-1, -1};

        if (stage->next && pipe(out) < 0) {
            complain("pipe: %s", strerror(errno));
            pid = -1;
            break;
        }
        pid = job_fork(job, JOB_FOREGROUND);
        if (pid == 0) {
            connect_stage(in, out);
            run_and_exit(stage);
        }
        if (in >= 0)
            close(in);
        if (out[1] >= 0)
            close(out[1]);
        in = out[0];
        if (pid < 0)
            break;
    }
    if (in >= 0)
        close(in);
    return pid > 0;
}

static int run_pipeline(const struct node *node)
{
    struct job *job;
    bool started;
    int status;

    if (node->is_negated && !node->first->next) {
        shell.errors_expected++;
        status = run_node(node->first, false);
        shell.errors_expected--;
        return shell.unwind == UNWIND_NONE ? !status : status;
    }
    job = job_new(node->text);
    started = start_stages(job, node->first);
    status = job_wait(job);
    if (!started)
        status = STATUS_USAGE;
    return node->is_negated ? !status : status;
}

static void run_background(const struct node *node)
{
    struct job *job = job_new(node->text);
    pid_t pid = job_fork(job, JOB_BACKGROUND);

    if (pid == 0)
        run_and_exit(node);
    if (pid < 0) {
        job_drop(job);
        return;
    }
    shell.last_background = pid;
    job_put_background(job);
}

/* ---- lists -------------------------------------------------------------------------------------
 */

static int run_list(const struct node *node, bool is_last)
{
    int status = shell.last_status;

    if (!node->first)
        return status;
    for (const struct node *at = node->first; at && shell.unwind == UNWIND_NONE; at = at->next) {
        if (at->in_background) {
            run_background(at);
            status = 0;
            shell.last_status = 0;
        } else {
            status = run_node(at, is_last && !at->next);
        }
    }
    return status;
}

/* Only the last one's failure is one that set -e means. */
static int run_and_or(const struct node *node, bool is_last)
{
    int status = 0;

    for (const struct node *at = node->first; at && shell.unwind == UNWIND_NONE; at = at->next) {
        if ((at->link == LINK_AND && status != 0) || (at->link == LINK_OR && status == 0))
            continue;
        shell.errors_expected += at->next != NULL;
        status = run_node(at, is_last && !at->next);
        shell.errors_expected -= at->next != NULL;
    }
    return status;
}

static int run_condition(const struct node *node)
{
    int status;

    shell.errors_expected++;
    status = run_node(node, false);
    shell.errors_expected--;
    return status;
}

static int run_if(const struct node *node, bool is_last)
{
    for (; node; node = node->other) {
        int status;

        if (node->kind != NODE_IF)
            return run_node(node, is_last);
        status = run_condition(node->condition);
        if (shell.unwind != UNWIND_NONE)
            return status;
        if (status == 0)
            return run_node(node->body, is_last);
    }
    return 0;
}

/* ---- loops -------------------------------------------------------------------------------------
 */

/* Whether the innermost loop is to be left, after its body or condition was run. */
static bool loop_is_left(void)
{
    bool goes_on = shell.unwind == UNWIND_CONTINUE;

    if (shell.unwind == UNWIND_NONE)
        return false;
    if (shell.unwind == UNWIND_RETURN)
        return true;
    if (--shell.unwind_count > 0)
        return true;
    shell.unwind = UNWIND_NONE;
    return !goes_on;
}

static int run_while(const struct node *node)
{
    bool is_until = node->kind == NODE_UNTIL;
    int status = 0;

    shell.loop_depth++;
    for (;;) {
        bool holds = run_condition(node->condition) == 0;

        if (loop_is_left() || holds == is_until)
            break;
        status = run_node(node->body, false);
        if (loop_is_left())
            break;
    }
    shell.loop_depth--;
    return status;
}

static int run_for(const struct node *node)
{
    struct words words = {.arena = &shell.scratch};
    int status = 0;

    if (node->has_in) {
        for (const struct word *word = node->words; word; word = word->next)
            expand_fields(&words, word->text);
    } else {
        expand_fields(&words, "\"$@\"");
    }
    shell.loop_depth++;
    for (size_t i = 0; i < words.count; i++) {
        variable_set(node->name, words.list[i]);
        status = run_node(node->body, false);
        if (loop_is_left())
            break;
    }
    shell.loop_depth--;
    return status;
}

static int run_case(const struct node *node, bool is_last)
{
    const char *subject = expand_string(node->words->text, QUOTING_NONE);

    for (const struct case_item *item = node->items; item; item = item->next) {
        for (const struct word *word = item->patterns; word; word = word->next) {
            if (fnmatch(expand_pattern(word->text), subject, 0) == 0)
                return item->body ? run_node(item->body, is_last) : 0;
        }
    }
    return 0;
}

/* ---- nodes -------------------------------------------------------------------------------------
 */

static int run_compound(const struct node *node, bool is_last)
{
    switch (node->kind) {
    case NODE_GROUP:
        return run_node(node->body, is_last);
    case NODE_IF:
        return run_if(node, is_last);
    case NODE_WHILE:
    case NODE_UNTIL:
        return run_while(node);
    case NODE_FOR:
        return run_for(node);
    case NODE_CASE:
        return run_case(node, is_last);
    default:
        function_define(current_tree, node);
        return 0;
    }
}

static int run_redirected(const struct node *node, bool is_last)
{
    struct arena_mark mark = arena_mark(&shell.scratch);
    size_t saved = redirect_mark();
    int status = 1;

    if (redirect(node->redirections, true) == 0)
        status = run_compound(node, is_last);
    redirect_undo(saved);
    arena_release(&shell.scratch, mark);
    return status;
}

static int run_node(const struct node *node, bool is_last)
{
    int status;

    trap_check();
    if (shell.unwind != UNWIND_NONE)
        return shell.last_status;
    shell.line = node->line;
    switch (node->kind) {
    case NODE_COMMAND:
        status = run_command(node, is_last && !trap_any());
        break;
    case NODE_PIPELINE:
        status = run_pipeline(node);
        break;
    case NODE_SUBSHELL:
        if (is_last && !trap_any())
            run_and_exit(node);
        status = run_subshell(node);
        break;
    case NODE_LIST:
        return run_list(node, is_last);
    case NODE_AND_OR:
        return run_and_or(node, is_last);
    default:
        status = run_redirected(node, is_last);
        shell.last_status = status;
        return status;
    }
    shell.last_status = status;
    trap_check();
    if (status != 0 && shell.options[OPTION_EXIT_ON_ERROR] && shell.errors_expected == 0 &&
        !(node->kind == NODE_PIPELINE && node->is_negated))
        shell_exit(status);
    return status;
}
