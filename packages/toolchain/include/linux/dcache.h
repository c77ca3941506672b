/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/path.h>

#define IS_ROOT(x) ((x) == (x)->d_parent)
#define QSTR_INIT(n, l) { .len = l, .name = (const unsigned char *)(n) }
#define DNAME_INLINE_LEN 32

/* dentry.d_flags */
#define DCACHE_OP_REVALIDATE 0x00000004
#define DCACHE_OP_DELETE 0x00000008
#define DCACHE_DISCONNECTED 0x00000020
#define DCACHE_REFERENCED 0x00000040
#define DCACHE_DONTCACHE 0x00000080
#define DCACHE_MOUNTED 0x00010000
#define DCACHE_NEED_AUTOMOUNT 0x00020000

extern struct dentry *d_alloc(struct dentry *parent, const struct qstr *name);
extern struct dentry *d_alloc_name(struct dentry *parent, const char *name);
extern struct dentry *dget_parent(struct dentry *dentry);
extern struct dentry *dget(struct dentry *dentry);
extern void dput(struct dentry *dentry);
extern char *d_path(const struct path *path, char *buf, int buflen);
extern char *d_absolute_path(const struct path *path, char *buf, int buflen);
extern char *dentry_path_raw(const struct dentry *dentry, char *buf, int buflen);
extern char *dentry_path(const struct dentry *dentry, char *buf, int buflen);
extern char *simple_dname(struct dentry *dentry, char *buffer, int buflen);
extern __printf(3, 4) char *dynamic_dname(char *buffer, int buflen, const char *fmt, ...);
extern void d_instantiate(struct dentry *dentry, struct inode *inode);
extern void d_instantiate_new(struct dentry *dentry, struct inode *inode);
extern void d_add(struct dentry *dentry, struct inode *inode);
extern struct dentry *d_splice_alias(struct inode *inode, struct dentry *dentry);
extern struct dentry *d_make_root(struct inode *root_inode);
extern struct dentry *d_find_alias(struct inode *inode);
extern struct dentry *d_find_any_alias(struct inode *inode);
extern struct dentry *d_obtain_alias(struct inode *inode);
extern void d_prune_aliases(struct inode *inode);
extern void d_delete(struct dentry *dentry);
extern void d_drop(struct dentry *dentry);
extern void d_rehash(struct dentry *dentry);
extern void d_move(struct dentry *dentry, struct dentry *target);
extern void d_genocide(struct dentry *root);
extern void d_invalidate(struct dentry *dentry);
extern void d_set_d_op(struct dentry *dentry, const struct dentry_operations *op);
extern struct dentry *d_lookup(const struct dentry *parent, const struct qstr *name);
extern struct dentry *d_hash_and_lookup(struct dentry *dir, struct qstr *name);
extern void shrink_dcache_parent(struct dentry *parent);
extern void shrink_dcache_sb(struct super_block *sb);
extern bool is_subdir(struct dentry *dentry, struct dentry *above);
extern unsigned int full_name_hash(const void *salt, const char *name, unsigned int len);

/* How many hold a dentry. */
static inline unsigned int d_count(const struct dentry *dentry)
{
	return dentry->d_count;
}

/* With the lock of the dentry held. */
static inline struct dentry *dget_dlock(struct dentry *dentry)
{
	return dget(dentry);
}

static inline int d_unhashed(const struct dentry *dentry)
{
	return hlist_unhashed(&dentry->d_hash);
}

static inline int d_unlinked(const struct dentry *dentry)
{
	return d_unhashed(dentry) && !IS_ROOT(dentry);
}

static inline bool d_mountpoint(const struct dentry *dentry)
{
	return dentry->d_flags & DCACHE_MOUNTED;
}

static inline int simple_positive(const struct dentry *dentry)
{
	return dentry->d_inode != NULL && !d_unhashed(dentry);
}

static inline struct inode *d_inode(const struct dentry *dentry)
{
	return dentry->d_inode;
}

static inline struct inode *d_inode_rcu(const struct dentry *dentry)
{
	return READ_ONCE(dentry->d_inode);
}

static inline struct inode *d_backing_inode(const struct dentry *upper)
{
	return upper->d_inode;
}

static inline struct dentry *d_real(struct dentry *dentry, const struct inode *inode)
{
	return dentry;
}

static inline struct inode *d_real_inode(const struct dentry *dentry)
{
	return dentry->d_inode;
}

static inline bool d_really_is_positive(const struct dentry *dentry)
{
	return dentry->d_inode != NULL;
}

static inline bool d_really_is_negative(const struct dentry *dentry)
{
	return dentry->d_inode == NULL;
}

static inline bool d_is_positive(const struct dentry *dentry)
{
	return dentry->d_inode != NULL;
}

static inline bool d_is_negative(const struct dentry *dentry)
{
	return dentry->d_inode == NULL;
}

#define __d_is_type(dentry, type) ((dentry)->d_inode != NULL && ((dentry)->d_inode->i_mode & 0170000) == (type))
#define d_is_dir(dentry) __d_is_type(dentry, 0040000)
#define d_is_reg(dentry) __d_is_type(dentry, 0100000)
#define d_is_symlink(dentry) __d_is_type(dentry, 0120000)
#define d_is_special(dentry) \
	((dentry)->d_inode != NULL && !d_is_dir(dentry) && !d_is_reg(dentry) && !d_is_symlink(dentry))
#define d_is_file(dentry) (d_is_reg(dentry) || d_is_special(dentry))
#define d_can_lookup(dentry) d_is_dir(dentry)
