// SPDX-License-Identifier: MIT
/* A file system in memory, as a first course writes it; with CONTEXT its mounts are made in steps. */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/init.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/string.h>
#include <linux/time.h>

#define MYFS_MAGIC 0x19980122
#define DEFAULT_MODE 0755

struct myfs_info {
	umode_t mode;
};

static const struct inode_operations myfs_dir_iops;
static const struct inode_operations myfs_file_iops = {
	.setattr = simple_setattr,
	.getattr = simple_getattr,
};

static const struct file_operations myfs_file_ops = {
	.read_iter = generic_file_read_iter,
	.write_iter = generic_file_write_iter,
	.mmap = generic_file_mmap,
	.fsync = noop_fsync,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
	.llseek = generic_file_llseek,
};

static const struct super_operations myfs_sops = {
	.statfs = simple_statfs,
	.drop_inode = generic_delete_inode,
};

static struct inode *myfs_get_inode(struct super_block *sb, const struct inode *dir, umode_t mode, dev_t dev)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode_init_owner(&init_user_ns, inode, dir, mode);
	inode->i_mapping->a_ops = &ram_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	mapping_set_unevictable(inode->i_mapping);
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	switch (mode & S_IFMT) {
	default:
		init_special_inode(inode, mode, dev);
		break;
	case S_IFREG:
		inode->i_op = &myfs_file_iops;
		inode->i_fop = &myfs_file_ops;
		break;
	case S_IFDIR:
		inode->i_op = &myfs_dir_iops;
		inode->i_fop = &simple_dir_operations;
		inc_nlink(inode);
		break;
	case S_IFLNK:
		inode->i_op = &page_symlink_inode_operations;
		inode_nohighmem(inode);
		break;
	}
	return inode;
}

static int myfs_mknod(struct user_namespace *ns, struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev)
{
	struct inode *inode = myfs_get_inode(dir->i_sb, dir, mode, dev);

	if (!inode)
		return -ENOSPC;
	d_instantiate(dentry, inode);
	dget(dentry);
	dir->i_mtime = dir->i_ctime = current_time(dir);
	return 0;
}

static int myfs_create(struct user_namespace *ns, struct inode *dir, struct dentry *dentry, umode_t mode, bool excl)
{
	pr_info("create %pd2\n", dentry);
	return myfs_mknod(ns, dir, dentry, mode | S_IFREG, 0);
}

static int myfs_mkdir(struct user_namespace *ns, struct inode *dir, struct dentry *dentry, umode_t mode)
{
	int error = myfs_mknod(ns, dir, dentry, mode | S_IFDIR, 0);

	if (!error)
		inc_nlink(dir);
	return error;
}

static int myfs_symlink(struct user_namespace *ns, struct inode *dir, struct dentry *dentry, const char *target)
{
	struct inode *inode = myfs_get_inode(dir->i_sb, dir, S_IFLNK | 0777, 0);
	int error;

	if (!inode)
		return -ENOSPC;
	error = page_symlink(inode, target, strlen(target) + 1);
	if (error) {
		iput(inode);
		return error;
	}
	d_instantiate(dentry, inode);
	dget(dentry);
	return 0;
}

static const struct inode_operations myfs_dir_iops = {
	.create = myfs_create,
	.lookup = simple_lookup,
	.link = simple_link,
	.unlink = simple_unlink,
	.symlink = myfs_symlink,
	.mkdir = myfs_mkdir,
	.rmdir = simple_rmdir,
	.mknod = myfs_mknod,
	.rename = simple_rename,
};

static int myfs_fill(struct super_block *sb, umode_t mode)
{
	struct inode *inode;

	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = MYFS_MAGIC;
	sb->s_op = &myfs_sops;
	sb->s_time_gran = 1;
	inode = myfs_get_inode(sb, NULL, S_IFDIR | mode, 0);
	sb->s_root = d_make_root(inode);
	if (!sb->s_root)
		return -ENOMEM;
	pr_info("root %pd, inode %lu, id %s, device %u\n", sb->s_root, inode->i_ino, sb->s_id, MAJOR(sb->s_dev));
	return 0;
}

#ifdef CONTEXT
enum { Opt_mode, Opt_quiet };

static const struct fs_parameter_spec myfs_parameters[] = {
	fsparam_u32oct("mode", Opt_mode),
	fsparam_flag_no("quiet", Opt_quiet),
	{}
};

static int myfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct myfs_info *info = fc->s_fs_info;
	struct fs_parse_result result;
	int opt = fs_parse(fc, myfs_parameters, param, &result);

	if (opt < 0)
		return opt;
	if (opt == Opt_mode)
		info->mode = result.uint_32 & S_IALLUGO;
	else
		pr_info("%squiet\n", result.negated ? "no" : "");
	return 0;
}

static int myfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct myfs_info *info = sb->s_fs_info;

	pr_info("source %s\n", fc->source);
	return myfs_fill(sb, info->mode);
}

static int myfs_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, myfs_fill_super);
}

static void myfs_free_fc(struct fs_context *fc)
{
	kfree(fc->s_fs_info);
}

static const struct fs_context_operations myfs_context_ops = {
	.free = myfs_free_fc,
	.parse_param = myfs_parse_param,
	.get_tree = myfs_get_tree,
};

static int myfs_init_fs_context(struct fs_context *fc)
{
	struct myfs_info *info = kzalloc(sizeof(*info), GFP_KERNEL);

	if (!info)
		return -ENOMEM;
	info->mode = DEFAULT_MODE;
	fc->s_fs_info = info;
	fc->ops = &myfs_context_ops;
	return 0;
}

static void myfs_kill_sb(struct super_block *sb)
{
	kfree(sb->s_fs_info);
	kill_litter_super(sb);
}
#else
static int myfs_fill_super(struct super_block *sb, void *data, int silent)
{
	pr_info("options %s\n", (char *)data ?: "none");
	if (data && !strcmp(data, "fail"))
		return -EINVAL;
	return myfs_fill(sb, DEFAULT_MODE);
}

static struct dentry *myfs_mount(struct file_system_type *type, int flags, const char *name, void *data)
{
	pr_info("mount %s of %s\n", type->name, name);
	return mount_nodev(type, flags, data, myfs_fill_super);
}

static void myfs_kill_sb(struct super_block *sb)
{
	pr_info("kill_sb\n");
	kill_litter_super(sb);
}
#endif

static struct file_system_type myfs_type = {
	.owner = THIS_MODULE,
	.name = "myfs",
#ifdef CONTEXT
	.init_fs_context = myfs_init_fs_context,
	.parameters = myfs_parameters,
#else
	.mount = myfs_mount,
#endif
	.kill_sb = myfs_kill_sb,
	.fs_flags = FS_USERNS_MOUNT,
};
MODULE_ALIAS_FS("myfs");

static int __init myfs_init(void)
{
	return register_filesystem(&myfs_type);
}

static void __exit myfs_exit(void)
{
	unregister_filesystem(&myfs_type);
}

module_init(myfs_init);
module_exit(myfs_exit);
MODULE_LICENSE("GPL");
