/* SPDX-License-Identifier: MIT */
/* test EXPRESSION, [ EXPRESSION ]: 0 if it holds, 1 if not, 2 if it is none. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builtin.h"
#include "sh.h"

struct test {
    char **words;
    int count;
    int at;
    int depth;
    bool is_wrong;
};

static bool test_or(struct test *test);

static int fail(struct test *test, const char *what, const char *reason)
{
    if (!test->is_wrong)
        complain("test: %s: %s", what, reason);
    test->is_wrong = true;
    return 0;
}

static bool is_next(const struct test *test, const char *text)
{
    return test->at < test->count && strcmp(test->words[test->at], text) == 0;
}

static bool has_type(const struct stat *found, char type)
{
    switch (type) {
    case 'f':
        return S_ISREG(found->st_mode);
    case 'd':
        return S_ISDIR(found->st_mode);
    case 'c':
        return S_ISCHR(found->st_mode);
    case 'b':
        return S_ISBLK(found->st_mode);
    case 'p':
        return S_ISFIFO(found->st_mode);
    default:
        return false;
    }
}

static bool test_terminal(const char *word)
{
    long descriptor;

    return builtin_number("test", word, &descriptor) && isatty((int)descriptor);
}

static bool test_unary(char kind, const char *word)
{
    struct stat found;

    switch (kind) {
    case 'n':
        return *word;
    case 'z':
        return !*word;
    case 't':
        return test_terminal(word);
    case 'r':
        return access(word, R_OK) == 0;
    case 'w':
        return access(word, W_OK) == 0;
    case 'x':
        return access(word, X_OK) == 0;
    default:
        break;
    }
    if (stat(word, &found) < 0)
        return false;
    if (kind == 's')
        return found.st_size > 0;
    return kind == 'e' || has_type(&found, kind);
}

static bool test_newer(const char *a, const char *b)
{
    struct stat first, second;

    if (stat(a, &first) < 0)
        return false;
    if (stat(b, &second) < 0)
        return true;
    if (first.st_mtim.tv_sec != second.st_mtim.tv_sec)
        return first.st_mtim.tv_sec > second.st_mtim.tv_sec;
    return first.st_mtim.tv_nsec > second.st_mtim.tv_nsec;
}

/* The binary operators, those on numbers first. */
static const char *const binary[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge",
                                     "=",   "!=",  "<",   ">",   "-nt", "-ot"};

enum { BINARY_ON_NUMBERS = 6 };

static int find_binary(const char *word)
{
    for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++) {
        if (strcmp(word, binary[i]) == 0)
            return (int)i;
    }
    return -1;
}

static bool compare_numbers(struct test *test, int which, const char *a, const char *b)
{
    long first, second;

    if (!builtin_number("test", a, &first) || !builtin_number("test", b, &second)) {
        test->is_wrong = true;
        return false;
    }
    switch (which) {
    case 0:
        return first == second;
    case 1:
        return first != second;
    case 2:
        return first < second;
    case 3:
        return first <= second;
    case 4:
        return first > second;
    default:
        return first >= second;
    }
}

static bool test_binary(struct test *test, int which, const char *a, const char *b)
{
    if (which < BINARY_ON_NUMBERS)
        return compare_numbers(test, which, a, b);
    if (binary[which][0] == '-')
        return binary[which][1] == 'n' ? test_newer(a, b) : test_newer(b, a);
    switch (binary[which][0]) {
    case '=':
        return strcmp(a, b) == 0;
    case '!':
        return strcmp(a, b) != 0;
    case '<':
        return strcmp(a, b) < 0;
    default:
        return strcmp(a, b) > 0;
    }
}

/* A word alone, an operator with its words, or an expression in brackets. */
static bool test_primary(struct test *test)
{
    int left = test->count - test->at;
    char **words = test->words + test->at;
    int which = left >= 3 ? find_binary(words[1]) : -1;
    bool result;

    if (left == 0)
        return fail(test, "the expression", "ends too early");
    if (which >= 0) {
        test->at += 3;
        return test_binary(test, which, words[0], words[2]);
    }
    if (left >= 2 && strcmp(words[0], "(") == 0) {
        test->at++;
        result = test_or(test);
        if (!is_next(test, ")"))
            return fail(test, "(", "is not closed");
        test->at++;
        return result;
    }
    if (left >= 2 && words[0][0] == '-' && words[0][1] && !words[0][2] &&
        strchr("bcdefhLnprstwxz", words[0][1])) {
        test->at += 2;
        return test_unary(words[0][1], words[1]);
    }
    test->at++;
    return *words[0];
}

static bool test_not(struct test *test)
{
    bool negated = false;

    /* A last "!" is a word like others, and so is one that is compared. */
    while (is_next(test, "!") && test->count - test->at > 1 &&
           !(test->count - test->at == 3 && find_binary(test->words[test->at + 1]) >= 0)) {
        negated = !negated;
        test->at++;
    }
    return test_primary(test) != negated;
}

static bool test_and(struct test *test)
{
    bool result = test_not(test);

    while (is_next(test, "-a")) {
        test->at++;
        result = test_not(test) && result;
    }
    return result;
}

static bool test_or(struct test *test)
{
    bool result;

    if (++test->depth > NESTING_MAX)
        return fail(test, "(", "too deep");
    result = test_and(test);
    while (is_next(test, "-o")) {
        test->at++;
        result = test_and(test) || result;
    }
    test->depth--;
    return result;
}

int builtin_test(int argc, char **argv)
{
    struct test test = {.words = argv + 1, .count = argc - 1};
    bool result;

    if (strcmp(argv[0], "[") == 0) {
        if (strcmp(argv[argc - 1], "]") != 0)
            return builtin_usage("[ EXPRESSION ]");
        test.count--;
    }
    if (test.count == 0)
        return 1;
    result = test_or(&test);
    if (!test.is_wrong && test.at < test.count)
        (void)fail(&test, test.words[test.at], "is left over");
    if (test.is_wrong)
        return STATUS_USAGE;
    return !result;
}
