// SPDX-License-Identifier: MIT
// Bit maps: setting, searching, combining, shifting, areas and regions, their two texts; single bits and words.
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/slab.h>

#define N 130

static DECLARE_BITMAP(a, N);
static DECLARE_BITMAP(b, N);
static DECLARE_BITMAP(c, N);

#define show(what, map) pr_info("%-12s %*pbl (%*pb)\n", what, N, map, N, map)

static void setting(void)
{
	bitmap_zero(a, N);
	pr_info("empty %d full %d weight %d\n", bitmap_empty(a, N), bitmap_full(a, N), bitmap_weight(a, N));
	show("zero", a);
	bitmap_fill(a, N);
	pr_info("empty %d full %d weight %d\n", bitmap_empty(a, N), bitmap_full(a, N), bitmap_weight(a, N));
	bitmap_clear(a, 1, 62);
	show("clear 1,62", a);
	bitmap_clear(a, 64, 66);
	bitmap_set(a, 60, 8);
	bitmap_set(a, 129, 1);
	bitmap_set(a, 100, 0);
	show("set 60,8", a);
	bitmap_copy(b, a, N);
	pr_info("equal %d, of 64 bits %d\n", bitmap_equal(a, b, N), bitmap_equal(a, c, 0));
	set_bit(2, b);
	clear_bit(0, b);
	change_bit(129, b);
	__change_bit(128, b);
	pr_info("equal %d; test %d %d\n", bitmap_equal(a, b, N), test_bit(2, b), test_bit(3, b));
	pr_info("test_and_set %d", test_and_set_bit(3, b));
	pr_cont(" %d, clear", __test_and_set_bit(3, b));
	pr_cont(" %d", test_and_clear_bit(3, b));
	pr_cont(" %d, change", __test_and_clear_bit(3, b));
	pr_cont(" %d", test_and_change_bit(3, b));
	pr_cont(" %d\n", __test_and_change_bit(3, b));
	assign_bit(7, b, true);
	assign_bit(2, b, false);
	show("b", b);
}

static void combining(void)
{
	pr_info("and: %d\n", bitmap_and(c, a, b, N));
	show("a and b", c);
	bitmap_or(c, a, b, N);
	show("a or b", c);
	bitmap_xor(c, a, b, N);
	show("a xor b", c);
	pr_info("andnot: %d\n", bitmap_andnot(c, a, b, N));
	show("a andnot b", c);
	pr_info("andnot itself: %d\n", bitmap_andnot(c, a, a, N));
	bitmap_complement(c, a, N);
	pr_info("complement: weight %d of %d\n", bitmap_weight(c, N), N);
	pr_info("intersects %d %d, subset %d %d\n", bitmap_intersects(a, b, N), bitmap_intersects(a, c, N),
		bitmap_subset(a, a, N), bitmap_subset(a, b, N));
	bitmap_shift_left(c, a, 62, N);
	show("a << 62", c);
	bitmap_shift_right(c, a, 61, N);
	show("a >> 61", c);
	bitmap_replace(c, a, b, a, N);
	show("replace", c);
	bitmap_cut(c, a, 61, 3, N);
	show("cut 61,3", c);
	pr_info("or_equal %d %d\n", bitmap_or_equal(a, b, c, N), bitmap_or_equal(a, a, a, N));
}

static void searching(void)
{
	unsigned long bit, end;

	pr_info("first %lu %lu, last %lu, next %lu %lu, zero %lu\n", find_first_bit(a, N), find_first_zero_bit(a, N),
		find_last_bit(a, N), find_next_bit(a, N, 61), find_next_bit(a, N, 68), find_next_zero_bit(a, N, 60));
	pr_info("none: %lu %lu %lu\n", find_next_bit(a, 60, 1), find_next_bit(a, N, N), find_next_zero_bit(a, 66, 60));
	pr_info("in both %lu %lu, in the first only %lu\n", find_first_and_bit(a, b, N), find_next_and_bit(a, b, N, 61),
		find_next_andnot_bit(a, b, N, 1));
	pr_info("the 0th %lu, 3rd %lu, 99th %lu\n", find_nth_bit(a, N, 0), find_nth_bit(a, N, 3),
		find_nth_bit(a, N, 99));
	pr_info("wrapped: %lu %lu\n", find_next_bit_wrap(a, N - 1, 70), find_next_and_bit_wrap(a, b, N, 67));
	for_each_set_bit(bit, a, N)
		pr_cont("%lu ", bit);
	pr_cont("| ");
	bit = 62;
	for_each_set_bit_from(bit, a, N)
		pr_cont("%lu ", bit);
	pr_cont("| ");
	for_each_clear_bit(bit, a, 5)
		pr_cont("%lu ", bit);
	pr_cont("| ");
	for_each_and_bit(bit, a, b, N)
		pr_cont("%lu ", bit);
	pr_cont("| ");
	for_each_andnot_bit(bit, a, b, N)
		pr_cont("%lu ", bit);
	pr_cont("| ");
	for_each_set_bit_wrap(bit, a, N, 65)
		pr_cont("%lu ", bit);
	pr_cont("| ");
	for_each_set_bitrange(bit, end, a, N)
		pr_cont("[%lu,%lu) ", bit, end);
	pr_cont("| ");
	for_each_clear_bitrange(bit, end, a, N)
		pr_cont("[%lu,%lu) ", bit, end);
	pr_cont("\n");
}

