// SPDX-License-Identifier: MIT
// Messages of pr_debug() and dev_dbg(), switched by dynamic_debug/control: by function, line, format, with prefixes.
// then: cat /proc/dyndebug
// then: echo module dyndebug +p > /sys/kernel/debug/dynamic_debug/control
// then: cat /proc/dyndebug
// then: cat /proc/dynamic_debug/control
// then: echo func second -p; module dyndebug func first +ml > /sys/kernel/debug/dynamic_debug/control
// then: cat /proc/dyndebug
// then: echo format "bytes:" =pf > /proc/dynamic_debug/control
// then: cat /proc/dyndebug
// then: cat /sys/kernel/debug/dynamic_debug/control
// then: echo file dyndebug.c line 1-1000 =_ > /sys/kernel/debug/dynamic_debug/control
// then: cat /proc/dyndebug
// then: echo nonsense +p > /sys/kernel/debug/dynamic_debug/control
// then: echo module dyndebug p > /sys/kernel/debug/dynamic_debug/control
#define pr_fmt(fmt) "dd: " fmt
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static struct platform_device *device;
static const char bytes[] = { 1, 2, 3, 0x7f };

static noinline void first(int n)
{
	pr_debug("first %d\n", n);
	pr_debug("again\t%d\n", n + 1);
}

static noinline void second(void)
{
	pr_debug("second\n");
	dev_dbg(&device->dev, "of the device\n");
	print_hex_dump_debug("bytes: ", DUMP_PREFIX_NONE, 16, 1, bytes, sizeof(bytes), false);
}

static int show(struct seq_file *m, void *v)
{
	first(1);
	second();
	seq_puts(m, "called\n");
	return 0;
}

static int __init dyndebug_init(void)
{
	pr_debug("not seen: nothing is switched on yet\n");
	device = platform_device_register_simple("dyndebug", -1, NULL, 0);
	proc_create_single("dyndebug", 0, NULL, show);
	return 0;
}
static void __exit dyndebug_exit(void)
{
	remove_proc_entry("dyndebug", NULL);
	platform_device_unregister(device);
}
module_init(dyndebug_init);
module_exit(dyndebug_exit);
MODULE_LICENSE("GPL");
