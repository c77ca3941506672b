// SPDX-License-Identifier: MIT
// XArrays: storing, searching, marks, allocation of indices, and what is refused. Radix trees, idr and ida.
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/radix-tree.h>
#include <linux/slab.h>
#include <linux/xarray.h>

static DEFINE_XARRAY(array);
static DEFINE_XARRAY_ALLOC(ids);
static DEFINE_XARRAY_ALLOC1(ids1);
static DEFINE_IDR(idr);
static DEFINE_IDA(ida);
static RADIX_TREE(tree, GFP_KERNEL);

static unsigned long value(void *entry)
{
	return xa_is_value(entry) ? xa_to_value(entry) : 0;
}

static void show(const char *what, xa_mark_t filter)
{
	unsigned long index;
	void *entry;

	pr_info("%s:", what);
	if (filter == XA_PRESENT)
		xa_for_each(&array, index, entry)
			pr_cont(" %lx=%lu", index, value(entry));
	else
		xa_for_each_marked(&array, index, entry, filter)
			pr_cont(" %lx=%lu", index, value(entry));
	pr_cont("\n");
}

static void plain(void)
{
	static const unsigned long at[] = { 0, 5, 63, 64, 4096, 1UL << 40, ULONG_MAX };
	void *taken[3];
	int i, object;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		xa_store(&array, at[i], xa_mk_value(i + 1), GFP_KERNEL);
	show("stored", XA_PRESENT);
	xa_set_mark(&array, 64, XA_MARK_1);
	xa_set_mark(&array, ULONG_MAX, XA_MARK_1);
	xa_set_mark(&array, 65, XA_MARK_1); /* nothing there */
	show("marked", XA_MARK_1);
	pr_info("mark of 64: %d, of 65: %d, of 5: %d\n", xa_get_mark(&array, 64, XA_MARK_1),
		xa_get_mark(&array, 65, XA_MARK_1), xa_get_mark(&array, 5, XA_MARK_1));
	pr_info("old: %lu, ", value(xa_store(&array, 5, xa_mk_value(50), GFP_KERNEL)));
	pr_cont("erased: %lu, then: %p\n", value(xa_erase(&array, 64)), xa_load(&array, 64));
	show("marked", XA_MARK_1);
	pr_info("insert: %d %d\n", xa_insert(&array, 5, &object, GFP_KERNEL), xa_insert(&array, 6, &object, GFP_KERNEL));
	pr_info("a pointer: %d\n", xa_load(&array, 6) == &object);
	pr_info("cmpxchg: %lu", value(xa_cmpxchg(&array, 5, xa_mk_value(50), xa_mk_value(51), GFP_KERNEL)));
	pr_cont(" %lu", value(xa_cmpxchg(&array, 5, xa_mk_value(50), xa_mk_value(52), GFP_KERNEL)));
	pr_cont(" %lu\n", value(xa_load(&array, 5)));
	pr_info("reserve: %d, ", xa_reserve(&array, 7, GFP_KERNEL));
	pr_cont("load: %p, insert: %d, ", xa_load(&array, 7), xa_insert(&array, 7, &object, GFP_KERNEL));
	xa_release(&array, 7);
	pr_cont("released, insert: %d\n", xa_insert(&array, 7, &object, GFP_KERNEL));
	pr_info("a large value: %lx\n", value(xa_store(&array, 8, xa_mk_value(LONG_MAX), GFP_KERNEL)));
	pr_info("and back: %lx\n", value(xa_load(&array, 8)));
	pr_info("extract: %u", xa_extract(&array, taken, 4096, ULONG_MAX, 3, XA_PRESENT));
	pr_cont(" %lu %lu %lu\n", value(taken[0]), value(taken[1]), value(taken[2]));
	pr_info("refused: %d\n", xa_err(xa_store(&array, 1, xa_mk_internal(5), GFP_KERNEL)));
	xa_destroy(&array);
	pr_info("empty: %d\n", xa_empty(&array));
}

