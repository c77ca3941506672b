// SPDX-License-Identifier: MIT
/* Attributes of bytes: of a fixed size, without one, in a group. */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>

static char memory[5000];
static struct kobject *top;

static ssize_t fixed_read(struct file *file, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t off,
			  size_t count)
{
	pr_info("read %s %lld+%zu\n", attr->attr.name, off, count);
	memcpy(buf, memory + off, count);
	return count;
}

static ssize_t fixed_write(struct file *file, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t off,
			   size_t count)
{
	pr_info("write %s %lld+%zu of %s\n", attr->attr.name, off, count, kobject_name(kobj));
	if (buf[0] == '!')
		return -EINVAL;
	memcpy(memory + off, buf, count);
	return count;
}

static ssize_t endless_read(struct file *file, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t off,
			    size_t count)
{
	size_t n = off >= 10 ? 0 : min_t(size_t, count, 10 - off);

	memset(buf, 'e', n);
	return n;
}

static BIN_ATTR_RW(fixed, sizeof(memory));
static BIN_ATTR_RO(endless, 0);
static BIN_ATTR(none, 0600, NULL, NULL, 8);

static struct bin_attribute *bin_attrs[] = { &bin_attr_fixed, &bin_attr_endless, NULL };
static const struct attribute_group bytes_group = { .name = "bytes", .bin_attrs = bin_attrs };
__ATTRIBUTE_GROUPS(bytes);

static int __init binattr_init(void)
{
	top = kobject_create_and_add("binattr", kernel_kobj);
	if (!top)
		return -ENOMEM;
	return sysfs_create_groups(top, bytes_groups) ?: sysfs_create_bin_file(top, &bin_attr_none);
}

static void __exit binattr_exit(void)
{
	sysfs_remove_bin_file(top, &bin_attr_none);
	sysfs_remove_groups(top, bytes_groups);
	kobject_put(top);
}

module_init(binattr_init);
module_exit(binattr_exit);
MODULE_LICENSE("GPL");
