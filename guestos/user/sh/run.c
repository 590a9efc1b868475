/* SPDX-License-Identifier: MIT */
/*
 * Running a tree.
 *
 * Each command of a pipeline is a child of the shell. An interactive shell puts a pipeline's
 * processes into a process group, named after the first of them, and names it to the terminal while
 * it waits: that is whom ^C reaches. What runs in the background has a group too, but the terminal
 * is not told, and it reads from /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

enum {
    BACKGROUND_MAX = 32,
    PATH_BYTES = 1024,
    CREATE_PERMISSIONS = 0666,
};

/* What was started with & and not yet waited for; 0 marks a free place. */
static pid_t background[BACKGROUND_MAX];

/* A pipeline under way. */
struct job {
    pid_t group; /* 0: none given */
    pid_t last;  /* whose status is the pipeline's */
    int count;   /* processes */
    bool in_background;
};

/* ---- children ----------------------------------------------------------------------------------
 */

static void set_foreground(pid_t group)
{
    if (!shell.interactive)
        return;
    (void)ioctl(STDIN_FILENO, FRANK_TTY_SET_FOREGROUND, (long)group);
    if (group == 0) /* a program may have left the terminal in a mode of its own */
        (void)ioctl(STDIN_FILENO, FRANK_TTY_SET_MODE, (long)FRANK_TTY_COOKED);
}

/*
 * Both parent and child say which group the child is in, and name it to the terminal: whichever
 * comes first, neither an exec nor a ^C can come before it.
 */
static void join_group(struct job *job, pid_t pid)
{
    if (!shell.interactive)
        return;
    if (job->group == 0)
        job->group = pid;
    (void)setpgid(pid, job->group);
    if (!job->in_background)
        set_foreground(job->group);
}

/* fork(), with what the child has to do first in either case. */
static pid_t start_child(struct job *job)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        complain("fork: %s", strerror(errno));
        return -1;
    }
    if (pid == 0) {
        join_group(job, getpid());
        shell.interactive = false;
        memset(background, 0, sizeof(background));
        return 0;
    }
    join_group(job, pid);
    job->last = pid;
    job->count++;
    return pid;
}

static void report_signal(int status, pid_t pid)
{
    static const struct {
        int number;
        const char *text;
    } names[] = {
        {SIGSEGV, "Segmentation fault"}, {SIGKILL, "Killed"},
        {SIGTERM, "Terminated"},         {SIGABRT, "Aborted"},
        {SIGILL, "Illegal instruction"}, {SIGBUS, "Bus error"},
    };

    if (!WIFSIGNALED(status))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].number == WTERMSIG(status))
            fprintf(stderr, "%s (process %ld)\n", names[i].text, (long)pid);
    }
}

static int shell_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL_BASE + WTERMSIG(status);
}

/* Whether it was one of the background's. */
static bool forget_background(pid_t pid)
{
    for (int i = 0; i < BACKGROUND_MAX; i++) {
        if (background[i] == pid) {
            background[i] = 0;
            return true;
        }
    }
    return false;
}

/* Wait for a pipeline's processes: the status of the last of them. */
static int wait_for_job(struct job *job)
{
    int result = 1;

    while (job->count > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);

        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            break;
        report_signal(status, pid);
        /* What ran in the background may end just now. */
        if (forget_background(pid))
            continue;
        if (pid == job->last)
            result = shell_status(status);
        job->count--;
    }
    set_foreground(0);
    return result;
}

/* ---- redirections ------------------------------------------------------------------------------
 */

static int open_target(const struct redirection *redirection, const char *target)
{
    switch (redirection->kind) {
    case TOKEN_INPUT:
        return open(target, O_RDONLY);
    case TOKEN_OUTPUT:
        return open(target, O_WRONLY | O_CREAT | O_TRUNC, CREATE_PERMISSIONS);
    case TOKEN_APPEND:
        return open(target, O_WRONLY | O_CREAT | O_APPEND, CREATE_PERMISSIONS);
    default:
        return dup(atoi(target));
    }
}

static bool redirect(const struct redirection *redirection)
{
    for (; redirection; redirection = redirection->next) {
        const char *target = expand_word(redirection->target);
        int descriptor = open_target(redirection, target ? target : "");

        if (descriptor < 0) {
            complain("%s: %s", target ? target : "(empty)", strerror(errno));
            return false;
        }
        if (descriptor != redirection->descriptor) {
            (void)dup2(descriptor, redirection->descriptor);
            close(descriptor);
        }
    }
    return true;
}

