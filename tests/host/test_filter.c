/* SPDX-License-Identifier: MIT */
/*
 * The console's filter against a list of its own: every character that Unicode has, one by one.
 */
#include "check.h"

#include <stdio.h>

#include "debug/console_filter.c"

/* A character in UTF-8; how many bytes. */
static u32 encode(u32 code, u8 bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (u8)code;
        return 1;
    }
    if (code < 0x800) {
        bytes[0] = (u8)(0xc0 | code >> 6);
        bytes[1] = (u8)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        bytes[0] = (u8)(0xe0 | code >> 12);
        bytes[1] = (u8)(0x80 | (code >> 6 & 0x3f));
        bytes[2] = (u8)(0x80 | (code & 0x3f));
        return 3;
    }
    bytes[0] = (u8)(0xf0 | code >> 18);
    bytes[1] = (u8)(0x80 | (code >> 12 & 0x3f));
    bytes[2] = (u8)(0x80 | (code >> 6 & 0x3f));
    bytes[3] = (u8)(0x80 | (code & 0x3f));
    return 4;
}

/* Characters that are not seen, or that move or hide others. */
static bool deceives(u32 code)
{
    static const u32 single[] = {0xad /* soft hyphen */, 0x61c /* Arabic letter mark */,
                                 0x180e /* Mongolian vowel separator */, 0xfeff /* byte order */};

    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        if (code == single[i])
            return true;
    }
    if (code < 0x20)
        return code != '\t' && code != '\n' && code != '\r' && code != '\b';
    if (code >= 0x7f && code < 0xa0) /* DEL, C1 */
        return true;
    if ((code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e))
        return true; /* zero width; embedding, override and their end */
    if (code == 0x2028 || code == 0x2029 || (code >= 0x2060 && code <= 0x206f))
        return true; /* ends of lines and paragraphs; invisible operators, isolates */
    return (code >= 0xd800 && code < 0xe000) || (code >= 0xfff9 && code <= 0xfffb) ||
           (code >= 0xe0000 && code <= 0xe007f) || code > 0x10ffff;
}

static void no_character_that_deceives_comes_through(void **state)
{
    (void)state;
    for (u32 code = 0; code < 0x120000; code++) {
        struct console_filter filter = {.state = FILTER_TEXT};
        u8 in[4], out[CONSOLE_FILTER_OUTPUT_MAX], shown[8];
        u32 bytes = encode(code, in), count = 0;

        for (u32 i = 0; i < bytes; i++) {
            u32 some = console_filter_byte(&filter, in[i], out);

            memcpy(shown + count, out, some);
            count += some;
        }
        if (count != (deceives(code) ? 0 : bytes) || memcmp(shown, in, count) != 0)
            fail_msg("character %x: %u bytes come through", code, count);
    }
}

static void what_follows_a_character_that_is_taken_out_is_seen(void **state)
{
    (void)state;
    for (u32 code = 0x80; code < 0x120000; code += code < 0x3000 ? 1 : 97) {
        struct console_filter filter = {.state = FILTER_TEXT};
        u8 in[5], out[CONSOLE_FILTER_OUTPUT_MAX];
        u32 bytes = encode(code, in);

        for (u32 i = 0; i < bytes; i++)
            (void)console_filter_byte(&filter, in[i], out);
        assert_int_equal(console_filter_byte(&filter, 'x', out), 1);
        assert_int_equal(out[0], 'x');
    }
}

/* What a filter lets through of a text. */
static void assert_shown(bool has_screen, const char *text, const char *shown)
{
    struct console_filter filter = {.has_screen = has_screen};
    char out[256] = "";
    size_t count = 0;

    for (; *text != '\0'; text++) {
        u8 bytes[CONSOLE_FILTER_OUTPUT_MAX];
        u32 more = console_filter_byte(&filter, (u8)*text, bytes);

        assert_true(more <= sizeof(bytes) && count + more < sizeof(out));
        memcpy(out + count, bytes, more);
        count += more;
    }
    assert_string_equal(out, shown);
}

static void sequences_pass_on_a_screen_alone_and_only_harmless_ones(void **state)
{
    static const char *const pass[] = {
        "\033[H",   "\033[24;80H",  "\033[J",
        "\033[2K",  "\033[1;7;32m", "\033[m",
        "\033[12C", "\033[38:2:1m", "\033[1234567890123m",
    };
    static const char *const go[] = {
        "\033[6n",     "\033[c",    "\033[?1000h",
        "\033[>c",     "\033[4h",   "\033[1;5r",
        "\033[8;1;1t", "\033[ q",   "\033[12345678901234m",
        "\033[1 m",    "\033[1!p",  "\033c",
        "\033[5i",     "\033[1;!H", "\033[<1m",
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pass); i++) {
        snprintf(text, sizeof(text), "a%sb\xc3\xa4", pass[i]);
        assert_shown(true, text, text);
        assert_shown(false, text, "ab\xc3\xa4");
    }
    for (size_t i = 0; i < ARRAY_SIZE(go); i++) {
        snprintf(text, sizeof(text), "a%sb", go[i]);
        assert_shown(true, text, "ab");
        assert_shown(false, text, "ab");
    }
    assert_shown(true, "a\033]0;title\007b\033[1\nm\033Pq#0\033\\c", "ab\nmc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_character_that_deceives_comes_through),
        cmocka_unit_test(sequences_pass_on_a_screen_alone_and_only_harmless_ones),
        cmocka_unit_test(what_follows_a_character_that_is_taken_out_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
