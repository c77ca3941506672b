// SPDX-License-Identifier: MIT
// Bit maps, sorting and searching, checksums, hexadecimal, UUIDs, random numbers.
#include <linux/bitmap.h>
#include <linux/bsearch.h>
#include <linux/crc32.h>
#include <linux/hex.h>
#include <linux/list_sort.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sort.h>
#include <linux/uuid.h>

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

struct item {
	int value;
	struct list_head node;
};

static int by_item(void *priv, const struct list_head *a, const struct list_head *b)
{
	return list_entry(a, struct item, node)->value > list_entry(b, struct item, node)->value;
}

static int __init library_init(void)
{
	int numbers[] = { 5, -3, 9, 0, 7, 7, 1 };
	int key = 9, *found, bit;
	struct item items[] = { { 3 }, { 1 }, { 2 } }, *item;
	LIST_HEAD(list);
	DECLARE_BITMAP(map, 100);
	char text[40];
	u8 bytes[4] = { 0xde, 0xad, 0xbe, 0xef };
	uuid_t id;
	int i;

	sort(numbers, ARRAY_SIZE(numbers), sizeof(int), by_value, NULL);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		pr_cont("%d ", numbers[i]);
	pr_cont("\n");
	found = bsearch(&key, numbers, ARRAY_SIZE(numbers), sizeof(int), by_value);
	pr_info("9 is at %td\n", found - numbers);

	for (i = 0; i < ARRAY_SIZE(items); i++)
		list_add_tail(&items[i].node, &list);
	list_sort(NULL, &list, by_item);
	list_for_each_entry(item, &list, node)
		pr_info("item %d\n", item->value);

	bitmap_zero(map, 100);
	bitmap_set(map, 10, 5);
	__set_bit(99, map);
	pr_info("%*pbl weight %d\n", 100, map, bitmap_weight(map, 100));
	for_each_set_bit(bit, map, 100)
		pr_cont("%d ", bit);
	pr_cont("\n");
	pr_info("%d", bitmap_parselist("0-2,64", map, 100));
	pr_cont(" %*pb\n", 100, map);

	*bin2hex(text, bytes, 4) = 0;
	pr_info("%s %d %d\n", text, hex2bin(bytes, "0102", 2), hex_to_bin('z'));
	pr_info("%08x\n", crc32_le(~0, (const u8 *)"123456789", 9) ^ ~0);
	pr_info("%d", uuid_parse("00112233-4455-6677-8899-aabbccddeeff", &id));
	pr_cont(" %pU\n", &id);
	pr_info("dice within bounds: %d\n", get_random_u32_below(6) < 6);
	print_hex_dump(KERN_INFO, "dump ", DUMP_PREFIX_OFFSET, 16, 4, "0123456789abcdefXYZ!", 20, true);
	return 0;
}
module_init(library_init);

static void __exit library_exit(void)
{
}
module_exit(library_exit);
MODULE_LICENSE("GPL");
