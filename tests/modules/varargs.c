// SPDX-License-Identifier: MIT
// Arguments of other sizes than their conversions say: printed as on x86-64, where each takes eight bytes.
// then: cat /proc/varargs
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#define SIZED(what, n) pr_info("%d " what " %d, then %s\n", sizeof(what), (n), "text")
#define TELL(...) printk(KERN_INFO __VA_ARGS__)
#define WHEN(condition, call) do { if (condition) call; } while (0)
#define BYTES sizeof(struct list_head)
#define PAIR "%d and %d\n"

static const char *const constant = "constant %d, %d\n";

static long big = 0x100000005;
static int small = -2, order = 3;
static unsigned int positive = 4000000000;
static char text[64];

static __printf(1, 2) void own(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}

static __printf(2, 3) int pick(int which, const char *fmt, ...)
{
	va_list ap;
	int value = 0;

	va_start(ap, fmt);
	while (which-- >= 0)
		value = va_arg(ap, int);
	va_end(ap);
	return value;
}

/* A long where an int is expected: its lower half. */
static void narrow(void)
{
	pr_info("size %d, order %d\n", sizeof(struct list_head), order);
	pr_info("%d %d %u %x %c %hd %hhd %s\n", big, order, big, big + 10, big + 60, big << 12, big + 256, "last");
	pr_info("width %*d|%-*d|%.*s|%s\n", big, order, big, order, big, "precise", "last");
	printk(KERN_INFO PAIR, BYTES, BYTES + order);
	TELL("%d, %d, %s\n", big, order, "last");
	SIZED("ab", order);
	SIZED("abcd", big);
	SIZED("abcdef", order);
	pr_info("%d of a pointer, %d\n", (char *)big, order);
}

/* An int where a long is expected: the upper half is 0, as in a register that an int was moved to. */
static void wide(void)
{
	pr_info("%ld %d\n", order, order);
	pr_info("%ld %lu %lx %lld %zu %d\n", small, small, small, small, small, small);
	pr_info("%lu %llx %ld\n", positive, positive, positive);
	pr_info("%s %s %d\n", 0, "text", order);
	pr_info("%px %d\n", order, order);
}

/* Calls of all kinds. */
static void kinds(struct device *dev)
{
	dev_info(dev, "%d, %d\n", big + 1, order);
	own(KERN_INFO "own: %d, %d\n", big, order);
	own(constant, big, order);
	pr_info("picked %d\n", pick(1, "%d %d", big, order));
	snprintf(text, sizeof(text), "%d, %d", max(big, 2L), order);
	pr_info("%s\n", text);
	pr_info("%d and %d\n", big,
		snprintf(text, sizeof(text), "%d-%d", big, order));
	pr_info("%d, %d, %s\n",
		/* (a comment, with commas) */
		sizeof(struct { int a, b; }),
		order,
		"on lines of their own"
	);
	WHEN(order,
	     pr_info("%d, %d inside of a macro\n", big,
		     order));
	pr_info("%d", big), pr_cont(" %d, %d\n", big, order);
	pr_info_once("%d, %d once\n", big, order);
	pr_info_ratelimited("%d, %d at times\n", big, order);
	WHEN(!order, pr_info("%d, %d never\n", big, order));
}

/* More arguments than conversions are dropped. */
static void surplus(void)
{
	pr_info("one %d\n", order, big, "more");
	pr_info("none\n", big);
}

static int show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d, %d\n", big, order);
	seq_printf(m, "%5d|%-5d|%05d|%ld|%s\n", big, big, big, order, "last");
	return 0;
}

static int __init varargs_init(void)
{
	struct platform_device *device = platform_device_register_simple("varargs", -1, NULL, 0);

	narrow();
	wide();
	kinds(&device->dev);
	surplus();
	platform_device_unregister(device);
	proc_create_single("varargs", 0, NULL, show);
	return 0;
}
static void __exit varargs_exit(void)
{
	remove_proc_entry("varargs", NULL);
}
module_init(varargs_init);
module_exit(varargs_exit);
MODULE_LICENSE("GPL");
