// SPDX-License-Identifier: MIT
// Integer arithmetic: 64-bit division, roots, powers, rounding, limits, overflow checks, bit fields, byte orders.
#include <linux/bitfield.h>
#include <linux/bitrev.h>
#include <linux/gcd.h>
#include <linux/lcm.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/reciprocal_div.h>
#include <linux/sizes.h>
#include <linux/swab.h>
#include <asm/unaligned.h>

static void division(void)
{
	u64 n = 1000000000000ULL, q;
	u32 rem, r;
	s32 srem;

	r = do_div(n, 7);
	pr_info("do_div %llu rest %u", n, r);
	q = div_u64_rem(U64_MAX, 10, &rem);
	pr_cont("; div_u64_rem %llu rest %u", q, rem);
	q = div_s64_rem(-7, 2, &srem);
	pr_cont("; div_s64_rem %lld rest %d", (s64)q, srem);
	n = U64_MAX;
	q = div64_u64_rem(U64_MAX, 1ULL << 33, &n);
	pr_cont("; div64_u64_rem %llu rest %llx\n", q, n);
	pr_info("div64 %llu %lld %llu %lld %ld %lu\n", div64_u64(100, 7), div64_s64(-100, 7), div_u64(100, 7), div_s64(-100, 7),
		(long)div64_long(-100L, 7), (unsigned long)div64_ul(100UL, 7));
	pr_info("mul %llu %llu %llu %llu %llu\n", mul_u32_u32(~0u, ~0u), mul_u64_u32_shr(U64_MAX, 1000, 32),
		mul_u64_u64_shr(U64_MAX, U64_MAX, 64), mul_u64_u32_div(U64_MAX, 3, 5), mul_u64_u64_div_u64(1ULL << 62, 12, 16));
	pr_info("rounding %llu %llu %llu %lld %lld\n", DIV64_U64_ROUND_UP(10ULL, 3ULL), DIV64_U64_ROUND_CLOSEST(11ULL, 4ULL),
		(u64)DIV_U64_ROUND_CLOSEST(10ULL, 4), (s64)DIV_S64_ROUND_CLOSEST(-10LL, 4), (s64)DIV_S64_ROUND_CLOSEST(10LL, -4));
	pr_info("%d %d %d %d %llu %d %d\n", DIV_ROUND_UP(7, 2), DIV_ROUND_CLOSEST(7, 2), DIV_ROUND_CLOSEST(-7, 2), DIV_ROUND_CLOSEST(7, -2),
		DIV_ROUND_UP_ULL(10ULL, 4), roundup(10, 4), rounddown(10, 4));
	pr_info("%x %x %d %d %lu\n", round_up(0x1234, 0x100), round_down(0x1234, 0x100), abs(-5), abs((short)-7), mult_frac(1000UL, 3, 7));
}

static void roots(void)
{
	static const unsigned long of[] = { 0, 1, 2, 3, 4, 99, 100, 65535, 65536, 1UL << 62, ULONG_MAX };
	struct reciprocal_value by = reciprocal_value(7);
	int i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(of); i++)
		pr_cont("%lu ", int_sqrt(of[i]));
	pr_cont("| %u %llu %llu %llu\n", int_sqrt64(1ULL << 40), int_pow(7, 0), int_pow(10, 19), int_pow(3, 41));
	pr_info("gcd %lu %lu %lu %lu lcm %lu %lu %lu %lu\n", gcd(0, 5), gcd(12, 18), gcd(17, 5), gcd(1UL << 40, 3UL << 39), lcm(0, 5),
		lcm(4, 6), lcm_not_zero(0, 5), lcm_not_zero(4, 6));
	for (i = 0; i < 100000; i += 13)
		wrong += reciprocal_divide(i, by) != i / 7;
	pr_info("reciprocal: %d wrong, %u; scaled %u %u\n", wrong, reciprocal_divide(U32_MAX, by), reciprocal_scale(0, 10),
		reciprocal_scale(U32_MAX, 10));
	pr_info("powers %d %d %d, up %lu %lu, down %lu, ilog2 %d %d %d, order %d %d %d, bits %d %d\n", is_power_of_2(0), is_power_of_2(64),
		is_power_of_2(65), roundup_pow_of_two(65), roundup_pow_of_two(64), rounddown_pow_of_two(65), ilog2(1), ilog2(65),
		ilog2(1ULL << 63), order_base_2(0), order_base_2(8), order_base_2(9), bits_per(0), bits_per(8));
}

