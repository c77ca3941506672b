// SPDX-License-Identifier: MIT
/*
 * A file system of one's own, in memory: mkdir /tmp/box; mount -t ram_file_system none /tmp/box
 *
 * Nothing lies on a disk. A name is a dentry that is never forgotten, a file's content is its pages in the page cache
 * that are never written away. So what is left to say is how an inode begins; the kernel's simple_ functions do the rest.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pagemap.h>

#define RAM_MAGIC 0x626f7821

static const struct inode_operations folder_operations;

static const struct file_operations file_operations = {
	.llseek = generic_file_llseek,
	.read_iter = generic_file_read_iter,
	.write_iter = generic_file_write_iter,
};

/* An inode is a file without its name. */
static struct inode *make_inode(struct super_block *sb, const struct inode *folder, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode_init_owner(&init_user_ns, inode, folder, mode);
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	inode->i_mapping->a_ops = &ram_aops;
	if (S_ISDIR(mode)) {
		inode->i_op = &folder_operations;
		inode->i_fop = &simple_dir_operations;
		inc_nlink(inode); /* its own ".", beside its name */
	} else {
		inode->i_fop = &file_operations;
	}
	return inode;
}

/* The name was looked up and not found: the dentry is there, without an inode. Held once more, it stays in memory. */
static int add_name(struct inode *folder, struct dentry *dentry, umode_t mode)
{
	struct inode *inode = make_inode(folder->i_sb, folder, mode);

	if (!inode)
		return -ENOSPC;
	d_instantiate(dentry, inode);
	dget(dentry);
	folder->i_mtime = folder->i_ctime = current_time(folder);
	pr_info("inode %lu is %pd\n", inode->i_ino, dentry);
	return 0;
}

static int create_file(struct user_namespace *ns, struct inode *folder, struct dentry *dentry, umode_t mode, bool excl)
{
	return add_name(folder, dentry, mode | S_IFREG);
}

static int make_folder(struct user_namespace *ns, struct inode *folder, struct dentry *dentry, umode_t mode)
{
	int error = add_name(folder, dentry, mode | S_IFDIR);

	if (!error)
		inc_nlink(folder); /* the new folder's ".." */
	return error;
}

static const struct inode_operations folder_operations = {
	.lookup = simple_lookup,
	.create = create_file,
	.mkdir = make_folder,
	.link = simple_link,
	.unlink = simple_unlink,
	.rmdir = simple_rmdir,
	.rename = simple_rename,
};

/* The last name and the last user are gone: so are the pages. */
static void evict_inode(struct inode *inode)
{
	pr_info("inode %lu goes, with %lu pages\n", inode->i_ino, inode->i_mapping->nrpages);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
}

static const struct super_operations super_operations = {
	.statfs = simple_statfs,
	.drop_inode = generic_delete_inode,
	.evict_inode = evict_inode,
};

static int fill_super(struct super_block *sb, void *options, int silent)
{
	sb->s_magic = RAM_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_op = &super_operations;
	sb->s_root = d_make_root(make_inode(sb, NULL, S_IFDIR | 0755));
	return sb->s_root ? 0 : -ENOMEM;
}

static struct dentry *ram_mount(struct file_system_type *type, int flags, const char *device, void *options)
{
	return mount_nodev(type, flags, options, fill_super);
}

static struct file_system_type ram_type = {
	.owner = THIS_MODULE,
	.name = "ram_file_system",
	.mount = ram_mount,
	.kill_sb = kill_litter_super,
};

static int __init ram_file_system_init(void)
{
	return register_filesystem(&ram_type);
}

static void __exit ram_file_system_exit(void)
{
	unregister_filesystem(&ram_type);
}

module_init(ram_file_system_init);
module_exit(ram_file_system_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A small file system in memory");
MODULE_ALIAS_FS("ram_file_system");
