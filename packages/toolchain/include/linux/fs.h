/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/linkage.h>
#include <linux/wait.h>
#include <linux/kdev_t.h>
#include <linux/dcache.h>
#include <linux/path.h>
#include <linux/stat.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/radix-tree.h>
#include <linux/xarray.h>
#include <linux/rbtree.h>
#include <linux/init.h>
#include <linux/pid.h>
#include <linux/bug.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/mm_types.h>
#include <linux/capability.h>
#include <linux/semaphore.h>
#include <linux/fcntl.h>
#include <linux/uuid.h>
#include <linux/errno.h>
#include <linux/err.h>
#include <linux/string.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/ioctl.h>
#include <linux/cred.h>
#include <linux/fs_types.h>
#include <uapi/linux/fs.h>

#define FMODE_READ ((__force fmode_t)0x1)
#define FMODE_WRITE ((__force fmode_t)0x2)
#define FMODE_LSEEK ((__force fmode_t)0x4)
#define FMODE_PREAD ((__force fmode_t)0x8)
#define FMODE_PWRITE ((__force fmode_t)0x10)
#define FMODE_EXEC ((__force fmode_t)0x20)
#define FMODE_EXCL ((__force fmode_t)0x80)
#define FMODE_CAN_READ ((__force fmode_t)0x20000)
#define FMODE_CAN_WRITE ((__force fmode_t)0x40000)
#define FMODE_OPENED ((__force fmode_t)0x80000)
#define FMODE_CREATED ((__force fmode_t)0x100000)
#define FMODE_STREAM ((__force fmode_t)0x200000)

#define IOCB_NOWAIT 0x00000008
#define IOCB_APPEND 0x00000010
#define IOCB_DIRECT (1 << 17)

#define MAX_LFS_FILESIZE ((loff_t)LLONG_MAX)
#define DEV_MINOR_MAX 256

struct iattr;
struct kstat;
struct fasync_struct;
struct super_operations;
struct file_system_type;
struct fs_context;

struct dir_context;
typedef bool (*filldir_t)(struct dir_context *ctx, const char *name, int namelen, loff_t offset, u64 ino,
			  unsigned int type);
struct dir_context {
	filldir_t actor;
	loff_t pos;
};

struct super_block {
	struct list_head s_list;
	dev_t s_dev;
	unsigned char s_blocksize_bits;
	unsigned long s_blocksize;
	loff_t s_maxbytes;
	struct file_system_type *s_type;
	const struct super_operations *s_op;
	unsigned long s_flags;
	unsigned long s_magic;
	struct dentry *s_root;
	int s_count;
	atomic_t s_active;
	void *s_fs_info;
	u32 s_time_gran;
	char s_id[32];
	struct list_head s_inodes;
	spinlock_t s_inode_list_lock;
};

static inline unsigned int iminor(const struct inode *inode)
{
	return MINOR(inode->i_rdev);
}

static inline unsigned int imajor(const struct inode *inode)
{
	return MAJOR(inode->i_rdev);
}

static inline struct inode *file_inode(const struct file *f)
{
	return f->f_inode;
}

static inline struct dentry *file_dentry(const struct file *file)
{
	return file->f_path.dentry;
}

static inline loff_t i_size_read(const struct inode *inode)
{
	return inode->i_size;
}

static inline void i_size_write(struct inode *inode, loff_t i_size)
{
	inode->i_size = i_size;
}

static inline uid_t i_uid_read(const struct inode *inode)
{
	return inode->i_uid.val;
}

static inline gid_t i_gid_read(const struct inode *inode)
{
	return inode->i_gid.val;
}

static inline struct file *get_file(struct file *f)
{
	atomic_long_inc(&f->f_count);
	return f;
}

#define file_count(x) atomic_long_read(&(x)->f_count)
#define inode_lock(inode) down_write(&(inode)->i_rwsem)
#define inode_unlock(inode) up_write(&(inode)->i_rwsem)
#define fops_get(fops) ({ const struct file_operations *_fops = (fops); \
	((_fops && try_module_get(_fops->owner)) ? _fops : NULL); })
#define fops_put(fops) do { if (fops) module_put((fops)->owner); } while (0)
#define replace_fops(f, fops) do { fops_put((f)->f_op); (f)->f_op = (fops); } while (0)

extern bool try_module_get(struct module *module);
extern void module_put(struct module *module);

#define CHRDEV_MAJOR_MAX 512
extern int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count, const char *name);
extern int register_chrdev_region(dev_t from, unsigned int count, const char *name);
extern void unregister_chrdev_region(dev_t from, unsigned int count);
extern int __register_chrdev(unsigned int major, unsigned int baseminor, unsigned int count, const char *name,
			     const struct file_operations *fops);
extern void __unregister_chrdev(unsigned int major, unsigned int baseminor, unsigned int count, const char *name);

static inline int register_chrdev(unsigned int major, const char *name, const struct file_operations *fops)
{
	return __register_chrdev(major, 0, 256, name, fops);
}