static void allocate(void)
{
	struct xa_limit small = XA_LIMIT(10, 12);
	u32 id, next = 11;
	int i, err;

	for (i = 0; i < 4; i++) {
		err = xa_alloc(&ids, &id, xa_mk_value(i), small, GFP_KERNEL);
		pr_cont("%d:%u ", err, err ? 0 : id);
	}
	xa_erase(&ids, 11);
	err = xa_alloc(&ids, &id, NULL, small, GFP_KERNEL);
	pr_cont("| %d:%u %p | ", err, id, xa_load(&ids, 11));
	for (i = 0; i < 3; i++) {
		xa_erase(&ids, 10 + i);
		err = xa_alloc_cyclic(&ids, &id, xa_mk_value(i), small, &next, GFP_KERNEL);
		pr_cont("%d:%u ", err, err < 0 ? 0 : id);
	}
	err = xa_alloc(&ids1, &id, xa_mk_value(1), xa_limit_32b, GFP_KERNEL);
	pr_cont("| from one: %d:%u\n", err, id);
	for (i = 0; i < 200; i++)
		if (xa_alloc(&ids1, &id, xa_mk_value(i), xa_limit_32b, GFP_KERNEL) || id != i + 2)
			pr_err("id %u instead of %d\n", id, i + 2);
	pr_info("refused where nothing is tracked: %d\n", xa_alloc(&array, &id, NULL, small, GFP_KERNEL));
	xa_destroy(&ids);
	xa_destroy(&ids1);
}

static int visit(int id, void *p, void *data)
{
	pr_cont("%d%s ", id, p == data ? "*" : "");
	return id == 103 ? 7 : 0;
}

static void numbers(void)
{
	int a, b, id, result;
	void *p;

	pr_info("idr: %d %d %d ", idr_alloc(&idr, &a, 100, 0, GFP_KERNEL), idr_alloc(&idr, &b, 100, 0, GFP_KERNEL),
		idr_alloc(&idr, NULL, 100, 103, GFP_KERNEL));
	pr_cont("%d %d\n", idr_alloc(&idr, &a, 100, 103, GFP_KERNEL), idr_alloc(&idr, &a, -1, 0, GFP_KERNEL));
	pr_info("find: %d %d %d\n", idr_find(&idr, 100) == &a, idr_find(&idr, 102) == NULL, idr_find(&idr, 7) == NULL);
	pr_info("replace: %d, missing: %ld\n", idr_replace(&idr, &b, 100) == &a, PTR_ERR(idr_replace(&idr, &b, 7)));
	idr_for_each_entry(&idr, p, id)
		pr_cont("%d ", id);
	pr_cont("\n");
	idr_alloc(&idr, &a, 103, 104, GFP_KERNEL);
	idr_alloc(&idr, &a, 104, 105, GFP_KERNEL);
	result = idr_for_each(&idr, visit, &b);
	pr_cont("-> %d\n", result);
	pr_info("remove: %d ", idr_remove(&idr, 100) == &b);
	pr_cont("cyclic: %d", idr_alloc_cyclic(&idr, &a, 100, 0, GFP_KERNEL));
	idr_remove(&idr, 100);
	pr_cont(" %d\n", idr_alloc_cyclic(&idr, &a, 100, 0, GFP_KERNEL));
	idr_destroy(&idr);
	pr_info("empty: %d\n", idr_is_empty(&idr));

	pr_info("ida: %d %d %d", ida_alloc(&ida, GFP_KERNEL), ida_alloc_min(&ida, 5, GFP_KERNEL),
		ida_alloc_range(&ida, 5, 5, GFP_KERNEL));
	ida_free(&ida, 0);
	pr_cont(" %d\n", ida_alloc(&ida, GFP_KERNEL));
	ida_destroy(&ida);
}

static void radix(void)
{
	struct radix_tree_iter iter;
	void *found[4], **slot;
	int items[3], i;

	for (i = 0; i < 3; i++)
		pr_cont("%d ", radix_tree_insert(&tree, 1000 * i, &items[i]));
	pr_cont("%d\n", radix_tree_insert(&tree, 1000, &items[0]));
	pr_info("lookup: %d, gang: %u\n", radix_tree_lookup(&tree, 2000) == &items[2],
		radix_tree_gang_lookup(&tree, found, 1, 4));
	radix_tree_tag_set(&tree, 2000, 0);
	pr_info("tagged: %u %d\n", radix_tree_gang_lookup_tag(&tree, found, 0, 4, 0), found[0] == &items[2]);
	radix_tree_for_each_slot(slot, &tree, &iter, 0) {
		pr_cont("%lu ", iter.index);
		radix_tree_iter_delete(&tree, &iter, slot);
	}
	pr_cont("empty: %d\n", radix_tree_empty(&tree));
}

static int __init xarrays_init(void)
{
	plain();
	allocate();
	numbers();
	radix();
	return 0;
}
module_init(xarrays_init);

static void __exit xarrays_exit(void)
{
}
module_exit(xarrays_exit);
MODULE_LICENSE("GPL");