/* Keep the shell's own descriptors 0 to 2 aside while a builtin runs with others. */
static void save_descriptors(int saved[3])
{
    for (int i = 0; i < 3; i++)
        saved[i] = dup(i);
}

static void restore_descriptors(const int saved[3])
{
    for (int i = 0; i < 3; i++) {
        if (saved[i] >= 0) {
            (void)dup2(saved[i], i);
            close(saved[i]);
        } else {
            close(i);
        }
    }
}

/* ---- simple commands ---------------------------------------------------------------------------
 */

/* The words, expanded; NAME=value before the first other word goes to the environment. */
static char **expand_words(const struct node *node, int *count)
{
    char **words = arena_alloc((size_t)(node->word_count + 1) * sizeof(*words));

    *count = 0;
    for (int i = 0; i < node->word_count; i++) {
        char *word;

        if (*count == 0 && assign_word(node->words[i]))
            continue;
        word = expand_word(node->words[i]);
        if (word)
            words[(*count)++] = word;
    }
    words[*count] = NULL;
    return words;
}

/* A file that is no program is a script, for a shell of its own. */
static void exec_script(const char *path, char **words, int count)
{
    char **script = arena_alloc((size_t)(count + 2) * sizeof(*script));

    script[0] = arena_copy("sh", 2);
    script[1] = arena_copy(path, strlen(path));
    memcpy(script + 2, words + 1, (size_t)count * sizeof(*script));
    execv("/bin/sh", script);
}

/* Become the program `path`; returns if that fails, with errno. */
static void exec_path(const char *path, char **words, int count)
{
    execv(path, words);
    if (errno == ENOEXEC)
        exec_script(path, words, count);
}

/* Look for the program along $PATH; returns if there is none, with errno. */
static void exec_search(char **words, int count)
{
    const char *path = getenv("PATH");
    char full[PATH_BYTES];

    for (const char *from = path ? path : "/bin"; from;) {
        size_t length = strcspn(from, ":");

        if (snprintf(full, sizeof(full), "%.*s/%s", (int)length, from, words[0]) <
            (int)sizeof(full))
            exec_path(full, words, count);
        if (errno != ENOENT && errno != ENOTDIR)
            return;
        from = from[length] ? from + length + 1 : NULL;
    }
}

