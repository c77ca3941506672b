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
#include <uapi/linux/mount.h>

struct backing_dev_info;
struct block_device;
struct export_operations;
struct fasync_struct;
struct fs_context;
struct fs_parameter_spec;
struct iattr;
struct iov_iter;
struct kstat;
struct kstatfs;
struct net;
struct seq_file;
struct shrink_control;
struct user_namespace;
struct writeback_control;
struct xattr_handler;

typedef struct {
	int val[2];
} __kernel_fsid_t;

/* Super blocks, types of file system, mounts, tables of functions, attributes. */
#include <generated/vfs_types.h>

typedef bool (*filldir_t)(struct dir_context *ctx, const char *name, int namelen, loff_t offset, u64 ino,
			  unsigned int type);

#define FMODE_READ ((__force fmode_t)0x1)
#define FMODE_WRITE ((__force fmode_t)0x2)
#define FMODE_LSEEK ((__force fmode_t)0x4)
#define FMODE_PREAD ((__force fmode_t)0x8)
#define FMODE_PWRITE ((__force fmode_t)0x10)
#define FMODE_EXEC ((__force fmode_t)0x20)
#define FMODE_NDELAY ((__force fmode_t)0x40)
#define FMODE_EXCL ((__force fmode_t)0x80)
#define FMODE_NOCMTIME ((__force fmode_t)0x800)
#define FMODE_RANDOM ((__force fmode_t)0x1000)
#define FMODE_PATH ((__force fmode_t)0x4000)
#define FMODE_ATOMIC_POS ((__force fmode_t)0x8000)
#define FMODE_CAN_READ ((__force fmode_t)0x20000)
#define FMODE_CAN_WRITE ((__force fmode_t)0x40000)
#define FMODE_OPENED ((__force fmode_t)0x80000)
#define FMODE_CREATED ((__force fmode_t)0x100000)
#define FMODE_STREAM ((__force fmode_t)0x200000)
#define FMODE_NONOTIFY ((__force fmode_t)0x4000000)
#define FMODE_NOWAIT ((__force fmode_t)0x8000000)

#define IOCB_HIPRI 0x00000001
#define IOCB_DSYNC 0x00000002
#define IOCB_SYNC 0x00000004
#define IOCB_NOWAIT 0x00000008
#define IOCB_APPEND 0x00000010
#define IOCB_EVENTFD (1 << 16)
#define IOCB_DIRECT (1 << 17)
#define IOCB_WRITE (1 << 18)

#define MAY_EXEC 0x00000001
#define MAY_WRITE 0x00000002
#define MAY_READ 0x00000004
#define MAY_APPEND 0x00000008
#define MAY_ACCESS 0x00000010
#define MAY_OPEN 0x00000020
#define MAY_CHDIR 0x00000040
#define MAY_NOT_BLOCK 0x00000080

/* iattr.ia_valid: what is to be changed. */
#define ATTR_MODE (1 << 0)
#define ATTR_UID (1 << 1)
#define ATTR_GID (1 << 2)
#define ATTR_SIZE (1 << 3)
#define ATTR_ATIME (1 << 4)
#define ATTR_MTIME (1 << 5)
#define ATTR_CTIME (1 << 6)
#define ATTR_ATIME_SET (1 << 7)
#define ATTR_MTIME_SET (1 << 8)
#define ATTR_FORCE (1 << 9)
#define ATTR_KILL_SUID (1 << 11)
#define ATTR_KILL_SGID (1 << 12)
#define ATTR_FILE (1 << 13)
#define ATTR_KILL_PRIV (1 << 14)
#define ATTR_OPEN (1 << 15)
#define ATTR_TIMES_SET (1 << 16)
#define ATTR_TOUCH (1 << 17)

/* file_system_type.fs_flags */
#define FS_REQUIRES_DEV 1
#define FS_BINARY_MOUNTDATA 2
#define FS_HAS_SUBTYPE 4
#define FS_USERNS_MOUNT 8
#define FS_DISALLOW_NOTIFY_PERM 16
#define FS_ALLOW_IDMAP 32
#define FS_RENAME_DOES_D_MOVE 32768