static void limits(void)
{
	int a = 3, b = -4;
	u8 small = 200;

	pr_info("min %d max %d min3 %d max3 %d not zero %d %d clamp %d %d %d\n", min(a, b), max(a, b), min3(a, b, 0), max3(a, b, 9),
		min_not_zero(0, 5), min_not_zero(7, 5), clamp(10, 0, 5), clamp(-1, 0, 5), clamp_t(u8, 300, 10, 20));
	swap(a, b);
	pr_info("swapped %d %d, min_t %u, clamp_val %d\n", a, b, min_t(unsigned int, -1, 7), clamp_val(small, 50, 100));
	pr_info("%d %d %u %lld %llu %d\n", INT_MIN, S16_MIN, U16_MAX, S64_MIN, U64_MAX, S8_MAX);
	pr_info("sizes %d %d %lld, upper %x lower %x\n", SZ_4K, SZ_1M, (long long)SZ_4G, upper_32_bits(0x123456789abcULL),
		lower_32_bits(0x123456789abcULL));
}

struct flexible {
	u32 n;
	u16 elements[];
};

static void overflows(void)
{
	struct flexible *f = NULL;
	int sum;
	u8 byte;
	s8 sbyte;
	size_t size;
	u32 word;

	pr_info("add %d", check_add_overflow(INT_MAX, 1, &sum));
	pr_cont(":%d", sum);
	pr_cont(" %d", check_add_overflow(1, 2, &sum));
	pr_cont(":%d sub %d", sum, check_sub_overflow(0u, 1u, &word));
	pr_cont(":%u mul %d", word, check_mul_overflow((u8)16, (u8)16, &byte));
	pr_cont(":%u", byte);
	pr_cont(" %d", check_mul_overflow((s8)-64, (s8)2, &sbyte));
	pr_cont(":%d shl %d", sbyte, check_shl_overflow(1, 31, &word));
	pr_cont(":%u", word);
	pr_cont(" %d", check_shl_overflow(1, 32, &word));
	pr_cont(":%u", word);
	pr_cont(" %d", check_shl_overflow(-1, 1, &sum));
	pr_cont(" %d\n", check_shl_overflow(1, -1, &sum));
	size = size_mul(SIZE_MAX, 2);
	pr_info("sizes %d %d %d %zu %zu\n", size == SIZE_MAX, size_add(SIZE_MAX, 1) == SIZE_MAX, size_sub(1, 2) == SIZE_MAX,
		array_size(3, 5), array3_size(2, 3, 4));
	pr_info("struct_size %zu, flex %zu, too large %d; type_max %d %u type_min %d\n", struct_size(f, elements, 10),
		flex_array_size(f, elements, 10), struct_size(f, elements, SIZE_MAX) == SIZE_MAX, type_max(s16), type_max(u16),
		type_min(s8));
}

#define LOW GENMASK(3, 0)
#define MIDDLE GENMASK(11, 4)

static void fields(void)
{
	static const u8 bytes[] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99 };
	u32 word = FIELD_PREP(LOW, 5) | FIELD_PREP(MIDDLE, 0xab);
	u8 out[8] = {};

	pr_info("fields %x: %lx %lx, fit %d %d, max %lx\n", word, FIELD_GET(LOW, word), FIELD_GET(MIDDLE, word), FIELD_FIT(LOW, 15),
		FIELD_FIT(LOW, 16), FIELD_MAX(MIDDLE));
	u32p_replace_bits(&word, 0x12, MIDDLE);
	pr_info("typed %x %x %x %llx\n", word, u32_get_bits(word, MIDDLE), u32_encode_bits(3, LOW), u64_replace_bits(~0ULL, 0, GENMASK_ULL(47, 16)));
	pr_info("swab %x %x %llx, bitrev %x %x %x\n", swab16(0x1234), swab32(0x12345678), swab64(0x123456789abcdef0ULL), bitrev8(0x01),
		bitrev16(0x0001), bitrev32(0x00000003));
	pr_info("be %x %x le %x %x; unaligned %x %x %llx %llx\n", be16_to_cpu((__force __be16)0x1234), cpu_to_be32(0x12345678),
		le16_to_cpu((__force __le16)0x1234), cpu_to_le32(0x12345678), get_unaligned_le16(bytes + 1), get_unaligned_be32(bytes + 1),
		get_unaligned_le64(bytes + 1), get_unaligned_be64(bytes + 1));
	put_unaligned_be16(0xcafe, out + 1);
	put_unaligned_le32(0x01020304, out + 3);
	put_unaligned((u8)9, out);
	pr_info("put %*ph, get %x\n", 8, out, get_unaligned((u32 *)(out + 1)));
}

static int __init arithmetic_init(void)
{
	division();
	roots();
	limits();
	overflows();
	fields();
	return 0;
}
module_init(arithmetic_init);

static void __exit arithmetic_exit(void)
{
}
module_exit(arithmetic_exit);
MODULE_LICENSE("GPL");
