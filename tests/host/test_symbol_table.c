/* SPDX-License-Identifier: MIT */
/*
 * The table of a guest's functions: what is found, and that a damaged one is read within its
 * bounds (the address sanitizer looks on: each table is a block of its own).
 */
#include "check.h"

#include <stdlib.h>

#include "symbol_table.h"

enum { ROWS = 3, NAMES = 16, TABLE_BYTES = 8 + ROWS * 16 + NAMES };

static void put(u8 *at, u64 value, u32 bytes)
{
    for (u32 i = 0; i < bytes; i++)
        at[i] = (u8)(value >> 8 * i);
}

/* Functions at 100 (20 bytes), 120 (30) and 200 (10); a gap before the last. */
static u8 *table_make(void)
{
    static const struct {
        u64 address;
        u32 bytes, name;
    } rows[ROWS] = {{100, 20, 0}, {120, 30, 4}, {200, 10, 9}};
    u8 *table = calloc(1, TABLE_BYTES);

    assert_non_null(table);
    put(table, ROWS, 4);
    put(table + 4, NAMES, 4);
    for (u32 i = 0; i < ROWS; i++) {
        put(table + 8 + i * 16, rows[i].address, 8);
        put(table + 16 + i * 16, rows[i].bytes, 4);
        put(table + 20 + i * 16, rows[i].name, 4);
    }
    memcpy(table + 8 + ROWS * 16, "one\0four\0five_6", NAMES);
    return table;
}

static void check_found(const u8 *table, u64 address, const char *name, u64 offset)
{
    u64 found = 0;
    const char *is = symbol_table_find(table, TABLE_BYTES, address, &found);

    if (name == NULL) {
        assert_null(is);
        return;
    }
    assert_non_null(is);
    assert_string_equal(is, name);
    assert_int_equal(found, offset);
}

static void addresses_have_the_name_of_their_function(void **state)
{
    u8 *table = table_make();

    (void)state;
    check_found(table, 99, NULL, 0);
    check_found(table, 100, "one", 0);
    check_found(table, 119, "one", 19);
    check_found(table, 120, "four", 0);
    check_found(table, 149, "four", 29);
    check_found(table, 150, NULL, 0);
    check_found(table, 209, "five_6", 9);
    check_found(table, 210, NULL, 0);
    check_found(table, ~0UL, NULL, 0);
    free(table);
}

static void a_damaged_table_names_nothing_and_is_read_within_its_bounds(void **state)
{
    u64 offset;

    (void)state;
    assert_null(symbol_table_find(NULL, 100, 100, &offset));
    for (u64 bytes = 0; bytes < TABLE_BYTES; bytes++) {
        u8 *table = table_make(), *cut = malloc(bytes + 1);

        assert_non_null(cut);
        memcpy(cut, table, bytes);
        assert_null(symbol_table_find(cut, bytes, 100, &offset));
        free(cut);
        free(table);
    }
    for (u64 at = 0; at < TABLE_BYTES; at++) {
        static const u8 values[] = {0, 1, 0x1b, 0x7f, 0x80, 0xff};

        for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
            u8 *table = table_make();

            table[at] = values[i];
            for (u64 address = 90; address < 220; address += 5) {
                const char *name = symbol_table_find(table, TABLE_BYTES, address, &offset);

                for (; name != NULL && *name != '\0'; name++)
                    assert_in_range(*name, '!', '~');
            }
            free(table);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_the_name_of_their_function),
        cmocka_unit_test(a_damaged_table_names_nothing_and_is_read_within_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
