/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/path.h>

#define IS_ROOT(x) ((x) == (x)->d_parent)
#define QSTR_INIT(n, l) { .len = l, .name = (const unsigned char *)(n) }

extern struct dentry *dget_parent(struct dentry *dentry);
extern struct dentry *dget(struct dentry *dentry);
extern void dput(struct dentry *dentry);
extern char *d_path(const struct path *path, char *buf, int buflen);
extern char *dentry_path_raw(const struct dentry *dentry, char *buf, int buflen);
extern char *simple_dname(struct dentry *dentry, char *buffer, int buflen);
extern void d_instantiate(struct dentry *dentry, struct inode *inode);
extern void d_add(struct dentry *dentry, struct inode *inode);
extern struct dentry *d_make_root(struct inode *root_inode);
extern void d_delete(struct dentry *dentry);
extern void d_drop(struct dentry *dentry);

static inline struct inode *d_inode(const struct dentry *dentry)
{
	return dentry->d_inode;
}

static inline struct inode *d_backing_inode(const struct dentry *upper)
{
	return upper->d_inode;
}

static inline bool d_really_is_positive(const struct dentry *dentry)
{
	return dentry->d_inode != NULL;
}

static inline bool d_really_is_negative(const struct dentry *dentry)
{
	return dentry->d_inode == NULL;
}
