// SPDX-License-Identifier: MIT
/* A buffer as a character device: read, write, lseek, ioctl; one node by class and device, one by misc. */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define SIZE 64
#define BUF_CLEAR _IO('b', 1)
#define BUF_LENGTH _IOR('b', 2, int)
#define BUF_ROTATE _IOWR('b', 3, int)

static dev_t devt;
static struct cdev cdev;
static struct class *cls;
static char buffer[SIZE];
static size_t length;
static DECLARE_WAIT_QUEUE_HEAD(readers);
static bool ready;

static int buf_open(struct inode *inode, struct file *file)
{
	pr_info("open %s minor %u flags %o mode %u\n", current->comm, iminor(inode), file->f_flags,
		file->f_mode & (FMODE_READ | FMODE_WRITE));
	return 0;
}

static int buf_release(struct inode *inode, struct file *file)
{
	pr_info("release %s\n", current->comm);
	return 0;
}

static ssize_t buf_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	return simple_read_from_buffer(to, count, ppos, buffer, length);
}

static ssize_t buf_write(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	if (count > SIZE)
		return -ENOSPC;
	if (copy_from_user(buffer, from, count))
		return -EFAULT;
	length = count;
	return count;
}

static loff_t buf_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, length);
}

static long buf_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int n = length;

	switch (cmd) {
	case BUF_CLEAR:
		length = 0;
		return 0;
	case BUF_LENGTH:
		return put_user(n, (int __user *)arg);
	case BUF_ROTATE:
		if (get_user(n, (int __user *)arg))
			return -EFAULT;
		n++;
		if (copy_to_user((void __user *)arg, &n, sizeof(n)))
			return -EFAULT;
		return 7;
	}
	return -ENOTTY;
}

static const struct file_operations buf_fops = {
	.owner = THIS_MODULE,
	.open = buf_open,
	.release = buf_release,
	.read = buf_read,
	.write = buf_write,
	.llseek = buf_llseek,
	.unlocked_ioctl = buf_ioctl,
};

static ssize_t wait_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	if (file->f_flags & O_NONBLOCK && !ready)
		return -EAGAIN;
	if (wait_event_interruptible(readers, ready))
		return -ERESTARTSYS;
	ready = false;
	return put_user('!', to) ? -EFAULT : 1;
}

static ssize_t wait_write(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	char first;

	if (get_user(first, from))
		return -EFAULT;
	if (first == 'X')
		*(int *)8 = 1;
	ready = true;
	wake_up_interruptible(&readers);
	return count;
}

static __poll_t wait_poll(struct file *file, struct poll_table_struct *wait)
{
	poll_wait(file, &readers, wait);
	return EPOLLOUT | (ready ? EPOLLIN : 0);
}

static const struct file_operations wait_fops = {
	.owner = THIS_MODULE,
	.read = wait_read,
	.write = wait_write,
	.poll = wait_poll,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "wait",
	.fops = &wait_fops,
	.mode = 0666,
};

static int __init chardev_init(void)
{
	struct device *dev;
	int error;

	error = alloc_chrdev_region(&devt, 0, 1, "buf");
	if (error)
		return error;
	pr_info("major %d\n", MAJOR(devt));
	cdev_init(&cdev, &buf_fops);
	cdev.owner = THIS_MODULE;
	error = cdev_add(&cdev, devt, 1);
	if (error)
		goto out_region;
	cls = class_create(THIS_MODULE, "bufs");
	if (IS_ERR(cls)) {
		error = PTR_ERR(cls);
		goto out_cdev;
	}
	dev = device_create(cls, NULL, devt, NULL, "buf%d", 0);
	if (IS_ERR(dev)) {
		error = PTR_ERR(dev);
		goto out_class;
	}
	dev_info(dev, "made\n");
	error = misc_register(&misc);
	if (!error)
		return 0;
	device_destroy(cls, devt);
out_class:
	class_destroy(cls);
out_cdev:
	cdev_del(&cdev);
out_region:
	unregister_chrdev_region(devt, 1);
	return error;
}

static void __exit chardev_exit(void)
{
	misc_deregister(&misc);
	device_destroy(cls, devt);
	class_destroy(cls);
	cdev_del(&cdev);
	unregister_chrdev_region(devt, 1);
}

module_init(chardev_init);
module_exit(chardev_exit);
MODULE_LICENSE("GPL");
