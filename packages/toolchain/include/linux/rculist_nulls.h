/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list_nulls.h>
#include <linux/rcupdate.h>

#define hlist_nulls_first_rcu(head) (*((struct hlist_nulls_node __rcu **)&(head)->first))
#define hlist_nulls_next_rcu(node) (*((struct hlist_nulls_node __rcu **)&(node)->next))
#define hlist_nulls_add_head_rcu hlist_nulls_add_head
#define hlist_nulls_del_rcu hlist_nulls_del

static __transparent void hlist_nulls_del_init_rcu(struct hlist_nulls_node *n)
{
	if (!hlist_nulls_unhashed(n)) {
		__hlist_nulls_del(n);
		n->pprev = NULL;
	}
}

static __transparent void hlist_nulls_add_tail_rcu(struct hlist_nulls_node *n, struct hlist_nulls_head *h)
{
	struct hlist_nulls_node **link = &h->first;

	while (!is_a_nulls(*link))
		link = &(*link)->next;
	n->next = *link;
	n->pprev = link;
	*link = n;
}

static __transparent void hlist_nulls_add_fake(struct hlist_nulls_node *n)
{
	n->pprev = &n->next;
	n->next = (struct hlist_nulls_node *)NULLS_MARKER(NULL);
}

#define hlist_nulls_for_each_entry_rcu(tpos, pos, head, member) hlist_nulls_for_each_entry(tpos, pos, head, member)
#define hlist_nulls_for_each_entry_safe(tpos, pos, head, member) \
	for (pos = (head)->first; \
	     !is_a_nulls(pos) && ({ tpos = hlist_nulls_entry(pos, typeof(*tpos), member); pos = pos->next; 1; });)
