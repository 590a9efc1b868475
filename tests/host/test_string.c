/* SPDX-License-Identifier: MIT */
/*
 * The string functions of shared/, against their standard meaning, at every alignment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Under names of their own, beside the C library's. */
#define memcpy our_memcpy
#define memmove our_memmove
#define memset our_memset
#define memcmp our_memcmp
#define memchr our_memchr
#define strlen our_strlen
#define strnlen our_strnlen
#define strcmp our_strcmp
#define strncmp our_strncmp
#define strchr our_strchr
#define strrchr our_strrchr
#define strlcpy our_strlcpy
#include "../../shared/string.c"
#include "../../shared/strlcpy.c"

#include "bitmap.h"
#include "list.h"

enum { AREA = 256, SPAN = 100, ALIGNMENTS = 9 };

static void fill(u8 *area)
{
    for (int i = 0; i < AREA; i++)
        area[i] = (u8)(i * 7 + 3);
}

static void copy_is_exact_at_every_alignment(void **state)
{
    (void)state;
    for (size_t to = 0; to < ALIGNMENTS; to++) {
        for (size_t from = 0; from < ALIGNMENTS; from++) {
            for (size_t bytes = 0; bytes < SPAN; bytes++) {
                u8 source[AREA], target[AREA];

                fill(source);
                our_memset(target, 0xee, AREA);
                assert_ptr_equal(our_memcpy(target + to, source + from, bytes), target + to);
                for (size_t i = 0; i < AREA; i++) {
                    bool inside = i >= to && i < to + bytes;
                    assert_int_equal(target[i], inside ? source[from + i - to] : 0xee);
                }
            }
        }
    }
}

static void move_survives_overlap_both_ways(void **state)
{
    (void)state;
    for (size_t to = 0; to < 40; to++) {
        for (size_t from = 0; from < 40; from++) {
            u8 area[AREA], before[AREA];

            fill(area);
            fill(before);
            our_memmove(area + to, area + from, SPAN);
            for (size_t i = 0; i < SPAN; i++)
                assert_int_equal(area[to + i], before[from + i]);
        }
    }
}

static void set_is_exact_at_every_alignment(void **state)
{
    (void)state;
    for (size_t at = 0; at < ALIGNMENTS; at++) {
        for (size_t bytes = 0; bytes < SPAN; bytes++) {
            u8 area[AREA];

            fill(area);
            our_memset(area + at, 0x1a5, bytes);
            for (size_t i = 0; i < AREA; i++)
                assert_int_equal(area[i], i >= at && i < at + bytes ? 0xa5 : (u8)(i * 7 + 3));
        }
    }
}

static void comparison_is_by_unsigned_bytes(void **state)
{
    (void)state;
    assert_true(our_memcmp("a\x80", "a\x7f", 2) > 0);
    assert_int_equal(our_memcmp("ab", "ac", 1), 0);
    assert_true(our_strcmp("a", "ab") < 0);
    assert_true(our_strcmp("\xff", "a") > 0);
    assert_int_equal(our_strcmp("same", "same"), 0);
    assert_int_equal(our_strncmp("same1", "same2", 4), 0);
    assert_true(our_strncmp("same1", "same2", 5) < 0);
    assert_int_equal(our_strncmp("a", "a", 100), 0);
}

static void searching_finds_first_last_and_end(void **state)
{
    const char *text = "path/to/file";

    (void)state;
    assert_ptr_equal(our_strchr(text, '/'), text + 4);
    assert_ptr_equal(our_strrchr(text, '/'), text + 7);
    assert_ptr_equal(our_strchr(text, '\0'), text + 12);
    assert_null(our_strchr(text, 'x'));
    assert_null(our_strrchr(text, 'x'));
    assert_ptr_equal(our_memchr(text, 't', 12), text + 2);
    assert_null(our_memchr(text, 'f', 8));
    assert_int_equal(our_strlen(""), 0);
    assert_int_equal(our_strnlen("abc", 2), 2);
    assert_int_equal(our_strnlen("abc", 10), 3);
}

static void bounded_copy_terminates_and_tells_the_length(void **state)
{
    char small[4] = "xxx";

    (void)state;
    assert_int_equal(our_strlcpy(small, "abcdef", sizeof(small)), 6);
    assert_string_equal(small, "abc");
    assert_int_equal(our_strlcpy(small, "", sizeof(small)), 0);
    assert_string_equal(small, "");
}

static void bitmap_finds_the_first_clear_bit(void **state)
{
    BITMAP_DECLARE(map, 130) = {0};

    (void)state;
    for (size_t i = 0; i < 130; i++) {
        assert_int_equal(bitmap_find_clear(map, 130, 0), i);
        bitmap_set(map, i);
        assert_true(bitmap_test(map, i));
    }
    assert_int_equal(bitmap_find_clear(map, 130, 0), 130);
    bitmap_clear(map, 70);
    assert_int_equal(bitmap_find_clear(map, 130, 0), 70);
    assert_int_equal(bitmap_find_clear(map, 130, 71), 130);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(bit_lowest((u64)1 << i | (u64)1 << 63), i);
}

struct item {
    int number;
    struct list_node link;
};

static void list_keeps_order_and_lets_go(void **state)
{
    struct list_node head;
    struct item items[4], *item, *next;
    int sum = 0;

    (void)state;
    list_init(&head);
    assert_null(list_pop_front(&head));
    for (int i = 0; i < 4; i++) {
        items[i].number = i;
        list_push_back(&head, &items[i].link);
    }
    list_remove(&items[2].link);
    list_remove(&items[2].link);
    assert_true(list_empty(&items[2].link));
    list_push_front(&head, &items[2].link);
    list_for_each (item, &head, link)
        sum = sum * 10 + item->number;
    assert_int_equal(sum, 2013);
    list_for_each_safe (item, next, &head, link)
        list_remove(&item->link);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_is_exact_at_every_alignment),
        cmocka_unit_test(move_survives_overlap_both_ways),
        cmocka_unit_test(set_is_exact_at_every_alignment),
        cmocka_unit_test(comparison_is_by_unsigned_bytes),
        cmocka_unit_test(searching_finds_first_last_and_end),
        cmocka_unit_test(bounded_copy_terminates_and_tells_the_length),
        cmocka_unit_test(bitmap_finds_the_first_clear_bit),
        cmocka_unit_test(list_keeps_order_and_lets_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
