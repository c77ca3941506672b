/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/compiler.h>

struct device;

struct debugfs_blob_wrapper {
	void *data;
	unsigned long size;
};

struct debugfs_u32_array {
	u32 *array;
	u32 n_elements;
};

#define DEFINE_DEBUGFS_ATTRIBUTE(__fops, __get, __set, __fmt) DEFINE_SIMPLE_ATTRIBUTE(__fops, __get, __set, __fmt)
#define DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(__fops, __get, __set, __fmt) \
	DEFINE_SIMPLE_ATTRIBUTE_SIGNED(__fops, __get, __set, __fmt)

extern struct dentry *debugfs_lookup(const char *name, struct dentry *parent);
extern void debugfs_lookup_and_remove(const char *name, struct dentry *parent);
extern struct dentry *debugfs_create_file(const char *name, umode_t mode, struct dentry *parent, void *data,
					  const struct file_operations *fops);
extern struct dentry *debugfs_create_file_unsafe(const char *name, umode_t mode, struct dentry *parent, void *data,
						 const struct file_operations *fops);
extern void debugfs_create_file_size(const char *name, umode_t mode, struct dentry *parent, void *data,
				     const struct file_operations *fops, loff_t file_size);
extern struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);
extern struct dentry *debugfs_create_symlink(const char *name, struct dentry *parent, const char *dest);
extern void debugfs_remove(struct dentry *dentry);
#define debugfs_remove_recursive debugfs_remove
extern struct dentry *debugfs_rename(struct dentry *old_dir, struct dentry *old_dentry, struct dentry *new_dir,
				     const char *new_name);
extern void debugfs_create_u8(const char *name, umode_t mode, struct dentry *parent, u8 *value);
extern void debugfs_create_u16(const char *name, umode_t mode, struct dentry *parent, u16 *value);
extern void debugfs_create_u32(const char *name, umode_t mode, struct dentry *parent, u32 *value);
extern void debugfs_create_u64(const char *name, umode_t mode, struct dentry *parent, u64 *value);
extern void debugfs_create_ulong(const char *name, umode_t mode, struct dentry *parent, unsigned long *value);
extern void debugfs_create_x8(const char *name, umode_t mode, struct dentry *parent, u8 *value);
extern void debugfs_create_x16(const char *name, umode_t mode, struct dentry *parent, u16 *value);
extern void debugfs_create_x32(const char *name, umode_t mode, struct dentry *parent, u32 *value);
extern void debugfs_create_x64(const char *name, umode_t mode, struct dentry *parent, u64 *value);
extern void debugfs_create_size_t(const char *name, umode_t mode, struct dentry *parent, size_t *value);
extern void debugfs_create_atomic_t(const char *name, umode_t mode, struct dentry *parent, atomic_t *value);
extern void debugfs_create_bool(const char *name, umode_t mode, struct dentry *parent, bool *value);
extern void debugfs_create_str(const char *name, umode_t mode, struct dentry *parent, char * *value);
extern struct dentry *debugfs_create_blob(const char *name, umode_t mode, struct dentry *parent,
					  struct debugfs_blob_wrapper *blob);
extern void debugfs_create_u32_array(const char *name, umode_t mode, struct dentry *parent,
				     struct debugfs_u32_array *array);
extern void debugfs_create_devm_seqfile(struct device *dev, const char *name, struct dentry *parent,
					int (*read_fn)(struct seq_file *s, void *data));
extern bool debugfs_initialized(void);
