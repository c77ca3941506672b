/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kernel.h>
#include <linux/refcount.h>
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/fs.h>

enum fs_context_purpose {
	FS_CONTEXT_FOR_MOUNT,
	FS_CONTEXT_FOR_SUBMOUNT,
	FS_CONTEXT_FOR_RECONFIGURE,
};

enum fs_context_phase {
	FS_CONTEXT_CREATE_PARAMS,
	FS_CONTEXT_CREATING,
	FS_CONTEXT_AWAITING_MOUNT,
	FS_CONTEXT_AWAITING_RECONF,
	FS_CONTEXT_RECONF_PARAMS,
	FS_CONTEXT_RECONFIGURING,
	FS_CONTEXT_FAILED,
};

enum fs_value_type {
	fs_value_is_undefined,
	fs_value_is_flag,
	fs_value_is_string,
	fs_value_is_blob,
	fs_value_is_filename,
	fs_value_is_file,
};

/* An option was none of ours. */
#define ENOPARAM 519

extern int get_tree_nodev(struct fs_context *fc, int (*fill_super)(struct super_block *sb, struct fs_context *fc));
extern int get_tree_single(struct fs_context *fc, int (*fill_super)(struct super_block *sb, struct fs_context *fc));
extern int get_tree_single_reconf(struct fs_context *fc,
				  int (*fill_super)(struct super_block *sb, struct fs_context *fc));
extern int get_tree_keyed(struct fs_context *fc, int (*fill_super)(struct super_block *sb, struct fs_context *fc),
			  void *key);
extern int vfs_get_tree(struct fs_context *fc);
extern int vfs_parse_fs_param(struct fs_context *fc, struct fs_parameter *param);
extern int vfs_parse_fs_param_source(struct fs_context *fc, struct fs_parameter *param);
extern int vfs_parse_fs_string(struct fs_context *fc, const char *key, const char *value, size_t v_size);
extern int generic_parse_monolithic(struct fs_context *fc, void *data);
extern void put_fs_context(struct fs_context *fc);
extern struct fs_context *fs_context_for_mount(struct file_system_type *fs_type, unsigned int sb_flags);
extern __printf(4, 5) void logfc(void *log, const char *prefix, char level, const char *fmt, ...);

#define infof(fc, fmt, ...) logfc(NULL, NULL, 'i', fmt, ##__VA_ARGS__)
#define warnf(fc, fmt, ...) logfc(NULL, NULL, 'w', fmt, ##__VA_ARGS__)
#define errorf(fc, fmt, ...) logfc(NULL, NULL, 'e', fmt, ##__VA_ARGS__)
#define invalf(fc, fmt, ...) (errorf(fc, fmt, ##__VA_ARGS__), -EINVAL)
#define info_plog(p, fmt, ...) logfc((p)->log, (p)->prefix, 'i', fmt, ##__VA_ARGS__)
#define warn_plog(p, fmt, ...) logfc((p)->log, (p)->prefix, 'w', fmt, ##__VA_ARGS__)
#define error_plog(p, fmt, ...) logfc((p)->log, (p)->prefix, 'e', fmt, ##__VA_ARGS__)
#define inval_plog(p, fmt, ...) (error_plog(p, fmt, ##__VA_ARGS__), -EINVAL)