/* super_block.s_flags */
#define SB_RDONLY 1
#define SB_NOSUID 2
#define SB_NODEV 4
#define SB_NOEXEC 8
#define SB_SYNCHRONOUS 16
#define SB_MANDLOCK 64
#define SB_DIRSYNC 128
#define SB_NOATIME 1024
#define SB_NODIRATIME 2048
#define SB_SILENT 32768
#define SB_POSIXACL (1 << 16)
#define SB_INLINECRYPT (1 << 17)
#define SB_KERNMOUNT (1 << 22)
#define SB_I_VERSION (1 << 23)
#define SB_LAZYTIME (1 << 25)
#define SB_FORCE (1 << 27)
#define SB_NOSEC (1 << 28)
#define SB_BORN (1 << 29)
#define SB_ACTIVE (1 << 30)
#define SB_NOUSER (1 << 31)

/* super_block.s_iflags */
#define SB_I_CGROUPWB 0x00000001
#define SB_I_NOEXEC 0x00000002
#define SB_I_NODEV 0x00000004
#define SB_I_STABLE_WRITES 0x00000008
#define SB_I_USERNS_VISIBLE 0x00000010

/* inode.i_flags */
#define S_SYNC (1 << 0)
#define S_NOATIME (1 << 1)
#define S_APPEND (1 << 2)
#define S_IMMUTABLE (1 << 3)
#define S_DEAD (1 << 4)
#define S_NOQUOTA (1 << 5)
#define S_DIRSYNC (1 << 6)
#define S_NOCMTIME (1 << 7)
#define S_SWAPFILE (1 << 8)
#define S_PRIVATE (1 << 9)
#define S_IMA (1 << 10)
#define S_AUTOMOUNT (1 << 11)
#define S_NOSEC (1 << 12)

#define __IS_FLG(inode, flg) ((inode)->i_sb->s_flags & (flg))
#define IS_RDONLY(inode) ((inode)->i_sb->s_flags & SB_RDONLY)
#define IS_SYNC(inode) (__IS_FLG(inode, SB_SYNCHRONOUS) || ((inode)->i_flags & S_SYNC))
#define IS_DIRSYNC(inode) \
	(__IS_FLG(inode, SB_SYNCHRONOUS | SB_DIRSYNC) || ((inode)->i_flags & (S_SYNC | S_DIRSYNC)))
#define IS_NOATIME(inode) __IS_FLG(inode, SB_RDONLY | SB_NOATIME)
#define IS_I_VERSION(inode) __IS_FLG(inode, SB_I_VERSION)
#define IS_NOQUOTA(inode) ((inode)->i_flags & S_NOQUOTA)
#define IS_APPEND(inode) ((inode)->i_flags & S_APPEND)
#define IS_IMMUTABLE(inode) ((inode)->i_flags & S_IMMUTABLE)
#define IS_POSIXACL(inode) __IS_FLG(inode, SB_POSIXACL)
#define IS_DEADDIR(inode) ((inode)->i_flags & S_DEAD)
#define IS_NOCMTIME(inode) ((inode)->i_flags & S_NOCMTIME)
#define IS_SWAPFILE(inode) ((inode)->i_flags & S_SWAPFILE)
#define IS_PRIVATE(inode) ((inode)->i_flags & S_PRIVATE)

/* inode.i_state */
#define I_DIRTY_SYNC (1 << 0)
#define I_DIRTY_DATASYNC (1 << 1)
#define I_DIRTY_PAGES (1 << 2)
#define __I_NEW 3
#define I_NEW (1 << __I_NEW)
#define I_WILL_FREE (1 << 4)
#define I_FREEING (1 << 5)
#define I_CLEAR (1 << 6)
#define I_SYNC (1 << 7)
#define I_REFERENCED (1 << 8)
#define I_LINKABLE (1 << 10)
#define I_DIRTY_TIME (1 << 11)
#define I_CREATING (1 << 15)
#define I_DONTCACHE (1 << 16)
#define I_DIRTY_INODE (I_DIRTY_SYNC | I_DIRTY_DATASYNC)
#define I_DIRTY (I_DIRTY_INODE | I_DIRTY_PAGES)
#define I_DIRTY_ALL (I_DIRTY | I_DIRTY_TIME)

#define MAX_NON_LFS ((1UL << 31) - 1)
#define MAX_LFS_FILESIZE ((loff_t)LLONG_MAX)
#define DEV_MINOR_MAX 256

enum file_time_flags {
	S_ATIME = 1,
	S_MTIME = 2,
	S_CTIME = 4,
	S_VERSION = 8,
};

