// SPDX-License-Identifier: MIT
// Files below debugfs: numbers of every size, booleans, texts, blobs, arrays, attributes of functions, links.
// then: ls /sys/kernel/debug/debugfses
// then: cat /sys/kernel/debug/debugfses/u8
// then: echo 255 > /sys/kernel/debug/debugfses/u8
// then: cat /sys/kernel/debug/debugfses/u8
// then: echo 256 > /sys/kernel/debug/debugfses/u8
// then: cat /sys/kernel/debug/debugfses/u16
// then: cat /sys/kernel/debug/debugfses/u32
// then: echo 0x10 > /sys/kernel/debug/debugfses/u32
// then: cat /sys/kernel/debug/debugfses/u32
// then: echo ten > /sys/kernel/debug/debugfses/u32
// then: cat /sys/kernel/debug/debugfses/u64
// then: cat /sys/kernel/debug/debugfses/x8
// then: cat /sys/kernel/debug/debugfses/x16
// then: cat /sys/kernel/debug/debugfses/x32
// then: cat /sys/kernel/debug/debugfses/x64
// then: cat /sys/kernel/debug/debugfses/size_t
// then: cat /sys/kernel/debug/debugfses/ulong
// then: cat /sys/kernel/debug/debugfses/atomic
// then: echo -3 > /sys/kernel/debug/debugfses/atomic
// then: cat /sys/kernel/debug/debugfses/atomic
// then: cat /sys/kernel/debug/debugfses/bool
// then: echo n > /sys/kernel/debug/debugfses/bool
// then: cat /sys/kernel/debug/debugfses/bool
// then: cat /sys/kernel/debug/debugfses/blob
// then: cat /sys/kernel/debug/debugfses/array
// then: cat /sys/kernel/debug/debugfses/sub/square
// then: echo 12 > /sys/kernel/debug/debugfses/sub/square
// then: cat /sys/kernel/debug/debugfses/sub/square
// then: cat /sys/kernel/debug/debugfses/shown
// then: stat /sys/kernel/debug/debugfses/u16
// then: stat /sys/kernel/debug/debugfses/link
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static struct dentry *top, *sub;
static u8 n8 = 8, h8 = 0xab;
static u16 n16 = 16, h16 = 0xabc;
static u32 n32 = 32, h32 = 0xabcde, numbers[] = { 1, 22, 333 };
static u64 n64 = 1ULL << 40, h64 = 0x123456789abcULL, side = 5;
static size_t size = 77;
static unsigned long word = 88;
static atomic_t counter = ATOMIC_INIT(9);
static bool yes = true;
static struct debugfs_blob_wrapper blob = { .data = "some bytes\n", .size = 11 };
static struct debugfs_u32_array array = { .array = numbers, .n_elements = 3 };

static int square_get(void *data, u64 *value)
{
	*value = *(u64 *)data * *(u64 *)data;
	return 0;
}

static int square_set(void *data, u64 value)
{
	pr_info("the side is %llu\n", value);
	*(u64 *)data = value;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(square_fops, square_get, square_set, "%llu\n");

static int shown_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "private %d\n", *(int *)m->private);
	seq_puts(m, "and more\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(shown);

static int __init debugfses_init(void)
{
	static int private = 31;
	struct dentry *found;

	top = debugfs_create_dir("debugfses", NULL);
	pr_info("made %d, again %ld\n", !IS_ERR(top), PTR_ERR(debugfs_create_dir("debugfses", NULL)));
	debugfs_create_u8("u8", 0644, top, &n8);
	debugfs_create_u16("u16", 0444, top, &n16);
	debugfs_create_u32("u32", 0644, top, &n32);
	debugfs_create_u64("u64", 0644, top, &n64);
	debugfs_create_x8("x8", 0644, top, &h8);
	debugfs_create_x16("x16", 0644, top, &h16);
	debugfs_create_x32("x32", 0644, top, &h32);
	debugfs_create_x64("x64", 0644, top, &h64);
	debugfs_create_size_t("size_t", 0644, top, &size);
	debugfs_create_ulong("ulong", 0644, top, &word);
	debugfs_create_atomic_t("atomic", 0644, top, &counter);
	debugfs_create_bool("bool", 0644, top, &yes);
	debugfs_create_blob("blob", 0444, top, &blob);
	debugfs_create_u32_array("array", 0444, top, &array);
	sub = debugfs_create_dir("sub", top);
	debugfs_create_file("square", 0644, sub, &side, &square_fops);
	debugfs_create_file("shown", 0444, top, &private, &shown_fops);
	debugfs_create_symlink("link", top, "sub/square");
	found = debugfs_lookup("u8", top);
	pr_info("initialized %d, found %d, not found %d\n", debugfs_initialized(), found != NULL, debugfs_lookup("u9", top) == NULL);
	dput(found);
	return 0;
}
module_init(debugfses_init);

static void __exit debugfses_exit(void)
{
	pr_info("side %llu, counter %d, bool %d, u8 %u, u32 %u\n", side, atomic_read(&counter), yes, n8, n32);
	debugfs_remove(sub);
	debugfs_remove_recursive(top);
	debugfs_remove(NULL);
}
module_exit(debugfses_exit);
MODULE_LICENSE("GPL");
