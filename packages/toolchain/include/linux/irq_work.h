/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/llist.h>

struct irq_work {
	struct llist_node node;
	atomic_t flags;
	void (*func)(struct irq_work *work);
};

extern bool irq_work_queue(struct irq_work *work);
extern void irq_work_sync(struct irq_work *work);

static inline void init_irq_work(struct irq_work *work, void (*func)(struct irq_work *))
{
	work->node.next = NULL;
	atomic_set(&work->flags, 0);
	work->func = func;
}