static void regions(void)
{
	int first, second;

	bitmap_zero(c, N);
	first = bitmap_find_free_region(c, 64, 2);
	second = bitmap_find_free_region(c, 64, 4);
	pr_info("free regions %d %d, too large %d\n", first, second, bitmap_find_free_region(c, 64, 6));
	pr_info("allocate %d", bitmap_allocate_region(c, 8, 3));
	pr_cont(" %d\n", bitmap_allocate_region(c, 12, 2));
	show("regions", c);
	bitmap_release_region(c, second, 4);
	show("released", c);
	pr_info("area of 5: %lu, at a multiple of 8: %lu, with offset 3: %lu, of 200: %d\n",
		bitmap_find_next_zero_area(c, N, 0, 5, 0), bitmap_find_next_zero_area(c, N, 0, 5, 7),
		bitmap_find_next_zero_area_off(c, N, 0, 5, 7, 3),
		bitmap_find_next_zero_area(c, N, 0, 200, 0) >= N);
}

static void parsing(void)
{
	static const char *const lists[] = {
		"", " ", "0", "0-3,8", "16-31:2/4", "129", "130", "3-1", "1-", "a", "1,,2", "0-3-5", "all", "N", "5-N",
		"0-10:3/2", "0-10:0/2", "1,5 7", "1\n", "99999999999", "-1",
	};
	static const char *const masks[] = { "", "f", "1,00000001", "3,ffffffff,00000001", "7,0,0,0,0", "1,,2", "123456789", "g",
					     "ff 1", "0,0,0,0,1" };
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	int i, status;

	if (!page)
		return;
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		bitmap_zero(c, N);
		status = bitmap_parselist(lists[i], c, N);
		pr_info("list '%s': %d", lists[i][0] == '1' && lists[i][1] == '\n' ? "1\\n" : lists[i], status);
		pr_cont(" %*pbl\n", status ? 0 : N, c);
	}
	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		bitmap_zero(c, N);
		status = bitmap_parse(masks[i], strlen(masks[i]), c, N);
		pr_info("mask '%s': %d %*pbl\n", masks[i], status, status ? 0 : N, c);
	}
	pr_info("%d", bitmap_print_to_pagebuf(true, page, a, N));
	pr_cont(" %s", page);
	pr_info("%d", bitmap_print_to_pagebuf(false, page, a, 33));
	pr_cont(" %s", page);
	pr_info("%*pb|%*pbl|%*pb|%*pbl\n", 0, a, 0, a, 5, a, 5, a);
	free_page((unsigned long)page);
}

static void words(void)
{
	u32 array[3] = { 0x80000001, 0, 5 }, back[3];
	unsigned long *heap = bitmap_zalloc(N, GFP_KERNEL), old[BITS_TO_LONGS(64)] = { 0x6 }, new[BITS_TO_LONGS(64)] = { 0x30 };

	bitmap_from_arr32(c, array, 70);
	show("from_arr32", c);
	bitmap_to_arr32(back, c, 70);
	pr_info("%x %x %x\n", back[0], back[1], back[2]);
	bitmap_from_u64(c, 0x100000002ULL);
	pr_info("%*pbl value8 %lx", 64, c, bitmap_get_value8(c, 32));
	bitmap_set_value8(c, 0xa5, 56);
	pr_cont(" %*pbl\n", 64, c);
	pr_info("longs %lu, first mask %lx, last mask %lx, heap empty %d\n", BITS_TO_LONGS(N), BITMAP_FIRST_WORD_MASK(68),
		BITMAP_LAST_WORD_MASK(68), bitmap_empty(heap, N));
	pr_info("bitremap: 1 -> %d, 2 -> %d, 9 -> %d\n", bitmap_bitremap(1, old, new, 64), bitmap_bitremap(2, old, new, 64),
		bitmap_bitremap(9, old, new, 64));
	bitmap_free(heap);
	pr_info("ffs %d %d, fls %d %d, __ffs %lu, __fls %lu, ffz %lu, fls64 %d, fls_long %u\n", ffs(0), ffs(0x80000000), fls(0),
		fls(-1), __ffs(1UL << 40), __fls(3UL << 40), ffz(0xffUL), fls64(1ULL << 63), fls_long(0));
	pr_info("hweight %u %u %u %lu; order %d %d; assign %lx\n", (unsigned int)hweight8(0x1ff), hweight16(0xf0f0), hweight32(~0),
		(unsigned long)hweight64(~0ULL), get_count_order(9), get_count_order(8), GENMASK(11, 4));
	pr_info("rol %x %x %x %llx ror %x sign %d %lld\n", rol8(0x81, 1), rol16(0x8001, 4), rol32(0x80000001, 8),
		rol64(1ULL << 63, 1), ror32(1, 1), sign_extend32(0xfff, 11), sign_extend64(0x7f, 6));
}

static int __init bitmaps_init(void)
{
	setting();
	combining();
	searching();
	regions();
	parsing();
	words();
	return 0;
}
module_init(bitmaps_init);

static void __exit bitmaps_exit(void)
{
}
module_exit(bitmaps_exit);
MODULE_LICENSE("GPL");