/* What a folder's entry is, in dir_emit() and getdents(). */
#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
#define DT_WHT 14

#define S_DT_SHIFT 12
#define S_DT(mode) (((mode) & S_IFMT) >> S_DT_SHIFT)

static inline unsigned char fs_umode_to_dtype(umode_t mode)
{
	return S_DT(mode);
}

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
extern loff_t vfs_setpos(struct file *file, loff_t offset, loff_t maxsize);
extern loff_t generic_file_llseek_size(struct file *file, loff_t offset, int whence, loff_t maxsize, loff_t eof);
extern int generic_file_open(struct inode *inode, struct file *filp);
extern int nonseekable_open(struct inode *inode, struct file *filp);
extern int stream_open(struct inode *inode, struct file *filp);
extern int simple_open(struct inode *inode, struct file *file);
extern ssize_t simple_read_from_buffer(void __user *to, size_t count, loff_t *ppos, const void *from,
				       size_t available);
extern ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *ppos, const void __user *from,
				      size_t count);

/* Files that the kernel opens, and what it does with them. */
extern struct file *filp_open(const char *filename, int flags, umode_t mode);
extern struct file *file_open_root(const struct path *root, const char *filename, int flags, umode_t mode);
extern struct file *dentry_open(const struct path *path, int flags, const struct cred *creds);
extern int filp_close(struct file *filp, void *id);
extern ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos);
extern ssize_t kernel_write(struct file *file, const void *buf, size_t count, loff_t *pos);
extern ssize_t vfs_read(struct file *file, char __user *buf, size_t count, loff_t *pos);
extern ssize_t vfs_write(struct file *file, const char __user *buf, size_t count, loff_t *pos);
extern int vfs_fsync(struct file *file, int datasync);
extern int vfs_fsync_range(struct file *file, loff_t start, loff_t end, int datasync);
extern int iterate_dir(struct file *file, struct dir_context *ctx);
extern void fput(struct file *file);
extern char *file_path(struct file *filp, char *buf, int buflen);

/* What is done by name, once the names have been looked up. */
extern int vfs_create(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode,
		      bool want_excl);
extern int vfs_mkdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode);
extern int vfs_mknod(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry, umode_t mode,
		     dev_t dev);
extern int vfs_symlink(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry,
		       const char *oldname);
extern int vfs_link(struct dentry *old_dentry, struct user_namespace *mnt_userns, struct inode *dir,
		    struct dentry *new_dentry, struct inode **delegated_inode);
extern int vfs_rmdir(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry);
extern int vfs_unlink(struct user_namespace *mnt_userns, struct inode *dir, struct dentry *dentry,
		      struct inode **delegated_inode);

struct renamedata {
	struct user_namespace *old_mnt_userns;
	struct inode *old_dir;
	struct dentry *old_dentry;
	struct user_namespace *new_mnt_userns;
	struct inode *new_dir;
	struct dentry *new_dentry;
	struct inode **delegated_inode;
	unsigned int flags;
};
extern int vfs_rename(struct renamedata *rd);
extern const char *vfs_get_link(struct dentry *dentry, struct delayed_call *done);
extern int vfs_getattr(const struct path *path, struct kstat *stat, u32 request_mask, unsigned int query_flags);
extern int vfs_statfs(const struct path *path, struct kstatfs *buf);
extern long vfs_truncate(const struct path *path, loff_t length);
extern int notify_change(struct user_namespace *mnt_userns, struct dentry *dentry, struct iattr *attr,
			 struct inode **delegated_inode);
extern int inode_permission(struct user_namespace *mnt_userns, struct inode *inode, int mask);
extern int generic_permission(struct user_namespace *mnt_userns, struct inode *inode, int mask);
extern bool inode_owner_or_capable(struct user_namespace *mnt_userns, const struct inode *inode);

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

/* Nothing of a user's maps files: a file system may name these, and nobody calls them. */
extern int generic_file_mmap(struct file *file, struct vm_area_struct *vma);
extern int generic_file_readonly_mmap(struct file *file, struct vm_area_struct *vma);
struct pipe_inode_info;
extern ssize_t generic_file_splice_read(struct file *in, loff_t *ppos, void *pipe, size_t len, unsigned int flags);
extern ssize_t iter_file_splice_write(void *pipe, struct file *out, loff_t *ppos, size_t len, unsigned int flags);
extern unsigned long generic_file_get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
						    unsigned long pgoff, unsigned long flags);
