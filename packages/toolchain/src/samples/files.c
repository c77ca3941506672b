// SPDX-License-Identifier: MIT
/* Devices and virtual files that answer from C. */
#include <linux/cdev.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/utsname.h>

static int value;
static DECLARE_WAIT_QUEUE_HEAD(queue);
static struct fasync_struct *async;

static struct device_data {
	char page[64];
	struct cdev cdev;
} data;

static ssize_t value_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	char text[32];
	int length = scnprintf(text, sizeof(text), "%d\n", value);

	return simple_read_from_buffer(buf, count, pos, text, length);
}

static ssize_t value_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char text[32];
	size_t length = min(count, sizeof(text) - 1);

	if (copy_from_user(text, buf, length))
		return -EFAULT;
	text[length] = 0;
	kill_fasync(&async, SIGIO, POLL_IN);
	return kstrtoint(text, 0, &value) ?: (ssize_t)count;
}

#define GET_VALUE _IOR('v', 1, int)
#define SET_VALUE _IOW('v', 2, int)
static long value_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case GET_VALUE:
		return put_user(value, (int __user *)arg);
	case SET_VALUE:
		return get_user(value, (int __user *)arg);
	}
	return _IOC_TYPE(cmd) == 'v' && capable(CAP_SYS_ADMIN) ? -EINVAL : -ENOTTY;
}

static __poll_t value_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &queue, wait);
	return EPOLLIN | EPOLLRDNORM;
}

static ssize_t value_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return copy_to_iter(&value, min(sizeof(value), iov_iter_count(to)), to);
}

static int value_fasync(int fd, struct file *file, int on)
{
	return fasync_helper(fd, file, on, &async);
}

static int value_mmap(struct file *file, struct vm_area_struct *vma)
{
	return remap_pfn_range(vma, vma->vm_start, virt_to_phys(file->private_data) >> PAGE_SHIFT,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static int value_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct device_data, cdev);
	return iminor(inode) ? -ENODEV : nonseekable_open(inode, file);
}

static const struct file_operations value_fops = {
	.owner = THIS_MODULE,
	.open = value_open,
	.read = value_read,
	.write = value_write,
	.read_iter = value_read_iter,
	.unlocked_ioctl = value_ioctl,
	.poll = value_poll,
	.fasync = value_fasync,
	.mmap = value_mmap,
	.llseek = no_llseek,
};

static struct miscdevice misc = { .minor = MISC_DYNAMIC_MINOR, .name = "value", .fops = &value_fops, .mode = 0666 };
static dev_t dev;
static struct class *class;

static void *walk_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? NULL : SEQ_START_TOKEN;
}

static void *walk_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return NULL;
}

static void walk_stop(struct seq_file *m, void *v)
{
}

static int walk_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d on %s\n", value, utsname()->release);
	seq_puts(m, m->file->f_path.dentry->d_name.name ? "named\n" : "\n");
	return 0;
}

static const struct seq_operations walk_sops = {
	.start = walk_start, .next = walk_next, .stop = walk_stop, .show = walk_show
};
DEFINE_SEQ_ATTRIBUTE(walk);

static int once_show(struct seq_file *m, void *v)
{
	return walk_show(m, v);
}
DEFINE_SHOW_ATTRIBUTE(once);

static const struct proc_ops once_proc_ops = {
	.proc_open = once_open, .proc_read = seq_read, .proc_lseek = seq_lseek, .proc_release = single_release
};

static int number_get(void *unused, u64 *val)
{
	*val = value;
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(number_fops, number_get, NULL, "%llu\n");

static ssize_t foo_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", value);
}

static ssize_t foo_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	return kstrtoint(buf, 10, &value) ?: (ssize_t)count;
}

static struct kobj_attribute foo_attribute = __ATTR(foo, 0664, foo_show, foo_store);
static struct attribute *foo_attrs[] = { &foo_attribute.attr, NULL };
ATTRIBUTE_GROUPS(foo);

static ssize_t bar_show(struct device *device, struct device_attribute *attr, char *buf)
{
	dev_info(device, "%s read\n", attr->attr.name);
	return sysfs_emit(buf, "bar\n");
}
static DEVICE_ATTR_RO(bar);

static int __init files_init(void)
{
	struct kobject *kobj = kobject_create_and_add("value", kernel_kobj);
	struct dentry *dir = debugfs_create_dir("value", NULL);
	struct device *device;
	int err = alloc_chrdev_region(&dev, 0, 1, "value");

	if (err)
		return err;
	cdev_init(&data.cdev, &value_fops);
	data.cdev.owner = THIS_MODULE;
	err = cdev_add(&data.cdev, dev, 1) ?: misc_register(&misc) ?: sysfs_create_groups(kobj, foo_groups);
	class = class_create(THIS_MODULE, "value");
	if (IS_ERR(class))
		return PTR_ERR(class);
	device = device_create(class, NULL, dev, NULL, "value%d", MINOR(dev));
	err = err ?: device_create_file(device, &dev_attr_bar);
	proc_create("value", 0444, NULL, &once_proc_ops);
	debugfs_create_file("number", 0444, dir, NULL, &number_fops);
	debugfs_create_file("once", 0444, dir, NULL, &once_fops);
	debugfs_create_file("walk", 0444, dir, NULL, &walk_fops);
	debugfs_create_u32("raw", 0644, dir, (u32 *)&value);
	return err;
}

static void __exit files_exit(void)
{
	device_destroy(class, dev);
	class_destroy(class);
	cdev_del(&data.cdev);
	unregister_chrdev_region(dev, 1);
	misc_deregister(&misc);
	remove_proc_entry("value", NULL);
}

module_init(files_init);
module_exit(files_exit);
MODULE_LICENSE("GPL");
