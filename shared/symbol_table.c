/* SPDX-License-Identifier: MIT */
/*
 * Checked reader of a table of functions: see symbol_table.h. Whatever the bytes are, none outside
 * of the table is read.
 */
#include "symbol_table.h"

#include "endian.h"

enum {
    HEADER_BYTES = 8,
    ROW_BYTES = 16,
    ROW_SIZE = 8, /* where the fields of a row stand */
    ROW_NAME = 12,
    NAME_MAX = 63,
};

/* A name that is ended within `room` bytes and can be shown. */
static bool printable(const u8 *name, u64 room)
{
    for (u64 i = 0; i < room && i <= NAME_MAX; i++) {
        if (name[i] == 0)
            return i > 0;
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    }
    return false;
}

const char *symbol_table_find(const u8 *table, u64 bytes, u64 address, u64 *offset)
{
    u64 low = 0, high, names_bytes;
    const u8 *names, *row;

    if (table == NULL || bytes < HEADER_BYTES)
        return NULL;
    high = load_le32(table);
    names_bytes = load_le32(table + sizeof(u32));
    if (high == 0 || HEADER_BYTES + high * ROW_BYTES + names_bytes > bytes)
        return NULL;
    names = table + HEADER_BYTES + high * ROW_BYTES;
    while (high - low > 1) {
        u64 middle = low + (high - low) / 2;

        if (load_le64(table + HEADER_BYTES + middle * ROW_BYTES) <= address)
            low = middle;
        else
            high = middle;
    }
    row = table + HEADER_BYTES + low * ROW_BYTES;
    *offset = address - load_le64(row);
    u64 name = load_le32(row + ROW_NAME);
    if (address < load_le64(row) || *offset >= load_le32(row + ROW_SIZE) || name >= names_bytes ||
        !printable(names + name, names_bytes - name))
        return NULL;
    return (const char *)names + name;
}
