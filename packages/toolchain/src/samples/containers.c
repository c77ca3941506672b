// SPDX-License-Identifier: MIT
/* Lists, trees, hash tables, arrays, rings, and the small arithmetic around them. */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/bsearch.h>
#include <linux/ctype.h>
#include <linux/hashtable.h>
#include <linux/idr.h>
#include <linux/kfifo.h>
#include <linux/kref.h>
#include <linux/list_sort.h>
#include <linux/llist.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rbtree_augmented.h>
#include <linux/rculist.h>
#include <linux/sort.h>
#include <linux/xarray.h>

struct item {
	int key;
	int subtree_max;
	struct list_head list;
	struct hlist_node hash;
	struct rb_node rb;
	struct llist_node ll;
	struct kref ref;
	struct rcu_head rcu;
};

static LIST_HEAD(items);
static LLIST_HEAD(stack);
static DEFINE_HASHTABLE(table, 4);
static struct rb_root_cached tree = RB_ROOT_CACHED;
static struct rb_root augmented = RB_ROOT;
static DEFINE_XARRAY_ALLOC(xa);
static DEFINE_IDR(idr);
static DEFINE_IDA(ida);
static RADIX_TREE(radix, GFP_KERNEL);
static DEFINE_KFIFO(fifo, int, 16);
static DECLARE_KFIFO_PTR(bytes, char);
static DECLARE_BITMAP(bits, 100);

#define ITEM_KEY(it) ((it)->key)
RB_DECLARE_CALLBACKS_MAX(static, max_callbacks, struct item, rb, int, subtree_max, ITEM_KEY)

static void item_release(struct kref *ref)
{
	struct item *it = container_of(ref, struct item, ref);

	kfree_rcu(it, rcu);
}

static bool less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct item, rb)->key < rb_entry(b, struct item, rb)->key;
}

static int compare(void *priv, const struct list_head *a, const struct list_head *b)
{
	return list_entry(a, struct item, list)->key - list_entry(b, struct item, list)->key;
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int fill(int n)
{
	struct item *it;
	int i;

	for (i = 0; i < n; i++) {
		it = kzalloc(sizeof(*it), GFP_KERNEL);
		if (!it)
			return -ENOMEM;
		it->key = get_random_u32_below(100);
		kref_init(&it->ref);
		list_add_tail(&it->list, &items);
		hash_add(table, &it->hash, it->key);
		rb_add_cached(&it->rb, &tree, less);
		llist_add(&it->ll, &stack);
	}
	list_sort(NULL, &items, compare);
	return 0;
}

static void look(void)
{
	struct item *it, *next;
	struct rb_node *node;
	unsigned long index;
	void *entry;
	int bucket, id, numbers[] = { 3, 1, 2 };
	unsigned int bit;

	hash_for_each(table, bucket, it, hash)
		pr_debug("bucket %d key %d\n", bucket, it->key);
	hash_for_each_possible(table, it, hash, 3)
		pr_cont(" %d", it->key);
	for (node = rb_first_cached(&tree); node; node = rb_next(node))
		pr_cont(" %d", rb_entry(node, struct item, rb)->key);
	rb_erase_augmented(&it->rb, &augmented, &max_callbacks);
	rb_insert_augmented(&it->rb, &augmented, &max_callbacks);
	llist_for_each_entry_safe(it, next, stack.first, ll)
		pr_cont(" %d", it->key);
	xa_for_each(&xa, index, entry)
		pr_info("%lu: %p\n", index, entry);
	idr_for_each_entry(&idr, entry, id)
		pr_info_ratelimited("%d: %p\n", id, entry);
	rcu_read_lock();
	list_for_each_entry_rcu(it, &items, list)
		pr_info_once("%d\n", it->key);
	rcu_read_unlock();
	sort(numbers, ARRAY_SIZE(numbers), sizeof(int), compare_ints, NULL);
	entry = bsearch(&numbers[1], numbers, ARRAY_SIZE(numbers), sizeof(int), compare_ints);
	bitmap_set(bits, 3, 5);
	for_each_set_bit(bit, bits, 100)
		pr_info("%u of %u\n", bit, bitmap_weight(bits, 100));
	list_for_each_entry_safe(it, next, &items, list) {
		list_del(&it->list);
		hash_del(&it->hash);
		kref_put(&it->ref, item_release);
	}
}

static int numbers(u64 big, long l, size_t size)
{
	u32 remainder = do_div(big, 10);
	int small;

	if (check_mul_overflow(remainder, 7u, &remainder) || kstrtoint("42", 0, &small))
		return -EOVERFLOW;
	BUILD_BUG_ON(min(3, 4) != 3 || roundup_pow_of_two(5) != 8 || ilog2(4096) != 12);
	BUILD_BUG_ON(DIV_ROUND_UP(10, 4) != 3 || ALIGN(5, 8) != 8 || GENMASK(7, 4) != 0xf0);
	BUILD_BUG_ON(FIELD_GET(0xf0, 0x52) != 5 || BIT(3) != 8 || sizeof(long) != 8);
	return max_t(int, clamp(l, 1L, 5L), abs(small)) + hweight32(remainder) + fls64(big) + roundup(small, 3) +
	       (int)min(size, (size_t)PAGE_SIZE) + isdigit('1') + div_u64(big, 3) + mul_u64_u64_div_u64(big, 3, 2);
}

static int __init containers_init(void)
{
	int value;
	u32 id;

	if (kfifo_alloc(&bytes, 64, GFP_KERNEL))
		return -ENOMEM;
	kfifo_in(&bytes, "ab", 2);
	kfifo_free(&bytes);
	kfifo_put(&fifo, 3);
	if (!kfifo_get(&fifo, &value) || !kfifo_is_empty(&fifo))
		return -EINVAL;
	value = xa_alloc(&xa, &id, &value, xa_limit_32b, GFP_KERNEL);
	value += idr_alloc(&idr, &value, 1, 0, GFP_KERNEL) + ida_alloc(&ida, GFP_KERNEL);
	value += radix_tree_insert(&radix, 7, &value);
	look();
	return fill(numbers(1000, 3, value));
}

module_init(containers_init);
MODULE_LICENSE("GPL");
