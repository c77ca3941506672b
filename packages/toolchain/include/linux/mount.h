/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/fs.h>
#include <uapi/linux/mount.h>

/* vfsmount.mnt_flags */
#define MNT_NOSUID 0x01
#define MNT_NODEV 0x02
#define MNT_NOEXEC 0x04
#define MNT_NOATIME 0x08
#define MNT_NODIRATIME 0x10
#define MNT_RELATIME 0x20
#define MNT_READONLY 0x40
#define MNT_INTERNAL 0x4000

extern struct vfsmount *mntget(struct vfsmount *mnt);
extern void mntput(struct vfsmount *mnt);
extern struct vfsmount *vfs_kern_mount(struct file_system_type *type, int flags, const char *name, void *data);
extern int mnt_want_write(struct vfsmount *mnt);
extern void mnt_drop_write(struct vfsmount *mnt);
extern int mnt_want_write_file(struct file *file);
extern void mnt_drop_write_file(struct file *file);
extern bool __mnt_is_readonly(struct vfsmount *mnt);
extern bool path_is_mountpoint(const struct path *path);

static inline struct user_namespace *mnt_user_ns(const struct vfsmount *mnt)
{
	return &init_user_ns;
}
