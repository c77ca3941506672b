// SPDX-License-Identifier: MIT
// Conversions of printk for pointers to things: addresses of networks, UUIDs, times, errors, masks, names, and wrong ones.
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/time.h>
#include <linux/types.h>
#include <linux/uuid.h>

static const u8 v4[] = { 192, 168, 1, 200 };
static const u8 v6[] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0x1b, 0x21, 0xff, 0xfe, 0x12, 0x34, 0x56 };
static const u8 zeros[16], mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1 };

static void networks(void)
{
	static const u8 mac[] = { 0x00, 0x1b, 0x21, 0xab, 0xcd, 0xef };

	pr_info("%pM %pMR %pMF %pm %pmR\n", mac, mac, mac, mac, mac);
	pr_info("%pI4 %pi4 %pI4h %pI4n %pI4b %pI4l\n", v4, v4, v4, v4, v4, v4);
	pr_info("%pI6 %pi6 %pI6c\n", v6, v6, v6);
	pr_info("%pI6c %pI6c %pI6\n", zeros, mapped, mapped);
}

static void identities(void)
{
	static const u8 id[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uuid_t uuid = UUID_INIT(0x01234567, 0x89ab, 0xcdef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10);
	guid_t guid = GUID_INIT(0x01234567, 0x89ab, 0xcdef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10);

	pr_info("%pUb %pUB %pUl %pUL %pU\n", id, id, id, id, id);
	pr_info("%pUb %pUl %*ph %*ph\n", &uuid, &guid, 16, &uuid, 16, &guid);
	pr_info("parse %d", uuid_parse("01234567-89AB-cdef-fedc-ba9876543210", &uuid));
	pr_cont(" %d", guid_parse("01234567-89AB-cdef-fedc-ba9876543210", &guid));
	pr_cont(" %pUb %pUl, wrong %d %d %d, valid %d %d\n", &uuid, &guid, uuid_parse("01234567-89AB-cdef-fedc-ba987654321", &uuid),
		uuid_parse("01234567x89AB-cdef-fedc-ba9876543210", &uuid), uuid_parse("", &uuid),
		uuid_is_valid("01234567-89ab-cdef-fedc-ba9876543210"), uuid_is_valid("0123456789abcdef"));
	uuid_gen(&uuid);
	guid_gen(&guid);
	pr_info("random: version %d %d, variant %d %d, null %d\n", uuid.b[6] >> 4, guid.b[7] >> 4, uuid.b[8] >> 6, guid.b[8] >> 6,
		uuid_is_null(&uuid));
	uuid_copy(&uuid, (const uuid_t *)zeros);
	pr_info("null %d equal %d\n", uuid_is_null(&uuid), uuid_equal(&uuid, (const uuid_t *)id));
}

static void errors(void)
{
	pr_info("%pe %pe %pe %pe %d\n", ERR_PTR(-ENOMEM), ERR_PTR(-EPROBE_DEFER), ERR_PTR(-4000), ERR_PTR(-EWOULDBLOCK), -ENOENT);
	pr_info("[%10pe] [%-10pe]\n", ERR_PTR(-EIO), ERR_PTR(-EIO));
	pr_info("%p %s %p\n", NULL, (char *)NULL, ERR_PTR(-EINVAL));
	pr_info("%s|%10s|%.2s\n", (char *)16, (char *)NULL, (char *)NULL);
}

static void bits(void)
{
	unsigned long flags;
	gfp_t gfp;

	gfp = GFP_ATOMIC | __GFP_NOWARN;
	flags = VM_READ | VM_WRITE | VM_GROWSDOWN;
	pr_info("%pGg|%pGv\n", &gfp, &flags);
	gfp = GFP_HIGHUSER_MOVABLE;
	flags = 0;
	pr_info("%pGg|%pGv\n", &gfp, &flags);
	gfp = 0;
	pr_info("%pGg\n", &gfp);
}

static void times(void)
{
	struct timespec64 ts = { 5, 42 };
	time64_t t = 1670799599, negative = -1;

	pr_info("%ptT %ptTd %ptTt %ptTdr\n", &t, &t, &t, &t);
	pr_info("%ptT; %lld.%09ld\n", &negative, (long long)ts.tv_sec, ts.tv_nsec);
}

static void resources(void)
{
	struct resource memory = { .start = 0x1000, .end = 0x1fff, .flags = IORESOURCE_MEM | IORESOURCE_PREFETCH };
	struct resource port = { .start = 0x3f8, .end = 0x3ff, .flags = IORESOURCE_IO };
	struct resource irq = { .start = 9, .end = 9, .flags = IORESOURCE_IRQ | IORESOURCE_DISABLED };
	phys_addr_t physical = 0xfee00000;
	dma_addr_t dma = 0x1234;

	pr_info("%pR %pr\n", &memory, &memory);
	pr_info("%pR %pR\n", &port, &irq);
	pr_info("%pa %pap %pad\n", &physical, &physical, &dma);
}

static void symbols(void)
{
	pr_info("%pS %ps %pSR\n", networks, networks, networks);
	pr_info("%ps %pB\n", kfree, (void *)networks + 4);
}

static void nested(const char *fmt, ...)
{
	struct va_format inner = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	inner.va = &args;
	pr_info("[%pV] [%20s] [%-6d]\n", &inner, "right", 42);
	va_end(args);
}

static void numbers(void)
{
	char text[64];
	int n;

	pr_info("[%5.3d] [%-8x] [%+05d] [%#o] [%#X] [% 5d] [%*d] [%.*s]\n", 7, 0xab, 42, 8, 0xab, 42, -6, 42, 2, "abcdef");
	pr_info("[%.0d] [%.0d] [%5c] [%-5c|] [%%] [%lu] [%hhu] [%hx]\n", 0, 1, 'a', 'b', ULONG_MAX, 511, 0x12345);
	pr_info("[%08.3d] [%-8d] [%#010x] [%+d] [%+d]\n", 7, 7, 0xbeef, 0, -0);
	n = snprintf(text, 8, "%s", "cut off here");
	pr_info("%d %s %d\n", n, text, scnprintf(text, 8, "%s", "cut off here"));
	pr_info("%zu %td\n", sizeof(text), &text[5] - text);
}

static int __init conversions_init(void)
{
	networks();
	identities();
	errors();
	bits();
	times();
	resources();
	symbols();
	nested("%s and %d", "two", 2);
	numbers();
	return 0;
}
module_init(conversions_init);

static void __exit conversions_exit(void)
{
}
module_exit(conversions_exit);
MODULE_LICENSE("GPL");
