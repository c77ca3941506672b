// SPDX-License-Identifier: MIT
// The conversions of printk.
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/mm.h>

static void message(const char *format, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, format);
	vaf.fmt = format;
	vaf.va = &args;
	pr_info("<%pV>\n", &vaf);
	va_end(args);
}

static int __init formats_init(void)
{
	static const unsigned char bytes[] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x42 };
	phys_addr_t physical = 0x1000;
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO;
	char text[32];
	int n;

	pr_info("%d %i %u %x %X %o %c %s %%\n", -1, 2, 3u, 0xbeef, 0xBEEF, 8, 'c', "text");
	pr_info("%hhd %hd %ld %lld %zu %zd %td\n", 300, 70000, -1L, -1LL, sizeof(long), (ssize_t)-5, text - text);
	pr_info("[%5d] [%-5d] [%05d] [%+d] [% d] [%#x] [%.3s] [%*d] [%-*s]\n", 42, 42, 42, 42, 42, 42, "abcdef", 4, 7,
		4, "x");
	pr_info("%llu %llx\n", ~0ULL, 1ULL << 63);
	pr_info("%s %s\n", (char *)NULL, (char *)8);
	pr_info("%p %px\n", NULL, (void *)0xffff888000001000);
	pr_info("hashed alike: %d\n", ({
		char a[20], b[20];
		snprintf(a, sizeof(a), "%p", text);
		snprintf(b, sizeof(b), "%p", text);
		!strcmp(a, b) && strncmp(a, "00000000", 8) == 0;
	}));
	pr_info("%ps %pe %pe\n", formats_init, ERR_PTR(-ENOMEM), ERR_PTR(-EPROBE_DEFER));
	pr_info("%*ph|%*phC|%*phN\n", 4, bytes, 4, bytes, 4, bytes);
	pr_info("%pM %pI4 %pI6 %pI6c %pUb\n", bytes, bytes, bytes, bytes, bytes);
	pr_info("%pa %pGg\n", &physical, &gfp);
	pr_info("%*pE\n", 5, "a\nb\0c");
	message("%s is %d", "answer", 42);
	n = snprintf(text, 8, "%s", "truncated");
	pr_info("%d %s\n", n, text);
	pr_info("%d\n", scnprintf(text, 8, "%s", "truncated"));
	pr_info("two\nlines\n");
	pr_info("one");
	pr_cont(" and");
	pr_cont(" more\n");
	return 0;
}
module_init(formats_init);

static void __exit formats_exit(void)
{
}
module_exit(formats_exit);
MODULE_LICENSE("GPL");
