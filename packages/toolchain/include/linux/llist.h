/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* A stack: newest first. */
struct llist_head {
	struct llist_node *first;
};

struct llist_node {
	struct llist_node *next;
};

#define LLIST_HEAD_INIT(name) { NULL }
#define LLIST_HEAD(name) struct llist_head name = LLIST_HEAD_INIT(name)

static __transparent void init_llist_head(struct llist_head *list)
{
	list->first = NULL;
}

static __transparent bool llist_empty(const struct llist_head *head)
{
	return READ_ONCE(head->first) == NULL;
}

static __transparent struct llist_node *llist_next(struct llist_node *node)
{
	return node->next;
}

/* True if the list was empty. */
static __transparent bool llist_add_batch(struct llist_node *new_first, struct llist_node *new_last,
				   struct llist_head *head)
{
	struct llist_node *first = head->first;

	new_last->next = first;
	head->first = new_first;
	return first == NULL;
}

static __transparent bool llist_add(struct llist_node *new, struct llist_head *head)
{
	return llist_add_batch(new, new, head);
}

static __transparent struct llist_node *llist_del_all(struct llist_head *head)
{
	return xchg(&head->first, NULL);
}

static __transparent struct llist_node *llist_del_first(struct llist_head *head)
{
	struct llist_node *first = head->first;

	if (first)
		head->first = first->next;
	return first;
}

static __transparent struct llist_node *llist_reverse_order(struct llist_node *head)
{
	struct llist_node *reversed = NULL;

	while (head) {
		struct llist_node *next = head->next;

		head->next = reversed;
		reversed = head;
		head = next;
	}
	return reversed;
}

#define llist_entry(ptr, type, member) container_of(ptr, type, member)
#define __llist_entry_safe(ptr, type, member) ((ptr) ? llist_entry(ptr, type, member) : NULL)
#define llist_for_each(pos, node) for ((pos) = (node); pos; (pos) = (pos)->next)
#define llist_for_each_safe(pos, n, node) \
	for ((pos) = (node); (pos) && ((n) = (pos)->next, true); (pos) = (n))
#define llist_for_each_entry(pos, node, member) \
	for (pos = __llist_entry_safe(node, typeof(*pos), member); pos; \
	     pos = __llist_entry_safe(pos->member.next, typeof(*pos), member))
#define llist_for_each_entry_safe(pos, n, node, member) \
	for (pos = __llist_entry_safe(node, typeof(*pos), member); \
	     pos && (n = __llist_entry_safe(pos->member.next, typeof(*n), member), true); pos = n)
