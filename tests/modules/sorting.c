// SPDX-License-Identifier: MIT
// Sorting arrays and lists, searching in sorted arrays; numbers that only have a shape: random ones.
#include <linux/bsearch.h>
#include <linux/list_sort.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sort.h>

static int swaps;

static int up(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static int down(const void *a, const void *b, const void *factor)
{
	return (*(const int *)b - *(const int *)a) * *(const int *)factor;
}

static void swap_ints(void *a, void *b, int size)
{
	swaps++;
	swap(*(int *)a, *(int *)b);
}

static void swap_ints_r(void *a, void *b, int size, const void *priv)
{
	swap_ints(a, b, size);
}

static void show(const char *what, const int *numbers, int n)
{
	pr_info("%s:", what);
	while (n-- > 0)
		pr_cont(" %d", *numbers++);
	pr_cont("\n");
}

static int text_order(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

struct odd {
	char bytes[5];
};

static int odd_order(const void *a, const void *b)
{
	return memcmp(a, b, 1);
}

static void arrays(void)
{
	int numbers[] = { 5, INT_MIN, 3, 3, -7, INT_MAX, 0 }, one = 1, minus = -1, key, *found;
	static const char *const words[] = { "ant", "bee", "cat", "dog" };
	struct odd odds[] = { { "d-4-" }, { "a-1-" }, { "c-3-" }, { "b-2-" } };
	u64 wide[] = { 1ULL << 40, 3, 1ULL << 50, 2 };
	int i, *many;

	sort(numbers, 0, sizeof(int), up, NULL);
	sort(numbers, 1, sizeof(int), up, NULL);
	show("as they were", numbers, 7);
	sort(numbers, 7, sizeof(int), up, NULL);
	show("up", numbers, 7);
	numbers[0] = -100;
	numbers[6] = 100;
	sort_r(numbers, 7, sizeof(int), down, NULL, &one);
	show("down", numbers, 7);
	sort_r(numbers, 7, sizeof(int), down, swap_ints_r, &minus);
	show("up again", numbers, 7);
	swaps = 0;
	sort(numbers, 7, sizeof(int), up, swap_ints);
	pr_info("swapped by us: %d\n", swaps > 0);
	sort(odds, 4, sizeof(struct odd), odd_order, NULL);
	for (i = 0; i < 4; i++)
		pr_cont("%s ", odds[i].bytes);
	pr_cont("\n");
	sort(wide, 4, sizeof(u64), up, NULL);
	pr_info("by their low halves: first two 0: %d, then %llu %llu\n", (u32)wide[0] == 0 && (u32)wide[1] == 0, wide[2],
		wide[3]);
	for (key = -101; key <= 100; key += 67) {
		found = bsearch(&key, numbers, 7, sizeof(int), up);
		pr_cont("%d at %td ", key, found ? found - numbers : -1);
	}
	pr_cont("none in none: %d\n", bsearch(&key, numbers, 0, sizeof(int), up) == NULL);
	pr_info("cat at %td, cow %d\n", (const char **)bsearch("cat", words, 4, sizeof(*words), text_order) - (const char **)words,
		bsearch("cow", words, 4, sizeof(*words), text_order) == NULL);
	many = kmalloc_array(1000, sizeof(int), GFP_KERNEL);
	if (!many)
		return;
	for (i = 0; i < 1000; i++)
		many[i] = i * 7919 % 1000;
	sort(many, 1000, sizeof(int), up, NULL);
	for (i = 0; i < 1000 && many[i] == i; i++)
		;
	pr_info("%d in their places\n", i);
	kfree(many);
}

struct card {
	int value, order;
	struct list_head node;
};

static int by_value(void *calls, const struct list_head *a, const struct list_head *b)
{
	++*(int *)calls;
	return list_entry(a, struct card, node)->value > list_entry(b, struct card, node)->value;
}

static void lists(void)
{
	static const int values[] = { 3, 1, 2, 3, 1, 2, 0, 3 };
	struct card cards[ARRAY_SIZE(values)], *card;
	int i, calls = 0;
	LIST_HEAD(list);

	list_sort(&calls, &list, by_value);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		cards[i].value = values[i];
		cards[i].order = i;
		list_add_tail(&cards[i].node, &list);
		list_sort(&calls, &list, by_value);
	}
	list_for_each_entry(card, &list, node)
		pr_cont("%d(%d) ", card->value, card->order);
	pr_cont("| ");
	list_for_each_entry_reverse(card, &list, node)
		pr_cont("%d ", card->value);
	pr_cont("compared %d\n", calls > 0);
}

static void chance(void)
{
	struct rnd_state state, same;
	u8 bytes[40] = {};
	u32 a, b, buckets[6] = {};
	u64 wide;
	int i;

	get_random_bytes(bytes, 37);
	pr_info("past the end untouched: %d, something there: %d\n", bytes[37] + bytes[38] + bytes[39] == 0,
		memchr_inv(bytes, 0, 37) != NULL);
	a = get_random_u32();
	b = get_random_u32();
	wide = get_random_u64();
	pr_info("different %d, wide %d, long %d\n", a != b, (wide >> 32) != 0, get_random_long() != wide);
	for (i = 0; i < 6000; i++)
		buckets[prandom_u32_max(6)]++;
	for (i = 0; i < 6; i++)
		if (buckets[i] < 800 || buckets[i] > 1200)
			pr_info("bucket %d: %u\n", i, buckets[i]);
	pr_info("below 1: %u, initialized %d, waited %d\n", prandom_u32_max(1), rng_is_initialized(), wait_for_random_bytes());
	add_device_randomness(bytes, sizeof(bytes));
	prandom_seed_state(&state, 12345);
	prandom_seed_state(&same, 12345);
	a = prandom_u32_state(&state);
	b = prandom_u32_state(&state);
	pr_info("%u %u same %d %d\n", a, b, a == prandom_u32_state(&same), b == prandom_u32_state(&same));
	prandom_bytes_state(&state, bytes, 7);
	pr_info("%*ph next %u\n", 7, bytes, next_pseudo_random32(1));
}

static int __init sorting_init(void)
{
	arrays();
	lists();
	chance();
	return 0;
}
module_init(sorting_init);

static void __exit sorting_exit(void)
{
}
module_exit(sorting_exit);
MODULE_LICENSE("GPL");
