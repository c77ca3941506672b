// SPDX-License-Identifier: MIT
/* What a module shows without a device: /proc by seq_file, debugfs, attributes of a kobject. */
#include <linux/debugfs.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

struct item {
	struct list_head list;
	int n;
};

static LIST_HEAD(items);
static DEFINE_MUTEX(lock);
static int count = 3;
module_param(count, int, 0644);

static void *item_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&lock);
	return seq_list_start(&items, *pos);
}

static void *item_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &items, pos);
}

static void item_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&lock);
}

static int item_show(struct seq_file *m, void *v)
{
	seq_printf(m, "item %d\n", list_entry(v, struct item, list)->n);
	return 0;
}

static const struct seq_operations item_ops = {
	.start = item_start,
	.next = item_next,
	.stop = item_stop,
	.show = item_show,
};

static int about_show(struct seq_file *m, void *v)
{
	seq_puts(m, "about");
	seq_putc(m, ' ');
	seq_printf(m, "%s\n", (char *)m->private);
	return 0;
}

static ssize_t own_write(struct file *file, const char __user *from, size_t n, loff_t *ppos)
{
	int error = kstrtoint_from_user(from, n, 0, &count);

	return error ? error : n;
}

static int own_open(struct inode *inode, struct file *file)
{
	return single_open(file, about_show, pde_data(inode));
}

static const struct proc_ops own_ops = {
	.proc_open = own_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = own_write,
};

static u8 byte = 7;
static u32 word = 0xbeef;
static u64 big = 1ull << 40;
static bool flag;
static char *text = "words";
static int getter_value = 42;

static int value_get(void *data, u64 *val)
{
	*val = *(int *)data;
	return 0;
}

static int value_set(void *data, u64 val)
{
	if (val > 100)
		return -ERANGE;
	*(int *)data = val;
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(value_fops, value_get, value_set, "%llu\n");

static int list_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", count);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(list);

static ssize_t count_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d %s\n", count, attr->attr.name);
}

static ssize_t count_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t n)
{
	int error = kstrtoint(buf, 0, &count);

	return error ? error : n;
}

static struct kobj_attribute count_attr = __ATTR_RW(count);
static struct attribute *attrs[] = { &count_attr.attr, NULL };
static const struct attribute_group group = { .name = "inner", .attrs = attrs };

static struct proc_dir_entry *folder;
static struct dentry *debug;
static struct kobject *kobj;

static int __init virtual_init(void)
{
	int i;

	for (i = 0; i < count; i++) {
		struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

		if (!item)
			return -ENOMEM;
		item->n = i;
		list_add_tail(&item->list, &items);
	}
	folder = proc_mkdir("virtual", NULL);
	proc_create_seq("items", 0, folder, &item_ops);
	proc_create_data("own", 0644, folder, &own_ops, "data");
	proc_create_single("about", 0, folder, about_show);
	debug = debugfs_create_dir("virtual", NULL);
	debugfs_create_u8("byte", 0644, debug, &byte);
	debugfs_create_x32("word", 0644, debug, &word);
	debugfs_create_u64("big", 0444, debug, &big);
	debugfs_create_bool("flag", 0644, debug, &flag);
	debugfs_create_str("text", 0444, debug, &text);
	debugfs_create_file("value", 0644, debug, &getter_value, &value_fops);
	debugfs_create_file("list", 0444, debug, NULL, &list_fops);
	kobj = kobject_create_and_add("virtual", kernel_kobj);
	if (!kobj || sysfs_create_file(kobj, &count_attr.attr) || sysfs_create_group(kobj, &group))
		return -ENOMEM;
	return 0;
}

static void __exit virtual_exit(void)
{
	struct item *item, *next;

	kobject_put(kobj);
	debugfs_remove_recursive(debug);
	proc_remove(folder);
	list_for_each_entry_safe(item, next, &items, list)
		kfree(item);
}

module_init(virtual_init);
module_exit(virtual_exit);
MODULE_LICENSE("GPL");
