/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

struct dentry;
struct vfsmount;

#include <linux/fs_types.h>

extern void path_get(const struct path *path);
extern void path_put(const struct path *path);

static inline int path_equal(const struct path *path1, const struct path *path2)
{
	return path1->mnt == path2->mnt && path1->dentry == path2->dentry;
}
