/* SPDX-License-Identifier: MIT */
/* How long the trees of commands live. */
#include <stdlib.h>

#include "syntax.h"

static struct tree *trees;

struct tree *tree_new(void)
{
    struct tree *tree = memory_resize(NULL, sizeof(*tree));

    *tree = (struct tree){.next = trees, .runs = 1};
    trees = tree;
    return tree;
}

void tree_check(struct tree *tree)
{
    struct tree **place = &trees;

    if (tree->runs > 0 || tree->functions > 0)
        return;
    while (*place != tree)
        place = &(*place)->next;
    *place = tree->next;
    arena_release(&tree->arena, (struct arena_mark){NULL, 0});
    free(tree);
}

void trees_stop(void)
{
    struct tree *next;

    for (struct tree *tree = trees; tree; tree = next) {
        next = tree->next;
        tree->runs = 0;
        tree_check(tree);
    }
}

void tree_end(struct tree *tree)
{
    tree->runs--;
    tree_check(tree);
}