extern int generic_file_fsync(struct file *file, loff_t start, loff_t end, int datasync);
extern int noop_fsync(struct file *file, loff_t start, loff_t end, int datasync);

/* Types of file system, and super blocks. */
extern int register_filesystem(struct file_system_type *fs);
extern int unregister_filesystem(struct file_system_type *fs);
extern struct file_system_type *get_fs_type(const char *name);
extern void put_filesystem(struct file_system_type *fs);
extern struct file_system_type *get_filesystem(struct file_system_type *fs);
extern struct dentry *mount_nodev(struct file_system_type *fs_type, int flags, void *data,
				  int (*fill_super)(struct super_block *sb, void *data, int silent));
extern struct dentry *mount_single(struct file_system_type *fs_type, int flags, void *data,
				   int (*fill_super)(struct super_block *sb, void *data, int silent));
extern struct super_block *sget(struct file_system_type *type, int (*test)(struct super_block *sb, void *data),
				int (*set)(struct super_block *sb, void *data), int flags, void *data);
extern int set_anon_super(struct super_block *sb, void *data);
extern void generic_shutdown_super(struct super_block *sb);
extern void kill_anon_super(struct super_block *sb);
extern void kill_litter_super(struct super_block *sb);
extern void deactivate_super(struct super_block *sb);
extern void deactivate_locked_super(struct super_block *sb);
extern void iterate_supers_type(struct file_system_type *type, void (*f)(struct super_block *sb, void *arg), void *arg);
extern struct vfsmount *kern_mount(struct file_system_type *type);
extern void kern_unmount(struct vfsmount *mnt);
extern int simple_pin_fs(struct file_system_type *type, struct vfsmount **mount, int *count);
extern void simple_release_fs(struct vfsmount **mount, int *count);


/* File systems that are nothing but their dentries. */
extern const struct address_space_operations ram_aops;
extern const struct file_operations simple_dir_operations;
extern const struct file_operations generic_ro_fops;
extern const struct inode_operations simple_dir_inode_operations;
extern const struct inode_operations simple_symlink_inode_operations;
extern const struct inode_operations page_symlink_inode_operations;
extern const struct dentry_operations simple_dentry_operations;
extern const struct super_operations simple_super_operations;
extern int simple_fill_super(struct super_block *sb, unsigned long magic, const struct tree_descr *files);
extern struct dentry *simple_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags);
extern int simple_link(struct dentry *old_dentry, struct inode *dir, struct dentry *dentry);
extern int simple_unlink(struct inode *dir, struct dentry *dentry);
extern int simple_rmdir(struct inode *dir, struct dentry *dentry);
extern int simple_empty(struct dentry *dentry);
extern int simple_rename(struct user_namespace *mnt_userns, struct inode *old_dir, struct dentry *old_dentry,
			 struct inode *new_dir, struct dentry *new_dentry, unsigned int flags);
extern int simple_setattr(struct user_namespace *mnt_userns, struct dentry *dentry, struct iattr *attr);
extern int simple_getattr(struct user_namespace *mnt_userns, const struct path *path, struct kstat *stat,
			  u32 request_mask, unsigned int query_flags);
extern int simple_statfs(struct dentry *dentry, struct kstatfs *buf);
extern void simple_recursive_removal(struct dentry *dentry, void (*callback)(struct dentry *dentry));
extern const char *simple_get_link(struct dentry *dentry, struct inode *inode, struct delayed_call *done);
extern int simple_nosetlease(struct file *file, long arg, void **flp, void **priv);
extern int always_delete_dentry(const struct dentry *dentry);
extern int dcache_dir_open(struct inode *inode, struct file *file);
extern int dcache_dir_close(struct inode *inode, struct file *file);
extern loff_t dcache_dir_lseek(struct file *file, loff_t offset, int whence);
extern int dcache_readdir(struct file *file, struct dir_context *ctx);
extern ssize_t generic_read_dir(struct file *file, char __user *buf, size_t size, loff_t *ppos);
extern int page_symlink(struct inode *inode, const char *symname, int len);
extern const char *page_get_link(struct dentry *dentry, struct inode *inode, struct delayed_call *done);
extern void page_put_link(void *arg);

