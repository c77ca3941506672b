// SPDX-License-Identifier: MIT
// Devices of a module: numbers, cdevs, a misc device, ioctl numbers, private data of open files; the test opens them.
// then: stat /dev/devices_misc
// then: echo hello > /dev/devices_misc
// then: cat /dev/devices_misc
// then: ioctl /dev/devices_misc 6401
// then: ioctl /dev/devices_misc 80046402
// then: ioctl /dev/devices_misc 40046403 5
// then: ioctl /dev/devices_misc c0046404 20
// then: ioctl /dev/devices_misc 6499
// then: ls /sys/class/devices_class
// then: cat /sys/class/devices_class/node0/dev
// then: cat /dev/node1
// then: cat /dev/nothing
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define RESET _IO('d', 1)
#define LENGTH _IOR('d', 2, int)
#define LIMIT _IOW('d', 3, int)
#define DOUBLE _IOWR('d', 4, int)

static char text[32];
static size_t length, limit = sizeof(text);
static dev_t first;
static struct cdev cdev;
static struct class *class;

static int misc_open_file(struct inode *inode, struct file *file)
{
	int *calls = kzalloc(sizeof(int), GFP_KERNEL);

	if (!calls)
		return -ENOMEM;
	file->private_data = calls;
	return 0;
}

static int misc_release(struct inode *inode, struct file *file)
{
	pr_info("closed after %d calls\n", *(int *)file->private_data);
	kfree(file->private_data);
	return 0;
}

static ssize_t misc_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	++*(int *)file->private_data;
	return simple_read_from_buffer(to, count, ppos, text, length);
}

static ssize_t misc_write(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	ssize_t n = simple_write_to_buffer(text, limit, ppos, from, count);

	++*(int *)file->private_data;
	if (n > 0)
		length = *ppos;
	return n;
}

static long misc_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int n;

	pr_info("ioctl dir %u type %c nr %u size %u\n", _IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), _IOC_SIZE(cmd));
	switch (cmd) {
	case RESET:
		length = 0;
		return 0;
	case LENGTH:
		return put_user((int)length, (int __user *)arg);
	case LIMIT:
		if (get_user(n, (int __user *)arg))
			return -EFAULT;
		limit = n;
		return 0;
	case DOUBLE:
		if (copy_from_user(&n, (void __user *)arg, sizeof(n)))
			return -EFAULT;
		n *= 2;
		return copy_to_user((void __user *)arg, &n, sizeof(n)) ? -EFAULT : 1;
	}
	return -ENOTTY;
}

static const struct file_operations misc_fops = {
	.owner = THIS_MODULE,
	.open = misc_open_file,
	.release = misc_release,
	.read = misc_read,
	.write = misc_write,
	.unlocked_ioctl = misc_ioctl,
};

static struct miscdevice misc = { .minor = MISC_DYNAMIC_MINOR, .name = "devices_misc", .fops = &misc_fops, .mode = 0666 };

static ssize_t node_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	char name[16];
	int n = snprintf(name, sizeof(name), "minor %u\n", iminor(file_inode(file)));

	return simple_read_from_buffer(to, count, ppos, name, n);
}

static const struct file_operations node_fops = { .owner = THIS_MODULE, .read = node_read, .llseek = no_llseek };

static int __init devices_init(void)
{
	struct device *device;
	int i, status;

	pr_info("numbers %x %x %x %x; %u %u %d\n", RESET, (u32)LENGTH, (u32)LIMIT, (u32)DOUBLE, MAJOR(MKDEV(240, 7)), MINOR(MKDEV(240, 7)),
		MKDEV(1, 2) == ((1 << 20) | 2));
	status = alloc_chrdev_region(&first, 0, 2, "devices");
	pr_info("region %d, first minor %u\n", status, MINOR(first));
	cdev_init(&cdev, &node_fops);
	cdev.owner = THIS_MODULE;
	pr_info("added %d\n", cdev_add(&cdev, first, 2));
	class = class_create(THIS_MODULE, "devices_class");
	for (i = 0; i < 2; i++) {
		device = device_create(class, NULL, MKDEV(MAJOR(first), i), NULL, "node%d", i);
		pr_info("%s: %d\n", IS_ERR(device) ? "none" : dev_name(device), PTR_ERR_OR_ZERO(device));
	}
	pr_info("taken %d", register_chrdev_region(first, 1, "again"));
	pr_cont(", misc %d", misc_register(&misc));
	pr_cont(", minor given %d\n", misc.minor != MISC_DYNAMIC_MINOR);
	return 0;
}
module_init(devices_init);

static void __exit devices_exit(void)
{
	misc_deregister(&misc);
	device_destroy(class, MKDEV(MAJOR(first), 0));
	device_destroy(class, MKDEV(MAJOR(first), 1));
	class_destroy(class);
	cdev_del(&cdev);
	unregister_chrdev_region(first, 2);
}
module_exit(devices_exit);
MODULE_LICENSE("GPL");
