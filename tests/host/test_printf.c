/* SPDX-License-Identifier: MIT */
/*
 * Formatting: what each conversion prints, and that no buffer is overrun.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "printf.h"

#include "string.h"

#define assert_prints(expected, ...)                               \
    do {                                                           \
        char text_[128];                                           \
        int length_ = snprintf(text_, sizeof(text_), __VA_ARGS__); \
        assert_string_equal(text_, expected);                      \
        assert_int_equal(length_, (int)strlen(expected));          \
    } while (0)

static void numbers_print_at_all_widths(void **state)
{
    (void)state;
    assert_prints("0 -1 42", "%d %i %u", 0, -1, 42U);
    assert_prints("-2147483648 -9223372036854775808", "%d %ld", INT_MIN, LONG_MIN);
    assert_prints("18446744073709551615", "%lu", ULONG_MAX);
    assert_prints("ffffffffffffffff FF", "%llx %X", ULLONG_MAX, 255U);
    assert_prints("7 -7", "%zu %ld", (size_t)7, -7L);
    assert_prints("0x1000", "%p", (void *)0x1000);
}

static void fields_are_padded(void **state)
{
    (void)state;
    assert_prints("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
    assert_prints("[-0042][  -42]", "[%05d][%5d]", -42, -42);
    assert_prints("[    ab][ab    ]", "[%6s][%-6s]", "ab", "ab");
    assert_prints("[00000000000000ff]", "[%016lx]", 255UL);
    assert_prints("[  7][7  ]", "[%*d][%*d]", 3, 7, -3, 7);
    assert_prints("[x  ][  x]", "[%-3c][%3c]", 'x', 'x');
}

static void strings_obey_the_precision(void **state)
{
    const char unterminated[3] = {'a', 'b', 'c'};

    (void)state;
    assert_prints("ab", "%.2s", "abcdef");
    assert_prints("abc", "%.*s", 3, unterminated);
    assert_prints("[   ab]", "[%5.2s]", "abcdef");
    assert_prints("100%", "%d%%", 100);
}

static void what_is_unknown_is_printed_as_it_stands(void **state)
{
    char text[32];
    const char *format = "a%qb%";

    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    assert_int_equal(snprintf(text, sizeof(text), format), 5);
#pragma GCC diagnostic pop
    assert_string_equal(text, "a%qb%");
}

static void null_strings_do_not_crash(void **state)
{
    const char *volatile none = NULL;

    (void)state;
    assert_prints("(null)", "%s", none);
}

static void output_is_cut_to_the_buffer(void **state)
{
    char text[8] = "zzzzzzz";

    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-truncation"
    assert_int_equal(snprintf(text, 4, "%s", "abcdefgh"), 8);
    assert_string_equal(text, "abc");
    assert_int_equal(text[4], 'z');
    assert_int_equal(snprintf(text, 1, "%d", 123), 3);
    assert_string_equal(text, "");
    assert_int_equal(snprintf(NULL, 0, "%d", 123), 3);
#pragma GCC diagnostic pop
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_print_at_all_widths),
        cmocka_unit_test(fields_are_padded),
        cmocka_unit_test(strings_obey_the_precision),
        cmocka_unit_test(what_is_unknown_is_printed_as_it_stands),
        cmocka_unit_test(null_strings_do_not_crash),
        cmocka_unit_test(output_is_cut_to_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