/* Attributes. */
extern int setattr_prepare(struct user_namespace *mnt_userns, struct dentry *dentry, struct iattr *attr);
extern void setattr_copy(struct user_namespace *mnt_userns, struct inode *inode, const struct iattr *attr);
extern int inode_newsize_ok(const struct inode *inode, loff_t offset);
extern void generic_fillattr(struct user_namespace *mnt_userns, struct inode *inode, struct kstat *stat);
extern void truncate_setsize(struct inode *inode, loff_t newsize);

/* Inodes. */
extern struct inode *new_inode(struct super_block *sb);
extern struct inode *new_inode_pseudo(struct super_block *sb);
extern void iput(struct inode *inode);
extern void ihold(struct inode *inode);
extern struct inode *igrab(struct inode *inode);
extern struct inode *ilookup(struct super_block *sb, unsigned long ino);
extern struct inode *ilookup5(struct super_block *sb, unsigned long hashval, int (*test)(struct inode *inode, void *data),
			      void *data);
extern struct inode *iget_locked(struct super_block *sb, unsigned long ino);
extern struct inode *iget5_locked(struct super_block *sb, unsigned long hashval,
				  int (*test)(struct inode *inode, void *data),
				  int (*set)(struct inode *inode, void *data), void *data);
extern void unlock_new_inode(struct inode *inode);
extern void iget_failed(struct inode *inode);
extern void make_bad_inode(struct inode *inode);
extern bool is_bad_inode(struct inode *inode);
extern void clear_inode(struct inode *inode);
extern void inode_init_once(struct inode *inode);
extern void inode_init_owner(struct user_namespace *mnt_userns, struct inode *inode, const struct inode *dir,
			     umode_t mode);
extern void inode_nohighmem(struct inode *inode);
extern void __insert_inode_hash(struct inode *inode, unsigned long hashval);
extern void __remove_inode_hash(struct inode *inode);
extern int generic_delete_inode(struct inode *inode);
extern int generic_drop_inode(struct inode *inode);
extern void __mark_inode_dirty(struct inode *inode, int flags);
extern struct timespec64 current_time(struct inode *inode);
extern struct timespec64 timestamp_truncate(struct timespec64 t, struct inode *inode);
extern int generic_update_time(struct inode *inode, struct timespec64 *time, int flags);
extern int file_update_time(struct file *file);
extern void touch_atime(const struct path *path);
extern ino_t iunique(struct super_block *sb, ino_t max_reserved);
extern unsigned int get_next_ino(void);
extern void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev);
extern void inc_nlink(struct inode *inode);
extern void drop_nlink(struct inode *inode);
extern void clear_nlink(struct inode *inode);
extern void set_nlink(struct inode *inode, unsigned int nlink);
extern umode_t mode_strip_sgid(struct user_namespace *mnt_userns, const struct inode *dir, umode_t mode);

static inline void inode_lock(struct inode *inode)
{
	down_write(&inode->i_rwsem);
}

static inline void inode_unlock(struct inode *inode)
{
	up_write(&inode->i_rwsem);
}

static inline void inode_lock_shared(struct inode *inode)
{
	down_read(&inode->i_rwsem);
}

static inline void inode_unlock_shared(struct inode *inode)
{
	up_read(&inode->i_rwsem);
}

static inline int inode_trylock(struct inode *inode)
{
	return down_write_trylock(&inode->i_rwsem);
}

static inline int inode_is_locked(struct inode *inode)
{
	return rwsem_is_locked(&inode->i_rwsem);
}

enum inode_i_mutex_lock_class {
	I_MUTEX_NORMAL,
	I_MUTEX_PARENT,
	I_MUTEX_CHILD,
	I_MUTEX_XATTR,
	I_MUTEX_NONDIR2,
	I_MUTEX_PARENT2,
};
#define inode_lock_nested(inode, subclass) inode_lock(inode)

static inline void i_uid_write(struct inode *inode, uid_t uid)
{
	inode->i_uid = KUIDT_INIT(uid);
}

static inline void i_gid_write(struct inode *inode, gid_t gid)
{
	inode->i_gid = KGIDT_INIT(gid);
}

/* There is one user namespace: owners are the same by all mounts. */
static inline kuid_t i_uid_into_mnt(struct user_namespace *mnt_userns, const struct inode *inode)
{
	return inode->i_uid;
}

