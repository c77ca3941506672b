/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/path.h>
#include <linux/spinlock.h>
#include <linux/fs.h>
#include <linux/sched.h>

static inline void get_fs_root(struct fs_struct *fs, struct path *root)
{
	*root = fs->root;
	path_get(root);
}

static inline void get_fs_pwd(struct fs_struct *fs, struct path *pwd)
{
	*pwd = fs->pwd;
	path_get(pwd);
}

static inline int current_umask(void)
{
	return current->fs ? current->fs->umask : 022;
}