/* In a child: become the command. Does not return. */
static void exec_command(char **words, int count)
{
    if (strchr(words[0], '/'))
        exec_path(words[0], words, count);
    else
        exec_search(words, count);
    if (errno == ENOENT && !strchr(words[0], '/'))
        complain("%s: not found", words[0]);
    else
        complain("%s: %s", words[0], strerror(errno));
    _exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

static int run_builtin(builtin_t builtin, const struct node *node, char **words, int count)
{
    int saved[3];
    int status = 1;

    if (!node->redirections)
        return builtin(count, words);
    fflush(NULL);
    save_descriptors(saved);
    if (redirect(node->redirections))
        status = builtin(count, words);
    fflush(NULL);
    restore_descriptors(saved);
    return status;
}

/* In a child of its own already: run a command or a list, and end. */
static void run_in_child(const struct node *node)
{
    builtin_t builtin;
    char **words;
    int count;

    if (node->kind != NODE_COMMAND) {
        if (!redirect(node->redirections))
            _exit(1);
        exit(run_tree(node->kind == NODE_SUBSHELL ? node->left : node));
    }
    words = expand_words(node, &count);
    if (!redirect(node->redirections))
        _exit(1);
    if (count == 0)
        _exit(0);
    builtin = find_builtin(words[0]);
    if (builtin)
        exit(builtin(count, words));
    exec_command(words, count);
}

static int run_command(const struct node *node)
{
    struct job job = {0};
    builtin_t builtin;
    char **words;
    int count;

    words = expand_words(node, &count);
    builtin = count > 0 ? find_builtin(words[0]) : find_builtin(":");
    if (builtin)
        return run_builtin(builtin, node, words, count);
    switch (start_child(&job)) {
    case -1:
        return 1;
    case 0:
        if (!redirect(node->redirections))
            _exit(1);
        exec_command(words, count);
    }
    return wait_for_job(&job);
}

/* ---- pipelines and lists -----------------------------------------------------------------------
 */

/* One process of a pipeline, between the descriptors `in` and `out`; -1: as they are. */
static bool start_stage(struct job *job, const struct node *node, int in, const int out[2])
{
    pid_t pid = start_child(job);

    if (pid != 0)
        return pid > 0;
    if (in >= 0) {
        (void)dup2(in, STDIN_FILENO);
        close(in);
    }
    if (out[1] >= 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        close(out[1]);
        close(out[0]);
    }
    run_in_child(node);
    return false;
}

/* a | b | c is the tree ((a b) c): the stage at `index` of `count`. */
static const struct node *stage_of(const struct node *pipeline, int index, int count)
{
    if (index == 0 && count == 1)
        return pipeline;
    for (int i = count - 1; i > index; i--)
        pipeline = pipeline->left;
    return index == 0 ? pipeline : pipeline->right;
}

/* Start every stage; the shell itself keeps no end of any pipe. */
static bool start_pipeline(struct job *job, const struct node *node)
{
    int count = 1;
    int in = -1;
    bool started = true;

    for (const struct node *at = node; at->kind == NODE_PIPE; at = at->left)
        count++;
    for (int i = 0; i < count && started; i++) {
        int out[2] = {-1, -1};

        if (i < count - 1 && pipe(out) < 0) {
            complain("pipe: %s", strerror(errno));
            started = false;
            break;
        }
        started = start_stage(job, stage_of(node, i, count), in, out);
        if (in >= 0)
            close(in);
        if (out[1] >= 0)
            close(out[1]);
        in = out[0];
    }
    if (in >= 0)
        close(in);
    return started;
}

static int run_pipeline(const struct node *node)
{
    struct job job = {0};
    bool started = start_pipeline(&job, node);
    int status = wait_for_job(&job);

    return started ? status : 1;
}

static void start_background(const struct node *node)
{
    struct job job = {.in_background = true};
    pid_t pid = start_child(&job);

    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);

        if (null > STDIN_FILENO) {
            (void)dup2(null, STDIN_FILENO);
            close(null);
        }
        run_in_child(node);
    }
    if (pid < 0)
        return;
    for (int i = 0; i < BACKGROUND_MAX; i++) {
        if (background[i] == 0) {
            background[i] = pid;
            break;
        }
    }
    if (shell.interactive)
        fprintf(stderr, "[%ld]\n", (long)pid);
}

static int run_subshell(const struct node *node)
{
    struct job job = {0};

    switch (start_child(&job)) {
    case -1:
        return 1;
    case 0:
        run_in_child(node);
    }
    return wait_for_job(&job);
}

static int run_node(const struct node *node)
{
    int status;

    switch (node->kind) {
    case NODE_COMMAND:
        return run_command(node);
    case NODE_SUBSHELL:
        return run_subshell(node);
    case NODE_PIPE:
        return run_pipeline(node);
    case NODE_AND:
        status = run_tree(node->left);
        return status == 0 ? run_tree(node->right) : status;
    case NODE_OR:
        status = run_tree(node->left);
        return status != 0 ? run_tree(node->right) : status;
    case NODE_BACKGROUND:
        start_background(node->left);
        return 0;
    default:
        (void)run_tree(node->left);
        return run_tree(node->right);
    }
}

int run_tree(const struct node *tree)
{
    shell.last_status = run_node(tree);
    return shell.last_status;
}

/* ---- the background ----------------------------------------------------------------------------
 */

void reap_background(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        report_signal(status, pid);
        (void)forget_background(pid);
    }
}

/* One that is waited for is in the foreground meanwhile, so that ^C can end it. */
static int wait_for_one(pid_t pid)
{
    int status = 0;
    pid_t ended;

    set_foreground(pid);
    do {
        ended = waitpid(pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    set_foreground(0);
    (void)forget_background(pid);
    if (ended < 0)
        return STATUS_NOT_FOUND;
    report_signal(status, pid);
    return shell_status(status);
}

int wait_for_background(pid_t pid)
{
    if (pid != 0)
        return wait_for_one(pid);
    for (int i = 0; i < BACKGROUND_MAX; i++) {
        if (background[i] != 0)
            (void)wait_for_one(background[i]);
    }
    return 0;
}
