/* SPDX-License-Identifier: MIT */
/* The editor's text: random work on it beside the same work on a string. */
#include "check.h"

#include <stdlib.h>

#include "edit/buffer.h"

enum {
    ROUNDS = 200,
    STEPS = 300,
    TEXT_MAX = 1 << 16,
};

static char model[TEXT_MAX]; /* what the file would hold */
static size_t model_length;

static void whole(const struct buffer *buffer, char *text, size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < buffer->count; i++) {
        if (i > 0)
            text[(*length)++] = '\n';
        if (buffer->lines[i].length > 0)
            memcpy(text + *length, buffer->lines[i].bytes, buffer->lines[i].length);
        *length += buffer->lines[i].length;
    }
}

static void assert_same(const struct buffer *buffer)
{
    static char text[TEXT_MAX];
    size_t length;

    whole(buffer, text, &length);
    assert_int_equal(length, model_length);
    assert_memory_equal(text, model, length);
}

/* A place's offset in the file. */
static size_t offset_of(const struct buffer *buffer, struct place at)
{
    size_t offset = at.byte;

    for (size_t i = 0; i < at.line; i++)
        offset += buffer->lines[i].length + 1;
    return offset;
}

static struct place random_place(const struct buffer *buffer)
{
    struct place at = {(size_t)rand() % buffer->count, 0};
    size_t steps = (size_t)rand() % (buffer->lines[at.line].length + 1);

    while (at.byte < steps)
        (void)buffer_right(buffer, &at);
    return at;
}

static void model_insert(size_t at, const char *bytes, size_t count)
{
    assert_true(model_length + count < TEXT_MAX);
    memmove(model + at + count, model + at, model_length - at);
    memcpy(model + at, bytes, count);
    model_length += count;
}

static void model_remove(size_t at, size_t count)
{
    memmove(model + at, model + at + count, model_length - at - count);
    model_length -= count;
}

static void insert_something(struct buffer *buffer)
{
    static const char *const pieces[] = {"a",        "\n",    "two\nlines", "\n\n",
                                         "\xc3\xa4", "tab\t", "",           "end\n"};
    const char *piece = pieces[rand() % (int)(sizeof(pieces) / sizeof(*pieces))];
    struct place at = random_place(buffer);
    size_t offset = offset_of(buffer, at);

    assert_true(buffer_insert(buffer, &at, piece, strlen(piece)));
    assert_int_equal(offset_of(buffer, at), offset + strlen(piece));
    model_insert(offset, piece, strlen(piece));
}

static void delete_something(struct buffer *buffer)
{
    struct place at = random_place(buffer), behind = at;
    size_t offset = offset_of(buffer, at);

    if (buffer_right(buffer, &behind))
        model_remove(offset, offset_of(buffer, behind) - offset);
    assert_true(buffer_delete(buffer, at));
}

static void delete_a_line(struct buffer *buffer)
{
    struct place start = {(size_t)rand() % buffer->count, 0};
    size_t length = buffer->lines[start.line].length, offset = offset_of(buffer, start);
    bool is_last = start.line + 1 == buffer->count, is_only = buffer->count == 1;

    buffer_delete_line(buffer, start.line);
    model_remove(is_last && !is_only ? offset - 1 : offset, is_only ? length : length + 1);
}

static void test_random_work_is_what_it_would_be_on_a_string(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        struct buffer buffer;

        assert_true(buffer_init(&buffer));
        model_length = 0;
        for (int step = 0; step < STEPS; step++) {
            int what = rand() % 20;

            if (what < 12)
                insert_something(&buffer);
            else if (what < 19)
                delete_something(&buffer);
            else
                delete_a_line(&buffer);
            assert_same(&buffer);
        }
        buffer_free(&buffer);
    }
}

static void test_left_and_right_go_by_characters_over_ends_of_lines(void **state)
{
    static const size_t offsets[] = {0, 1, 3, 4, 5, 8};
    struct place at = {0, 0};
    struct buffer buffer;

    (void)state;
    assert_true(buffer_init(&buffer) && !buffer.is_modified);
    assert_true(buffer_insert(&buffer, &at, "a\xc3\xa4\nb\xe2\x82\xac", 8) && buffer.is_modified);
    assert_false(buffer_right(&buffer, &at));
    for (size_t i = 5; i > 0; i--) {
        assert_true(buffer_left(&buffer, &at));
        assert_int_equal(offset_of(&buffer, at), offsets[i - 1]);
    }
    assert_false(buffer_left(&buffer, &at));
    for (size_t i = 1; i < 6; i++) {
        assert_true(buffer_right(&buffer, &at));
        assert_int_equal(offset_of(&buffer, at), offsets[i]);
    }
    buffer_free(&buffer);
}

static void test_finding_goes_on_and_round(void **state)
{
    static const struct place found[] = {{0, 4}, {2, 1}, {0, 0}, {0, 4}};
    struct place at = {0, 0};
    struct buffer buffer;

    (void)state;
    assert_true(buffer_init(&buffer));
    assert_true(buffer_insert(&buffer, &at, "one one\n\nxone\n", 14));
    at = (struct place){0, 0};
    for (size_t i = 0; i < 4; i++) {
        assert_true(buffer_find(&buffer, "one", &at));
        assert_int_equal(at.line, found[i].line);
        assert_int_equal(at.byte, found[i].byte);
    }
    assert_false(buffer_find(&buffer, "two", &at));
    assert_false(buffer_find(&buffer, "one one one", &at));
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_work_is_what_it_would_be_on_a_string),
        cmocka_unit_test(test_left_and_right_go_by_characters_over_ends_of_lines),
        cmocka_unit_test(test_finding_goes_on_and_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
