/* SPDX-License-Identifier: MIT */
/*
 * $((...)): the operators of C on 64-bit integers, with wrap-around, assignments included; names
 * are variables. A side that && || or ?: does not take is read, but neither assigned nor divided.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "expand.h"
#include "sh.h"
#include "syntax.h"

struct expression {
    const char *text; /* all of it, for errors */
    const char *at;
    unsigned depth;
    unsigned skipping; /* inside a side that is not taken */
};

/* Binary operators, the longest spelling first where one begins another. */
static const struct sign {
    const char *text;
    int precedence; /* the higher, the tighter */
} operators[] = {
    {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<<", 8}, {">>", 8},
    {"<=", 7}, {">=", 7}, {"<", 7},  {">", 7},  {"|", 3},  {"^", 4},
    {"&", 5},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

static int64_t parse_assignment(struct expression *expression);

static void fail(struct expression *expression, const char *reason)
{
    shell_fail("%s: %s", expression->text, reason);
}

static void skip_blanks(struct expression *expression)
{
    while (isspace((unsigned char)*expression->at))
        expression->at++;
}

/* Take the text if it comes next. */
static bool take(struct expression *expression, const char *text)
{
    skip_blanks(expression);
    if (strncmp(expression->at, text, strlen(text)) != 0)
        return false;
    expression->at += strlen(text);
    return true;
}

static int64_t parse_number(struct expression *expression, const char *text, const char **end)
{
    char *behind;
    int64_t value;

    errno = 0;
    value = (int64_t)strtoll(text, &behind, 0);
    if (behind == text || errno == ERANGE || isalnum((unsigned char)*behind) || *behind == '_')
        fail(expression, "not a number");
    *end = behind;
    return value;
}

static int64_t variable_value(struct expression *expression, const char *name, size_t length)
{
    const char *value = variable_get_bytes(name, length), *end;
    int64_t number;

    if (!value && shell.options[OPTION_NO_UNSET] && !expression->skipping)
        shell_fail("%.*s: is not set", (int)length, name);
    if (!value || !*value)
        return 0;
    number = parse_number(expression, value, &end);
    while (isspace((unsigned char)*end))
        end++;
    if (*end)
        fail(expression, "a variable is not a number");
    return number;
}

/* ---- operators ---------------------------------------------------------------------------------
 */

static int64_t divide(struct expression *expression, int64_t a, int64_t b, bool remainder)
{
    if (expression->skipping)
        return 0;
    if (b == 0)
        fail(expression, "division by zero");
    if (b == -1) /* where the smallest number would overflow */
        return remainder ? 0 : (int64_t)(0 - (uint64_t)a);
    return remainder ? a % b : a / b;
}

/* As operators are told apart by their first byte and how long they are. */
static int64_t apply(struct expression *expression, const char *sign, int64_t a, int64_t b)
{
    const unsigned shift_mask = 63;
    bool is_long = sign[1] != '\0';

    switch (*sign) {
    case '|':
        return is_long ? a || b : a | b;
    case '&':
        return is_long ? a && b : a & b;
    case '^':
        return a ^ b;
    case '=':
        return a == b;
    case '!':
        return a != b;
    case '<':
        if (sign[1] == '<')
            return (int64_t)((uint64_t)a << ((uint64_t)b & shift_mask));
        return is_long ? a <= b : a < b;
    case '>':
        if (sign[1] == '>')
            return a >> ((uint64_t)b & shift_mask);
        return is_long ? a >= b : a > b;
    case '+':
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case '-':
        return (int64_t)((uint64_t)a - (uint64_t)b);
    case '*':
        return (int64_t)((uint64_t)a * (uint64_t)b);
    default:
        return divide(expression, a, b, *sign == '%');
    }
}

/* The binary sign that comes next, or NULL; a += b is none. */
static const struct sign *next_operator(struct expression *expression)
{
    skip_blanks(expression);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        const char *text = operators[i].text;
        size_t length = strlen(text);

        if (strncmp(expression->at, text, length) != 0)
            continue;
        if (operators[i].precedence > 2 && expression->at[length] == '=' && !strchr("=!<>", *text))
            return NULL;
        return &operators[i];
    }
    return NULL;
}

/* ---- the grammar -------------------------------------------------------------------------------
 */

static int64_t parse_primary(struct expression *expression)
{
    size_t length;
    int64_t value;

    if (take(expression, "(")) {
        value = parse_assignment(expression);
        if (!take(expression, ")"))
            fail(expression, "no closing )");
        return value;
    }
    length = name_length(expression->at);
    if (length > 0) {
        expression->at += length;
        return variable_value(expression, expression->at - length, length);
    }
    if (!isdigit((unsigned char)*expression->at))
        fail(expression, *expression->at ? "a number is missing" : "ends too early");
    return parse_number(expression, expression->at, &expression->at);
}

static int64_t parse_unary(struct expression *expression)
{
    int64_t value;

    if (++expression->depth > NESTING_MAX)
        fail(expression, "too deep");
    if (take(expression, "-"))
        value = (int64_t)(0 - (uint64_t)parse_unary(expression));
    else if (take(expression, "+"))
        value = parse_unary(expression);
    else if (take(expression, "!"))
        value = !parse_unary(expression);
    else if (take(expression, "~"))
        value = ~parse_unary(expression);
    else
        value = parse_primary(expression);
    expression->depth--;
    return value;
}

static int64_t parse_binary(struct expression *expression, int precedence)
{
    int64_t value = parse_unary(expression);
    const struct sign *sign;

    while ((sign = next_operator(expression)) && sign->precedence >= precedence) {
        bool skips = strcmp(sign->text, "&&") == 0   ? !value
                     : strcmp(sign->text, "||") == 0 ? value != 0
                                                     : false;
        int64_t right;

        expression->at += strlen(sign->text);
        expression->skipping += skips;
        right = parse_binary(expression, sign->precedence + 1);
        expression->skipping -= skips;
        value = apply(expression, sign->text, value, right);
    }
    return value;
}

static int64_t parse_conditional(struct expression *expression)
{
    int64_t condition = parse_binary(expression, 1), chosen, other;
    bool is_true = condition != 0;

    if (!take(expression, "?"))
        return condition;
    expression->skipping += !is_true;
    chosen = parse_assignment(expression);
    expression->skipping -= !is_true;
    if (!take(expression, ":"))
        fail(expression, "a ? without its :");
    expression->skipping += is_true;
    other = parse_assignment(expression);
    expression->skipping -= is_true;
    return is_true ? chosen : other;
}

/* The sign of an assignment at `at`, without its =, or NULL; "" is the plain one. */
static const char *assignment_operator(const char *at)
{
    static const char *const compound[] = {"<<", ">>", "+", "-", "*", "/", "%", "&", "^", "|"};

    if (at[0] == '=' && at[1] != '=')
        return "";
    for (size_t i = 0; i < sizeof(compound) / sizeof(compound[0]); i++) {
        size_t length = strlen(compound[i]);

        if (strncmp(at, compound[i], length) == 0 && at[length] == '=')
            return compound[i];
    }
    return NULL;
}

static int64_t parse_assignment(struct expression *expression)
{
    const char *start, *sign;
    size_t length;
    int64_t value;

    if (++expression->depth > NESTING_MAX)
        fail(expression, "too deep");
    skip_blanks(expression);
    start = expression->at;
    length = name_length(start);
    expression->at += length;
    skip_blanks(expression);
    sign = length > 0 ? assignment_operator(expression->at) : NULL;
    if (!sign) {
        expression->at = start;
        value = parse_conditional(expression);
        expression->depth--;
        return value;
    }
    expression->at += strlen(sign) + 1;
    value = parse_assignment(expression);
    if (*sign)
        value = apply(expression, sign, variable_value(expression, start, length), value);
    if (!expression->skipping)
        variable_set(arena_copy(&shell.scratch, start, length),
                     arena_format(&shell.scratch, "%" PRId64, value));
    expression->depth--;
    return value;
}

int64_t arithmetic(const char *text)
{
    struct expression expression = {.text = text, .at = text};
    int64_t value;

    skip_blanks(&expression);
    if (!*expression.at)
        return 0;
    value = parse_assignment(&expression);
    skip_blanks(&expression);
    if (*expression.at)
        fail(&expression, "something is left over");
    return value;
}
