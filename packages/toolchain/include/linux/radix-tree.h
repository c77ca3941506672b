/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#define radix_tree_root xarray

#define RADIX_TREE_MAX_TAGS 3
#define RADIX_TREE_INIT(name, mask) XARRAY_INIT(name, mask)
#define RADIX_TREE(name, mask) struct radix_tree_root name = RADIX_TREE_INIT(name, mask)
#define INIT_RADIX_TREE(root, mask) xa_init_flags(root, mask)

extern int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item);
extern void *radix_tree_lookup(const struct radix_tree_root *root, unsigned long index);
extern void *radix_tree_delete(struct radix_tree_root *root, unsigned long index);
extern void *radix_tree_delete_item(struct radix_tree_root *root, unsigned long index, void *item);
extern unsigned int radix_tree_gang_lookup(const struct radix_tree_root *root, void **results,
					   unsigned long first_index, unsigned int max_items);
extern unsigned int radix_tree_gang_lookup_tag(const struct radix_tree_root *root, void **results,
					       unsigned long first_index, unsigned int max_items, unsigned int tag);
extern int radix_tree_preload(gfp_t gfp_mask);
extern int radix_tree_maybe_preload(gfp_t gfp_mask);
extern void *radix_tree_tag_set(struct radix_tree_root *root, unsigned long index, unsigned int tag);
extern void *radix_tree_tag_clear(struct radix_tree_root *root, unsigned long index, unsigned int tag);
extern int radix_tree_tag_get(const struct radix_tree_root *root, unsigned long index, unsigned int tag);
extern int radix_tree_tagged(const struct radix_tree_root *root, unsigned int tag);

static inline bool radix_tree_empty(const struct radix_tree_root *root)
{
	return xa_empty(root);
}

static inline void radix_tree_preload_end(void)
{
	preempt_enable();
}

/* Where an iteration stands: one item a step. */
struct radix_tree_iter {
	unsigned long index;
	unsigned long next_index;
	void *item;
};

static inline void **radix_tree_iter_init(struct radix_tree_iter *iter, unsigned long start)
{
	iter->next_index = start;
	return NULL;
}

static inline void **__radix_tree_iter_next(const struct radix_tree_root *root, struct radix_tree_iter *iter)
{
	iter->index = iter->next_index;
	iter->item = xa_find((struct xarray *)root, &iter->index, ULONG_MAX, XA_PRESENT);
	iter->next_index = iter->index + 1;
	return iter->item ? &iter->item : NULL;
}

#define radix_tree_deref_slot(slot) (*(slot))
#define radix_tree_for_each_slot(slot, root, iter, start) \
	for (slot = radix_tree_iter_init(iter, start), slot = __radix_tree_iter_next(root, iter); slot; \
	     slot = (iter)->next_index ? __radix_tree_iter_next(root, iter) : NULL)

static inline void radix_tree_iter_delete(struct radix_tree_root *root, struct radix_tree_iter *iter, void **slot)
{
	radix_tree_delete(root, iter->index);
}
