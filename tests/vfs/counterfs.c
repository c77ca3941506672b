// SPDX-License-Identifier: MIT
/* Files that count how often they are read, in a file system made of a table; one folder more is made by hand. */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

#define COUNTERFS_MAGIC 0x19980122
#define TEXT 20

static atomic_t counters[3];

static int counter_open(struct inode *inode, struct file *file)
{
	unsigned long ino = inode->i_ino;

	file->private_data = &counters[ino == 2 ? 0 : ino == 3 ? 1 : 2];
	return 0;
}

static ssize_t counter_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	atomic_t *counter = file->private_data;
	char text[TEXT];
	int value = atomic_read(counter);
	int n;

	if (*ppos == 0)
		atomic_inc(counter);
	else
		value--;
	n = snprintf(text, TEXT, "%d\n", value);
	return simple_read_from_buffer(buf, count, ppos, text, n);
}

static ssize_t counter_write(struct file *file, const char __user *buf, size_t count, loff_t *ppos)
{
	char text[TEXT] = "";
	int value;

	if (*ppos != 0 || count >= TEXT)
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	if (kstrtoint(strim(text), 10, &value))
		return -EINVAL;
	atomic_set((atomic_t *)file->private_data, value);
	return count;
}

static const struct file_operations counter_fops = {
	.owner = THIS_MODULE,
	.open = counter_open,
	.read = counter_read,
	.write = counter_write,
};

static const struct tree_descr files[] = {
	{ NULL, NULL, 0 },
	{ NULL, NULL, 0 },
	{ "zero", &counter_fops, 0644 },
	{ "one", &counter_fops, 0444 },
	{ "", NULL, 0 },
};

static struct dentry *add(struct super_block *sb, struct dentry *parent, const char *name, umode_t mode)
{
	struct dentry *dentry = d_alloc_name(parent, name);
	struct inode *inode = dentry ? new_inode(sb) : NULL;

	if (!inode) {
		dput(dentry);
		return NULL;
	}
	inode->i_ino = get_next_ino() + 100;
	inode->i_mode = mode;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	if (S_ISDIR(mode)) {
		inode->i_op = &simple_dir_inode_operations;
		inode->i_fop = &simple_dir_operations;
		inc_nlink(inode);
		inc_nlink(d_inode(parent));
	} else {
		inode->i_fop = &counter_fops;
	}
	d_add(dentry, inode);
	return dentry;
}

static int counterfs_fill_super(struct super_block *sb, void *data, int silent)
{
	struct dentry *folder;
	int error = simple_fill_super(sb, COUNTERFS_MAGIC, files);

	if (error)
		return error;
	folder = add(sb, sb->s_root, "sub", S_IFDIR | 0755);
	if (!folder || !add(sb, folder, "deep", S_IFREG | 0644))
		return -ENOMEM;
	pr_info("%pd, empty %d\n", folder, simple_empty(folder));
	return 0;
}

static struct dentry *counterfs_mount(struct file_system_type *type, int flags, const char *name, void *data)
{
	return mount_single(type, flags, data, counterfs_fill_super);
}

static struct file_system_type counterfs_type = {
	.owner = THIS_MODULE,
	.name = "counterfs",
	.mount = counterfs_mount,
	.kill_sb = kill_litter_super,
};

static int __init counterfs_init(void)
{
	return register_filesystem(&counterfs_type);
}

static void __exit counterfs_exit(void)
{
	unregister_filesystem(&counterfs_type);
}

module_init(counterfs_init);
module_exit(counterfs_exit);
MODULE_LICENSE("GPL");
