/* SPDX-License-Identifier: MIT */
/*
 * What an access of a guest may give, stated once more, entry by entry (privileged specification
 * 1.12, 4.2.1 and 4.3.2): a walk reads at each level some value that the entry has had, while its
 * space was in use, since the last fence that covers it. A fence of a page covers leaves alone.
 */
#pragma once

#include "types.h"

enum {
    ROOTS = 3,
    TABLES = 8, /* guest frames that serve as tables, roots first */
    DATA = 12,  /* guest frames that are mapped, tables among them */
    SLOTS = 4,  /* entries of each table that are used */
    ASIDS = 3,
    SPACES = ROOTS * ASIDS,
    BARE = SPACES,
    PAGES = SLOTS * SLOTS * SLOTS,
    SEEN_MAX = 16,
    SEEN_SPARE = 4, /* what one record may add */
};

#define WINDOW 0xffffffe000000000UL
#define LIVE (~0UL)

enum outcome { DONE = 0, PAGE_FAULT = 1, ACCESS_FAULT = 2, NO_MEMORY = 3 };

/* A value of an entry, and until when it stood there while the space was in use. */
struct seen {
    u64 value, until;
};

extern struct model {
    bool in_u; /* kernel and users in U-mode */
    bool kernel;
    u64 status; /* SUM and MXR */
    u32 space;  /* root * ASIDS + identifier, or BARE */
    u64 now;
    u64 entries[TABLES][SLOTS]; /* what the guest's tables hold */
    struct {
        u32 count;
        struct seen values[SEEN_MAX];
    } seen[SPACES][TABLES][SLOTS];
    u64 fenced[SPACES][PAGES]; /* when a fence of that page was last */
} model;

struct access {
    u64 address, right;
    u32 page;
    bool windows; /* to an address of the window, which no entry that changes leads to */
    bool wrong;   /* an address that cannot be */
};

void __attribute__((noreturn)) broken(const char *what);

/* All entries as they stand now have been seen in the space in use. */
void see_all(void);

/* An entry as it stands now is seen for the last time; or is written. */
void see_the_last_of(u32 table, u32 slot);
void entry_becomes(u32 table, u32 slot, u64 value);

/* Whether there is hardly room for more values; then the guest has to fence. */
bool nearly_full(void);

/* The place in a table that an access goes by. */
u32 slot_at(const struct access *access, u32 level);

/* Which of the tables a guest frame is; TABLES: none. */
u32 table_of(u64 frame);

bool in_memory(u64 frame);

/* Whether the leaf lets this access through, but for A and D. */
bool lets(u64 entry, u32 level, u64 right);

/* As the tables are now. DONE: *frame, and where the leaf stands. */
enum outcome walk_now(const struct access *access, u64 *frame, u32 *table, u32 *slot);

/* Whether the access may lead to that frame by what has been read since the fence. */
bool permitted(const struct access *access, u64 frame);