static inline kgid_t i_gid_into_mnt(struct user_namespace *mnt_userns, const struct inode *inode)
{
	return inode->i_gid;
}

static inline struct user_namespace *file_mnt_user_ns(struct file *file)
{
	return &init_user_ns;
}

static inline void inode_inc_link_count(struct inode *inode)
{
	inc_nlink(inode);
	__mark_inode_dirty(inode, I_DIRTY);
}

static inline void inode_dec_link_count(struct inode *inode)
{
	drop_nlink(inode);
	__mark_inode_dirty(inode, I_DIRTY);
}

static inline void mark_inode_dirty(struct inode *inode)
{
	__mark_inode_dirty(inode, I_DIRTY);
}

static inline void mark_inode_dirty_sync(struct inode *inode)
{
	__mark_inode_dirty(inode, I_DIRTY_SYNC);
}

static inline void file_accessed(struct file *file)
{
	if (!(file->f_flags & O_NOATIME))
		touch_atime(&file->f_path);
}

static inline int inode_unhashed(struct inode *inode)
{
	return hlist_unhashed(&inode->i_hash);
}

static inline void insert_inode_hash(struct inode *inode)
{
	__insert_inode_hash(inode, inode->i_ino);
}

static inline void remove_inode_hash(struct inode *inode)
{
	if (!inode_unhashed(inode))
		__remove_inode_hash(inode);
}

static inline bool sb_rdonly(const struct super_block *sb)
{
	return sb->s_flags & SB_RDONLY;
}

static inline bool inode_wrong_type(const struct inode *inode, umode_t mode)
{
	return (inode->i_mode ^ mode) & S_IFMT;
}

static inline void inode_inc_iversion(struct inode *inode)
{
	atomic64_inc(&inode->i_version);
}

static inline bool execute_ok(struct inode *inode)
{
	return (inode->i_mode & S_IXUGO) || S_ISDIR(inode->i_mode);
}

/* Entries of a folder, one by one to whoever reads it. */
static inline bool dir_emit(struct dir_context *ctx, const char *name, int namelen, u64 ino, unsigned int type)
{
	return ctx->actor(ctx, name, namelen, ctx->pos, ino, type);
}

static inline bool dir_emit_dot(struct file *file, struct dir_context *ctx)
{
	return ctx->actor(ctx, ".", 1, ctx->pos, file->f_path.dentry->d_inode->i_ino, DT_DIR);
}

static inline bool dir_emit_dotdot(struct file *file, struct dir_context *ctx)
{
	return ctx->actor(ctx, "..", 2, ctx->pos, file->f_path.dentry->d_parent->d_inode->i_ino, DT_DIR);
}

static inline bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	if (ctx->pos == 0) {
		if (!dir_emit_dot(file, ctx))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!dir_emit_dotdot(file, ctx))
			return false;
		ctx->pos = 2;
	}
	return true;
}

static inline bool dir_relax(struct inode *inode)
{
	return !IS_DEADDIR(inode);
}

static inline void set_delayed_call(struct delayed_call *call, void (*fn)(void *arg), void *arg)
{
	call->fn = fn;
	call->arg = arg;
}

static inline void do_delayed_call(struct delayed_call *call)
{
	if (call->fn)
		call->fn(call->arg);
}

static inline void clear_delayed_call(struct delayed_call *call)
{
	call->fn = NULL;
}

static inline void init_sync_kiocb(struct kiocb *kiocb, struct file *filp)
{
	*kiocb = (struct kiocb) {
		.ki_filp = filp,
		.ki_flags = (filp->f_flags & O_APPEND) ? IOCB_APPEND : 0,
	};
}

static inline bool is_sync_kiocb(struct kiocb *kiocb)
{
	return kiocb->ki_complete == NULL;
}

static inline ssize_t call_read_iter(struct file *file, struct kiocb *kio, struct iov_iter *iter)
{
	return file->f_op->read_iter(kio, iter);
}

static inline ssize_t call_write_iter(struct file *file, struct kiocb *kio, struct iov_iter *iter)
{
	return file->f_op->write_iter(kio, iter);
}

#define inode_set_flags(inode, flags, mask) ((inode)->i_flags = ((inode)->i_flags & ~(mask)) | ((flags) & (mask)))
#define alloc_inode_sb(_sb, _cache, _gfp) kmem_cache_alloc_lru(_cache, NULL, _gfp)

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
