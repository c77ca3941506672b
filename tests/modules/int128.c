// SPDX-License-Identifier: MIT
// 128-bit integers: the compiler's helpers for them are the kernel's.
#include <linux/module.h>

static volatile u64 a = 0x123456789abcdef, b = 1000003;

static noinline unsigned __int128 mul(unsigned __int128 x, unsigned __int128 y)
{
	return x * y;
}

static noinline unsigned __int128 divide(unsigned __int128 x, unsigned __int128 y)
{
	return x / y;
}

static noinline unsigned __int128 remainder(unsigned __int128 x, unsigned __int128 y)
{
	return x % y;
}

static noinline __int128 shift(__int128 x, int left, int right)
{
	return (x << left) >> right;
}

static void show(const char *what, unsigned __int128 x)
{
	pr_info("%s %016llx%016llx\n", what, (u64)(x >> 64), (u64)x);
}

static int __init int128_init(void)
{
	unsigned __int128 square = mul(a, a);

	show("square", square);
	show("quotient", divide(square, b));
	show("remainder", remainder(square, b));
	show("shifted", shift(-(__int128)a, 70, 3));
	return 0;
}

static void __exit int128_exit(void)
{
}

module_init(int128_init);
module_exit(int128_exit);
MODULE_LICENSE("GPL");
