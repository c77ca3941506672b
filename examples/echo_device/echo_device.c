// SPDX-License-Identifier: MIT
/* A device that gives back what was last written to it, and a file of /proc that counts. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#define TEXT_MAX 64

static DEFINE_MUTEX(echo_lock);
static char text[TEXT_MAX];
static size_t length;
static unsigned int reads, writes;

static ssize_t echo_read(struct file *file, char __user *buffer, size_t count, loff_t *position)
{
	ssize_t copied;

	mutex_lock(&echo_lock);
	reads++;
	copied = simple_read_from_buffer(buffer, count, position, text, length);
	mutex_unlock(&echo_lock);
	return copied;
}

static ssize_t echo_write(struct file *file, const char __user *buffer, size_t count, loff_t *position)
{
	ssize_t copied = -EINVAL;

	mutex_lock(&echo_lock);
	if (count <= TEXT_MAX) {
		writes++;
		length = count;
		copied = copy_from_user(text, buffer, count) ? -EFAULT : count;
	}
	mutex_unlock(&echo_lock);
	return copied;
}

static const struct file_operations echo_fops = {
	.owner = THIS_MODULE,
	.read = echo_read,
	.write = echo_write,
};

static struct miscdevice echo_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "echo",
	.fops = &echo_fops,
	.mode = 0666,
};

static int echo_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "reads %u\nwrites %u\n", reads, writes);
	return 0;
}

static int __init echo_device_init(void)
{
	int error = misc_register(&echo_device);

	if (error)
		return error;
	if (!proc_create_single("echo", 0444, NULL, echo_show)) {
		misc_deregister(&echo_device);
		return -ENOMEM;
	}
	return 0;
}

static void __exit echo_device_exit(void)
{
	remove_proc_entry("echo", NULL);
	misc_deregister(&echo_device);
}

module_init(echo_device_init);
module_exit(echo_device_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A device that gives back what was written to it");
