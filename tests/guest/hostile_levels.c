/* SPDX-License-Identifier: MIT */
/*
 * A table has one level for as long as it is a table: linked elsewhere, made twice, freed while
 * linked, it is refused.
 */
#include "guest.h"

enum { BASE = 0x400000, ELSEWHERE = 0x40000000 };

void guest_main(void)
{
    u64 root = make_table(2), middle = make_table(1), pages = make_table(0), data = take_page();
    u64 other_root = make_table(2);

    expect_error(
        "a level-0 table does not go where a level-1 table belongs: there is none above it",
        candor_table_link(root, BASE, pages), HC_NO_TABLE);
    must("link level 1", candor_table_link(root, BASE, middle));
    must("link level 0", candor_table_link(root, BASE, pages));
    expect_error("nothing is linked over a table (level 1)",
                 candor_table_link(root, BASE, make_table(1)), HC_EXISTS);
    expect_error("nothing is linked over a table (level 0)",
                 candor_table_link(root, BASE, make_table(0)), HC_EXISTS);
    expect_error("a root is not linked", candor_table_link(root, ELSEWHERE, other_root),
                 HC_BAD_LEVEL);
    expect_error("a root is not linked into itself", candor_table_link(root, ELSEWHERE, root),
                 HC_BAD_LEVEL);
    expect_error("a data page is not linked", candor_table_link(root, ELSEWHERE, data),
                 HC_NOT_POOL);
    expect_error("a level-1 table is no root", candor_table_link(middle, BASE, pages),
                 HC_BAD_LEVEL);
    expect_error("a table is not made again", candor_table_make(pages, 1), HC_EXISTS);
    expect_error("nor made a root", candor_table_make(pages, 2), HC_EXISTS);
    expect_error("there is no level 3", candor_table_make(take_pool_frame(), 3), HC_INVALID_PARAM);
    expect_error("data does not become a table", candor_table_make(data, 0), HC_NOT_POOL);
    expect_error("a linked level-0 table is not freed", candor_table_free(pages), HC_IN_USE);
    expect_error("a linked level-1 table is not freed", candor_table_free(middle), HC_IN_USE);
    expect_error("an upper-half table is not unlinked",
                 candor_table_unlink(root, start->direct_map_gva, 1), HC_INVALID_ADDRESS);
    expect_error("nor is one linked there",
                 candor_table_link(root, start->direct_map_gva, make_table(1)), HC_INVALID_ADDRESS);
    expect_error("level 2 is not unlinked", candor_table_unlink(root, BASE, 2), HC_INVALID_PARAM);

    must("link in two places", candor_table_link(root, ELSEWHERE, middle));
    must("unlink one", candor_table_unlink(root, BASE, 1));
    expect_error("one of two links holds a table", candor_table_free(middle), HC_IN_USE);
    must("unlink the other", candor_table_unlink(root, ELSEWHERE, 1));
    expect_error("it is not unlinked twice", candor_table_unlink(root, ELSEWHERE, 1), HC_NO_TABLE);
    expect_error("an unlinked table is freed", candor_table_free(middle), HC_OK);
    expect_error("and not freed twice", candor_table_free(middle), HC_BAD_LEVEL);
    expect_error("what it linked has lost that link", candor_table_free(pages), HC_OK);
    expect_error("a freed frame becomes another table", candor_table_make(pages, 1), HC_OK);
}
