/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fs.h>

extern struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *priv, int flags);
extern int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags);
