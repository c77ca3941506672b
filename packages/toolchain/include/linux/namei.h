/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/path.h>
#include <linux/fcntl.h>
#include <linux/errno.h>

enum { MAX_NESTED_LINKS = 8 };
#define MAXSYMLINKS 40

#define LOOKUP_FOLLOW 0x0001
#define LOOKUP_DIRECTORY 0x0002
#define LOOKUP_AUTOMOUNT 0x0004
#define LOOKUP_EMPTY 0x4000
#define LOOKUP_REVAL 0x0020
#define LOOKUP_RCU 0x0040
#define LOOKUP_OPEN 0x0100
#define LOOKUP_CREATE 0x0200
#define LOOKUP_EXCL 0x0400
#define LOOKUP_RENAME_TARGET 0x0800

extern int kern_path(const char *name, unsigned int flags, struct path *path);
extern struct dentry *kern_path_create(int dfd, const char *pathname, struct path *path, unsigned int lookup_flags);
extern void done_path_create(struct path *path, struct dentry *dentry);
extern struct dentry *kern_path_locked(const char *name, struct path *parent);
extern int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt, const char *name, unsigned int flags,
			   struct path *path);
extern struct dentry *lookup_one_len(const char *name, struct dentry *base, int len);
extern struct dentry *lookup_one_len_unlocked(const char *name, struct dentry *base, int len);
extern struct dentry *lookup_positive_unlocked(const char *name, struct dentry *base, int len);
extern struct dentry *try_lookup_one_len(const char *name, struct dentry *base, int len);
extern struct dentry *lookup_one(struct user_namespace *mnt_userns, const char *name, struct dentry *base, int len);
extern int follow_up(struct path *path);
extern int follow_down_one(struct path *path);
extern struct dentry *lock_rename(struct dentry *p1, struct dentry *p2);
extern void unlock_rename(struct dentry *p1, struct dentry *p2);

/* Makes sure that a text that was copied somewhere ends there. */
static inline void nd_terminate_link(void *name, size_t len, size_t maxlen)
{
	((char *)name)[min(len, maxlen)] = '\0';
}
