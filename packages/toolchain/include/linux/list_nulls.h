/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lists of hash tables whose end says which list it is: an odd word in place of a pointer. A reader that ends
 * with another number than it began with has followed an object that was moved meanwhile, and begins anew.
 */

#include <linux/compiler.h>
#include <linux/const.h>
#include <linux/kernel.h>
#include <linux/poison.h>

struct hlist_nulls_node {
	struct hlist_nulls_node *next, **pprev;
};
struct hlist_nulls_head {
	struct hlist_nulls_node *first;
};

#define NULLS_MARKER(value) (1UL | (((long)value) << 1))
#define INIT_HLIST_NULLS_HEAD(ptr, nulls) ((ptr)->first = (struct hlist_nulls_node *)NULLS_MARKER(nulls))
#define HLIST_NULLS_HEAD_INIT(nulls) { .first = (struct hlist_nulls_node *)NULLS_MARKER(nulls) }

static __transparent int is_a_nulls(const struct hlist_nulls_node *ptr)
{
	return (unsigned long)ptr & 1;
}

static __transparent unsigned long get_nulls_value(const struct hlist_nulls_node *ptr)
{
	return (unsigned long)ptr >> 1;
}

static __transparent int hlist_nulls_unhashed(const struct hlist_nulls_node *h)
{
	return !h->pprev;
}
#define hlist_nulls_unhashed_lockless(h) hlist_nulls_unhashed(h)

static __transparent int hlist_nulls_empty(const struct hlist_nulls_head *h)
{
	return is_a_nulls(READ_ONCE(h->first));
}

static __transparent void hlist_nulls_add_head(struct hlist_nulls_node *n, struct hlist_nulls_head *h)
{
	struct hlist_nulls_node *first = h->first;

	n->next = first;
	n->pprev = &h->first;
	h->first = n;
	if (!is_a_nulls(first))
		first->pprev = &n->next;
}

static __transparent void __hlist_nulls_del(struct hlist_nulls_node *n)
{
	*n->pprev = n->next;
	if (!is_a_nulls(n->next))
		n->next->pprev = n->pprev;
}

static __transparent void hlist_nulls_del(struct hlist_nulls_node *n)
{
	__hlist_nulls_del(n);
	n->pprev = LIST_POISON2;
}

#define hlist_nulls_entry(ptr, type, member) container_of(ptr, type, member)
#define hlist_nulls_entry_safe(ptr, type, member) \
	({ \
		typeof(ptr) ____ptr = (ptr); \
		!is_a_nulls(____ptr) ? hlist_nulls_entry(____ptr, type, member) : NULL; \
	})
/* `pos` ends as the marker. */
#define hlist_nulls_for_each_entry(tpos, pos, head, member) \
	for (pos = (head)->first; !is_a_nulls(pos) && ({ tpos = hlist_nulls_entry(pos, typeof(*tpos), member); 1; }); \
	     pos = pos->next)
#define hlist_nulls_for_each_entry_from(tpos, pos, member) \
	for (; !is_a_nulls(pos) && ({ tpos = hlist_nulls_entry(pos, typeof(*tpos), member); 1; }); pos = pos->next)
