// SPDX-License-Identifier: MIT
// sscanf: every conversion, its widths and qualifiers, sets, what does not match and what is not stored.
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

static __printf(3, 4) void numbers(const char *text, int n, const char *format, ...)
{
	struct va_format vaf = { .fmt = format };
	va_list args;

	va_start(args, format);
	vaf.va = &args;
	pr_info("'%s': %d -> %pV\n", text, n, &vaf);
	va_end(args);
}

static void integers(void)
{
	static const char *const texts[] = { "12 34", "12,34", "-12 0x1f", "  7\t8", "0x10 010", "99999999999 1", "abc", "", "-", "+5 6",
					     "5 x", "5" };
	int i, a, b, n;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		a = b = -77;
		n = sscanf(texts[i], "%d %d", &a, &b);
		pr_info("'%s': %%d %%d %d: %d %d", texts[i], n, a, b);
		a = b = -77;
		n = sscanf(texts[i], "%i%*c%i", &a, &b);
		pr_cont("; %%i%%*c%%i %d: %d %d", n, a, b);
		a = b = -77;
		n = sscanf(texts[i], "%x,%x", &a, &b);
		pr_cont("; %%x,%%x %d: %d %d\n", n, a, b);
	}
}

static void widths(void)
{
	unsigned long long ll;
	unsigned long l;
	size_t size;
	short h;
	signed char hh;
	unsigned int a, b, c;
	u8 bytes[6];

	numbers("123456", sscanf("123456", "%2d%3u%d", &a, &b, &c), "%u %u %u", a, b, c);
	numbers("ff0x10", sscanf("ff0x10", "%2x%4x", &a, &b), "%u %u", a, b);
	numbers("777 12", sscanf("777 12", "%o %3o", &a, &b), "%u %u", a, b);
	numbers("300 70000", sscanf("300 70000", "%hhd %hd", &hh, &h), "%d %d", hh, h);
	numbers("-1 -1 -1", sscanf("-1 -1 -1", "%ld %lld %zd", &l, &ll, &size), "%ld %lld %zd", l, ll, size);
	numbers("18446744073709551615", sscanf("18446744073709551615", "%llu", &ll), "%llu", ll);
	numbers("-5 as %u", sscanf("-5", "%u", &a), "%u", a);
	numbers("0xdeadBEEF", sscanf("0xdeadBEEF", "%X", &a), "%x", a);
	a = 0;
	numbers("width 1 of -7", sscanf("-7", "%1d", &a), "%d", a);
	numbers("00:1a:2B:ff:04:05", sscanf("00:1a:2B:ff:04:05", "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &bytes[0], &bytes[1], &bytes[2],
					    &bytes[3], &bytes[4], &bytes[5]), "%pM", bytes);
}

static void strings(void)
{
	char a[16] = "", b[16] = "", c[16] = "";
	int n, at, x;

	n = sscanf("  one two three", "%s %3s%s", a, b, c);
	pr_info("%d [%s] [%s] [%s]\n", n, a, b, c);
	n = sscanf("averylongwordindeed", "%5s%4s", a, b);
	pr_info("%d [%s] [%s]\n", n, a, b);
	n = sscanf("key=value;x", "%15[^=]=%15[^;];%c", a, b, c);
	pr_info("%d [%s] [%s] %c\n", n, a, b, c[0]);
	n = sscanf("abcabcXYZ", "%6[abc]%15[X-Z]", a, b);
	pr_info("%d [%s] [%s]\n", n, a, b);
	n = sscanf("]x", "%3[]]%s", a, b);
	pr_info("a bracket in a set: %d\n", n);
	n = sscanf("xyz", "%3[abc]%s", a, b);
	pr_info("no match: %d\n", n);
	n = sscanf("xyz", "%[a-z]", a);
	pr_info("a set without a width: %d\n", n);
	memset(a, '-', sizeof(a) - 1);
	n = sscanf("hello", "%3c%c", a, b);
	pr_info("%%3c: %d [%.5s] %c\n", n, a, b[0]);
	n = sscanf(" x", "%c%c", a, b);
	pr_info("%%c takes spaces: %d [%c] [%c]\n", n, a[0], b[0]);
	n = sscanf("12 apples 3", "%d %*s %d%n", &x, &at, &n);
	pr_info("skipped: %d %d\n", x, at);
	n = sscanf("abc 7", "%*s %d%n", &x, &at);
	pr_info("%%n: %d at %d\n", n, at);
	n = sscanf("50% of 7", "%d%% of %d", &x, &at);
	pr_info("percent: %d %d %d\n", n, x, at);
	n = sscanf("a 1", "b %d", &x);
	pr_info("literal that differs: %d\n", n);
	n = sscanf("", "%s", a);
	pr_info("nothing: %d\n", n);
	n = sscanf("   ", "%d", &x);
	pr_info("blanks: %d\n", n);
	n = sscanf("1 2", "%d %d %s", &x, &at, a);
	pr_info("short of one: %d %d %d\n", n, x, at);
	n = sscanf("3.14", "%d.%d", &x, &at);
	pr_info("pi: %d %d %d\n", n, x, at);
	n = sscanf("7", "%f", a);
	pr_info("no floating point: %d\n", n);
}

static int __init scanning_init(void)
{
	integers();
	widths();
	strings();
	return 0;
}
module_init(scanning_init);

static void __exit scanning_exit(void)
{
}
module_exit(scanning_exit);
MODULE_LICENSE("GPL");
