/* SPDX-License-Identifier: MIT */
/*
 * Intrusive doubly linked list with a head. A node is on at most one list; the list owns nothing.
 * The caller's lock guards it.
 */
#pragma once

#include "types.h"

/* A head, or a node embedded in what is listed. A node off any list points at itself. */
struct list_node {
    struct list_node *next;
    struct list_node *prev;
};

static inline void list_init(struct list_node *node)
{
    node->next = node;
    node->prev = node;
}

/* Also answers, for a node, "is it on no list". */
static inline bool list_empty(const struct list_node *head)
{
    return head->next == head;
}

static inline void list_insert_before(struct list_node *position, struct list_node *node)
{
    node->prev = position->prev;
    node->next = position;
    position->prev->next = node;
    position->prev = node;
}

static inline void list_push_back(struct list_node *head, struct list_node *node)
{
    list_insert_before(head, node);
}

static inline void list_push_front(struct list_node *head, struct list_node *node)
{
    list_insert_before(head->next, node);
}

/* Harmless on a node that is on no list. */
static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The removed first node, or NULL. */
static inline struct list_node *list_pop_front(struct list_node *head)
{
    struct list_node *node = head->next;

    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

#define list_entry(node, type, member) container_of(node, type, member)

/* The body must not remove the current node: use the _safe form for that. */
#define list_for_each(item, head, member)                                                     \
    for (item = list_entry((head)->next, __typeof__(*item), member); &item->member != (head); \
         item = list_entry(item->member.next, __typeof__(*item), member))

#define list_for_each_safe(item, following, head, member)                     \
    for (item = list_entry((head)->next, __typeof__(*item), member),          \
        following = list_entry(item->member.next, __typeof__(*item), member); \
         &item->member != (head);                                             \
         item = following, following = list_entry(item->member.next, __typeof__(*item), member))
