/* SPDX-License-Identifier: MIT */
/* xargs [-n COUNT] [COMMAND [WORD...]]: run the command (echo) with the words of standard input
   behind its own, COUNT of them each time or as many as go; 123: one of them failed. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

enum {
    STATUS_FAILED = 123,
    STATUS_NOT_RUN = 126,
    STATUS_NOT_FOUND = 127,
    WORD_BYTES = 1024,
    WORDS_MAX = 500,
    BYTES_MAX = 32768, /* of the words of one call */
};

/* The next word, between blanks; quotes and backslashes take their meaning from what follows. NULL:
   the end, or a word that is too long. */
static char *next_word(void)
{
    static char word[WORD_BYTES];
    size_t length = 0;
    int quote = 0, c = getchar();

    while (isspace(c))
        c = getchar();
    if (c == EOF)
        return NULL;
    for (; c != EOF && (quote || !isspace(c)); c = getchar()) {
        if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? 0 : c;
            continue;
        }
        if (c == '\\' && !quote)
            c = getchar();
        if (length + 1 == sizeof(word)) {
            errno = E2BIG;
            return NULL;
        }
        word[length++] = (char)c;
    }
    word[length] = '\0';
    return word;
}

/* 0, STATUS_FAILED, or what ends all. */
static int run(char **words)
{
    pid_t pid;
    int status;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        execvp(words[0], words);
        (void)program_complain("xargs", words[0]);
        _exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return program_complain("xargs", words[0]);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) >= STATUS_NOT_RUN))
        return WEXITSTATUS(status);
    return STATUS_FAILED;
}

/* Fill words[from...] with up to `most` of standard input's: how many. */
static int collect(char **words, int from, int most)
{
    size_t bytes = 0;
    int count = 0;
    char *word;

    while (count < most && bytes < BYTES_MAX && (word = next_word()) != NULL) {
        bytes += strlen(word) + 1;
        words[from + count] = strdup(word);
        if (!words[from + count])
            break;
        count++;
    }
    words[from + count] = NULL;
    return count;
}

int main(int argc, char **argv)
{
    static char *words[2 * WORDS_MAX + 1];
    int own = 0, status = 0, option, count;
    long most = WORDS_MAX;

    while ((option = getopt(argc, argv, "+n:")) != -1) {
        most = option == 'n' ? strtol(optarg, NULL, 10) : 0;
        if (most < 1 || most > WORDS_MAX || argc - optind > WORDS_MAX)
            return program_usage("xargs [-n COUNT] [COMMAND [WORD...]]");
    }
    for (int i = optind; i < argc && own < WORDS_MAX; i++)
        words[own++] = argv[i];
    if (own == 0)
        words[own++] = (char *)"echo";
    errno = 0;
    while ((count = collect(words, own, (int)most)) > 0) {
        int result = run(words);

        for (int i = 0; i < count; i++)
            free(words[own + i]);
        if (result >= STATUS_NOT_RUN)
            return result;
        status = status ? status : result;
    }
    return errno == E2BIG || errno == ENOMEM ? program_complain("xargs", "a word") : status;
}
