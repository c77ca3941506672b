// SPDX-License-Identifier: MIT
// Errors in pointers, containers of members, checks at compile time, checksums, hashes: what headers alone do.
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/crc16.h>
#include <linux/crc32.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/siphash.h>
#include <linux/stddef.h>
#include <linux/stringify.h>
#include <linux/typecheck.h>

struct inner {
	int x, y;
};

struct outer {
	char before[6];
	struct inner in;
	u16 flexible[];
};

static_assert(sizeof(struct inner) == 8);
static_assert(offsetof(struct outer, in) == 8, "padded");

static void *maybe(int error)
{
	static int fine;

	return error ? ERR_PTR(error) : &fine;
}

static void pointers(void)
{
	static const int errors[] = { 0, -1, -2, -12, -4095, -4096, 1 };
	int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		pr_cont("%d: %d %d %d; ", errors[i], IS_ERR(maybe(errors[i])), IS_ERR_OR_NULL(maybe(errors[i])),
			errors[i] ? PTR_ERR_OR_ZERO(maybe(errors[i])) : PTR_ERR_OR_ZERO(maybe(0)));
	pr_cont("NULL: %d %d\n", IS_ERR(NULL), IS_ERR_OR_NULL(NULL));
	pr_info("%ld %ld, value %d %d\n", PTR_ERR(maybe(-EINVAL)), PTR_ERR(ERR_CAST(maybe(-EIO))), IS_ERR_VALUE(-EINVAL),
		IS_ERR_VALUE(5UL));
	pr_info("%pe %pe %pe\n", maybe(-ENOSPC), maybe(-ERESTARTSYS), maybe(-3000));
	pr_info("%d %d %d %d %d %d\n", ENOTTY, EWOULDBLOCK, EDEADLOCK, ENOTSUPP, EPROBE_DEFER, ERESTARTSYS);
}

static void members(void)
{
	struct outer o = { .in = { 1, 2 } };
	int *y = &o.in.y;
	struct inner *in = container_of(y, struct inner, y);
	const struct outer *out = container_of_const((const struct inner *)in, struct outer, in);

	pr_info("found %d %d, safe %ld, offsets %zu %zu %zu\n", in == &o.in, out == &o, PTR_ERR(container_of_safe((int *)ERR_PTR(-5), struct inner, y)),
		offsetof(struct outer, in.y), offsetofend(struct outer, in), sizeof_field(struct outer, before));
	pr_info("same type %d %d, typechecked %d, arrays %zu, %s %s\n", __same_type(o.in.x, int), __same_type(o.in.x, long),
		typecheck(int, o.in.x), ARRAY_SIZE(o.before), __stringify(ENOMEM), __stringify(a b));
	pr_info("zero %d, constants %d, flexible %zu\n", BUILD_BUG_ON_ZERO(0), __builtin_constant_p(5), sizeof(o));
}

static void checksums(void)
{
	const u8 *digits = (const u8 *)"123456789";

	pr_info("crc32 %08x %08x, in parts %08x, of nothing %08x\n", crc32_le(~0, digits, 9) ^ ~0, crc32_be(~0, digits, 9),
		crc32(crc32(~0, digits, 4), digits + 4, 5) ^ ~0, crc32_le(~0, digits, 0));
	pr_info("crc32c %08x, ether %08x, crc16 %04x %04x\n", __crc32c_le(~0, digits, 9) ^ ~0, ether_crc_le(9, digits), crc16(0, digits, 9),
		crc16(0xffff, digits, 9));
	pr_info("hash %u %u %u %u\n", hash_32(1, 16), hash_64(1, 16), hash_long(0xdeadbeefUL, 10), hash32_ptr((void *)0x123456789UL));
}

static void keyed(void)
{
	static const siphash_key_t key = { { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL } };
	static const hsiphash_key_t short_key = { { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL } };
	u8 in[64];
	int i;

	for (i = 0; i < 64; i++)
		in[i] = i;
	pr_info("siphash %016llx %016llx %016llx\n", siphash(in, 0, &key), siphash(in, 8, &key), siphash(in, 63, &key));
	pr_info("words %016llx %016llx %016llx\n", siphash_1u64(0x0706050403020100ULL, &key),
		siphash_2u64(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL, &key), siphash_1u32(0x03020100, &key));
	pr_info("hsiphash %08x %08x; jhash %08x %08x %08x %08x\n", hsiphash(in, 8, &short_key), hsiphash(in, 0, &short_key),
		jhash("Four score and seven years ago", 30, 0), jhash("", 0, 0), jhash_2words(1, 2, 3),
		jhash2((u32[]){ 1, 2, 3, 4 }, 4, 0));
}

static int __init errors_init(void)
{
	pointers();
	members();
	checksums();
	keyed();
	return 0;
}
module_init(errors_init);

static void __exit errors_exit(void)
{
}
module_exit(errors_exit);
MODULE_LICENSE("GPL");