static inline void unregister_chrdev(unsigned int major, const char *name)
{
	__unregister_chrdev(major, 0, 256, name);
}

extern int register_blkdev(unsigned int major, const char *name);
extern void unregister_blkdev(unsigned int major, const char *name);

extern loff_t noop_llseek(struct file *file, loff_t offset, int whence);
extern loff_t no_llseek(struct file *file, loff_t offset, int whence);
extern loff_t default_llseek(struct file *file, loff_t offset, int whence);
extern loff_t generic_file_llseek(struct file *file, loff_t offset, int whence);
extern loff_t fixed_size_llseek(struct file *file, loff_t offset, int whence, loff_t size);
extern loff_t vfs_llseek(struct file *file, loff_t offset, int whence);
extern int generic_file_open(struct inode *inode, struct file *filp);
extern int nonseekable_open(struct inode *inode, struct file *filp);
extern int stream_open(struct inode *inode, struct file *filp);
extern int simple_open(struct inode *inode, struct file *file);
extern ssize_t simple_read_from_buffer(void __user *to, size_t count, loff_t *ppos, const void *from,
				       size_t available);
extern ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *ppos, const void __user *from,
				      size_t count);

extern struct file *filp_open(const char *filename, int flags, umode_t mode);
extern int filp_close(struct file *filp, void *id);
extern ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos);
extern ssize_t kernel_write(struct file *file, const void *buf, size_t count, loff_t *pos);
extern ssize_t vfs_read(struct file *file, char __user *buf, size_t count, loff_t *pos);
extern ssize_t vfs_write(struct file *file, const char __user *buf, size_t count, loff_t *pos);
extern int vfs_fsync(struct file *file, int datasync);
extern void fput(struct file *file);

struct iov_iter;
extern ssize_t generic_write_checks(struct kiocb *iocb, struct iov_iter *from);
extern ssize_t generic_file_read_iter(struct kiocb *iocb, struct iov_iter *to);
extern ssize_t generic_file_write_iter(struct kiocb *iocb, struct iov_iter *from);
extern ssize_t __generic_file_write_iter(struct kiocb *iocb, struct iov_iter *from);
extern int simple_read_folio(struct file *file, struct folio *folio);
extern int simple_write_begin(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
			      struct page **pagep, void **fsdata);
extern int simple_write_end(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
			    unsigned int copied, struct page *page, void *fsdata);
extern bool noop_dirty_folio(struct address_space *mapping, struct folio *folio);

extern struct inode *new_inode(struct super_block *sb);
extern void iput(struct inode *inode);
extern void ihold(struct inode *inode);
extern struct timespec64 current_time(struct inode *inode);
extern unsigned int get_next_ino(void);
extern void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev);
extern void inc_nlink(struct inode *inode);
extern void set_nlink(struct inode *inode, unsigned int nlink);

extern int fasync_helper(int fd, struct file *filp, int on, struct fasync_struct **fapp);
extern void kill_fasync(struct fasync_struct **fp, int sig, int band);

#define __getname() kmalloc(4096, GFP_KERNEL)
#define __putname(name) kfree(name)

/* Attributes of a single unsigned number, as debugfs has them. */
#define DEFINE_SIMPLE_ATTRIBUTE_XSIGNED(__fops, __get, __set, __fmt, __is_signed) \
	static int __fops ## _open(struct inode *inode, struct file *file) \
	{ \
		__simple_attr_check_format(__fmt, 0ull); \
		return simple_attr_open(inode, file, __get, __set, __fmt); \
	} \
	static const struct file_operations __fops = { \
		.owner = THIS_MODULE, \
		.open = __fops ## _open, \
		.release = simple_attr_release, \
		.read = simple_attr_read, \
		.write = (__is_signed) ? simple_attr_write_signed : simple_attr_write, \
		.llseek = generic_file_llseek, \
	}
#define DEFINE_SIMPLE_ATTRIBUTE(__fops, __get, __set, __fmt) \
	DEFINE_SIMPLE_ATTRIBUTE_XSIGNED(__fops, __get, __set, __fmt, false)
#define DEFINE_SIMPLE_ATTRIBUTE_SIGNED(__fops, __get, __set, __fmt) \
	DEFINE_SIMPLE_ATTRIBUTE_XSIGNED(__fops, __get, __set, __fmt, true)

static inline __printf(1, 2) void __simple_attr_check_format(const char *fmt, ...)
{
}

extern int simple_attr_open(struct inode *inode, struct file *file, int (*get)(void *, u64 *),
			    int (*set)(void *, u64), const char *fmt);
extern int simple_attr_release(struct inode *inode, struct file *file);
extern ssize_t simple_attr_read(struct file *file, char __user *buf, size_t len, loff_t *ppos);
extern ssize_t simple_attr_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos);
extern ssize_t simple_attr_write_signed(struct file *file, const char __user *buf, size_t len, loff_t *ppos);
