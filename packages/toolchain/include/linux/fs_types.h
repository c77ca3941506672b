/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/list.h>
#include <linux/migrate_mode.h>
#include <linux/rbtree.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/time64.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

struct address_space_operations;
struct cdev;
struct cred;
struct dentry_operations;
struct dir_context;
struct inode_operations;
struct iov_iter;
struct module;
struct page;
struct pid;
struct pipe_inode_info;
struct poll_table_struct;
struct super_block;
struct vfsmount;
struct vm_area_struct;
struct inode;
struct file;
struct dentry;
struct kiocb;
struct seq_file;

typedef u32 errseq_t;

/* Files, inodes, dentries and their tables of functions. */
#include <generated/fs_types.h>
#include <generated/address_space_types.h>
