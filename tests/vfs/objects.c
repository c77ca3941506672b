// SPDX-License-Identifier: MIT
/* A file system whose inodes lie in a table and are found by number; a device that gives out descriptors. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/uaccess.h>

#define NR 4
#define GIVE_ANON _IO('o', 1)
#define GIVE_FILE _IO('o', 2)
#define SHOW _IO('o', 3)
#define CLOSE _IO('o', 4)

struct table_inode {
	int number;
	struct inode vfs_inode;
};

static struct kmem_cache *cache;
static const char *const names[NR] = { "zero", "one", "two", "three" };

static void table_init_once(void *object)
{
	inode_init_once(&((struct table_inode *)object)->vfs_inode);
}

static struct inode *table_alloc_inode(struct super_block *sb)
{
	struct table_inode *t = alloc_inode_sb(sb, cache, GFP_KERNEL);

	return t ? &t->vfs_inode : NULL;
}

static void table_free_inode(struct inode *inode)
{
	kmem_cache_free(cache, container_of(inode, struct table_inode, vfs_inode));
}

static void table_evict_inode(struct inode *inode)
{
	pr_info("evict %lu, links %u\n", inode->i_ino, inode->i_nlink);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
}

static void table_put_super(struct super_block *sb)
{
	pr_info("put_super\n");
}

static int table_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	buf->f_type = dentry->d_sb->s_magic;
	buf->f_bsize = 512;
	buf->f_blocks = 100;
	buf->f_bfree = buf->f_bavail = 60;
	buf->f_files = NR;
	buf->f_fsid = u64_to_fsid(7);
	return 0;
}

static void table_dirty_inode(struct inode *inode, int flags)
{
	pr_info("dirty %lu %x\n", inode->i_ino, flags);
}

static const struct super_operations table_sops = {
	.alloc_inode = table_alloc_inode,
	.free_inode = table_free_inode,
	.evict_inode = table_evict_inode,
	.put_super = table_put_super,
	.statfs = table_statfs,
	.dirty_inode = table_dirty_inode,
};

static const struct inode_operations table_dir_iops;
static const struct file_operations table_dir_fops;

static ssize_t table_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	const char *text = names[inode->i_ino - 1];
	size_t n = strlen(text);

	file_accessed(iocb->ki_filp);
	if (iocb->ki_pos >= n)
		return 0;
	n = copy_to_iter(text + iocb->ki_pos, n - iocb->ki_pos, to);
	iocb->ki_pos += n;
	return n;
}
static const struct file_operations table_fops = { .owner = THIS_MODULE, .read_iter = table_read_iter };

static struct inode *table_iget(struct super_block *sb, unsigned long ino)
{
	struct inode *inode = iget_locked(sb, ino);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode->i_state & I_NEW))
		return inode;
	pr_info("new %lu\n", ino);
	if (ino == 3) {
		iget_failed(inode);
		return ERR_PTR(-EIO);
	}
	inode->i_mode = ino == 1 ? S_IFDIR | 0755 : S_IFREG | 0444;
	inode->i_op = &table_dir_iops;
	inode->i_fop = ino == 1 ? &table_dir_fops : &table_fops;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	mark_inode_dirty(inode);
	unlock_new_inode(inode);
	return inode;
}

static struct dentry *table_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct inode *inode = NULL;
	int i;

	for (i = 1; i < NR; i++)
		if (!strcmp(dentry->d_name.name, names[i]))
			inode = table_iget(dir->i_sb, i + 1);
	return d_splice_alias(inode, dentry);
}

static int table_iterate(struct file *file, struct dir_context *ctx)
{
	if (!dir_emit_dots(file, ctx))
		return 0;
	while (ctx->pos < NR + 1) {
		const char *name = names[ctx->pos - 1];

		if (!dir_emit(ctx, name, strlen(name), ctx->pos, DT_REG))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static const struct inode_operations table_dir_iops = { .lookup = table_lookup };
static const struct file_operations table_dir_fops = {
	.iterate_shared = table_iterate,
	.llseek = generic_file_llseek,
	.read = generic_read_dir,
};

static int table_fill_super(struct super_block *sb, void *data, int silent)
{
	struct inode *inode;

	sb->s_magic = 0x7ab1e;
	sb->s_op = &table_sops;
	inode = table_iget(sb, 1);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	sb->s_root = d_make_root(inode);
	return sb->s_root ? 0 : -ENOMEM;
}

static struct dentry *table_mount(struct file_system_type *type, int flags, const char *name, void *data)
{
	return mount_nodev(type, flags, data, table_fill_super);
}

static struct file_system_type table_type = {
	.owner = THIS_MODULE,
	.name = "tablefs",
	.mount = table_mount,
	.kill_sb = kill_anon_super,
};

static int anon_release(struct inode *inode, struct file *file)
{
	pr_info("release %pD\n", file);
	return 0;
}

static ssize_t anon_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	return simple_read_from_buffer(buf, count, ppos, file->private_data, 4);
}
static const struct file_operations anon_fops = {
	.owner = THIS_MODULE, .read = anon_read, .release = anon_release,
};

static int give_file(void)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = filp_open("/mnt/one", O_RDONLY, 0);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long object_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct fd f;

	switch (cmd) {
	case GIVE_ANON:
		return anon_inode_getfd("[object]", &anon_fops, "anon", O_RDONLY);
	case GIVE_FILE:
		return give_file();
	case SHOW:
		f = fdget(arg);
		if (!f.file)
			return -EBADF;
		pr_info("%lu is %pD2, count %ld\n", arg, f.file, file_count(f.file));
		fdput(f);
		return 0;
	case CLOSE:
		return close_fd(arg);
	}
	return -ENOTTY;
}
static const struct file_operations object_fops = { .owner = THIS_MODULE, .unlocked_ioctl = object_ioctl };
static struct miscdevice object_device = { .minor = MISC_DYNAMIC_MINOR, .name = "objects", .fops = &object_fops };

static int __init objects_init(void)
{
	int error;

	cache = kmem_cache_create("table_inode", sizeof(struct table_inode), 0, SLAB_ACCOUNT, table_init_once);
	if (!cache)
		return -ENOMEM;
	error = register_filesystem(&table_type);
	return error ?: misc_register(&object_device);
}

static void __exit objects_exit(void)
{
	misc_deregister(&object_device);
	unregister_filesystem(&table_type);
	rcu_barrier();
	kmem_cache_destroy(cache);
}

module_init(objects_init);
module_exit(objects_exit);
MODULE_LICENSE("GPL");
