/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/string.h>
#include <linux/bug.h>
#include <linux/mutex.h>
#include <linux/fs.h>
#include <linux/cred.h>

#define SEQ_SKIP 1
#define SEQ_START_TOKEN ((void *)1)

extern char *mangle_path(char *s, const char *p, const char *esc);
extern int seq_open(struct file *file, const struct seq_operations *op);
extern ssize_t seq_read(struct file *file, char __user *buf, size_t size, loff_t *ppos);
extern ssize_t seq_read_iter(struct kiocb *iocb, struct iov_iter *iter);
extern loff_t seq_lseek(struct file *file, loff_t offset, int whence);
extern int seq_release(struct inode *inode, struct file *file);
extern int seq_write(struct seq_file *seq, const void *data, size_t len);
extern __printf(2, 0) void seq_vprintf(struct seq_file *m, const char *fmt, va_list args);
extern __printf(2, 3) void seq_printf(struct seq_file *m, const char *fmt, ...);
extern void seq_putc(struct seq_file *m, char c);
extern void seq_puts(struct seq_file *m, const char *s);
extern void seq_put_decimal_ull(struct seq_file *m, const char *delimiter, unsigned long long num);
extern void seq_put_decimal_ll(struct seq_file *m, const char *delimiter, long long num);
extern void seq_pad(struct seq_file *m, char c);
extern void seq_escape_mem(struct seq_file *m, const char *src, size_t len, unsigned int flags, const char *esc);
extern void seq_hex_dump(struct seq_file *m, const char *prefix_str, int prefix_type, int rowsize, int groupsize,
			 const void *buf, size_t len, bool ascii);
extern int seq_path(struct seq_file *m, const struct path *path, const char *esc);
extern int seq_file_path(struct seq_file *m, struct file *file, const char *esc);
extern int seq_dentry(struct seq_file *m, struct dentry *dentry, const char *esc);
extern int single_open(struct file *file, int (*show)(struct seq_file *m, void *v), void *data);
extern int single_open_size(struct file *file, int (*show)(struct seq_file *m, void *v), void *data, size_t size);
extern int single_release(struct inode *inode, struct file *file);
extern void *__seq_open_private(struct file *f, const struct seq_operations *ops, int psize);
extern int seq_open_private(struct file *f, const struct seq_operations *ops, int psize);
extern int seq_release_private(struct inode *inode, struct file *file);
extern struct list_head *seq_list_start(struct list_head *head, loff_t pos);
extern struct list_head *seq_list_start_head(struct list_head *head, loff_t pos);
extern struct list_head *seq_list_next(void *v, struct list_head *head, loff_t *ppos);
extern struct hlist_node *seq_hlist_start(struct hlist_head *head, loff_t pos);
extern struct hlist_node *seq_hlist_next(void *v, struct hlist_head *head, loff_t *ppos);

static inline bool seq_has_overflowed(struct seq_file *m)
{
	return m->count == m->size;
}

static inline size_t seq_get_buf(struct seq_file *m, char **bufp)
{
	BUG_ON(m->count > m->size);
	*bufp = m->count < m->size ? m->buf + m->count : NULL;
	return m->size - m->count;
}

static inline void seq_commit(struct seq_file *m, int num)
{
	if (num < 0)
		m->count = m->size;
	else
		m->count += num;
}

static inline void seq_setwidth(struct seq_file *m, size_t size)
{
	m->pad_until = m->count + size;
}

#define DEFINE_SEQ_ATTRIBUTE(__name) \
	static int __name ## _open(struct inode *inode, struct file *file) \
	{ \
		int ret = seq_open(file, &__name ## _sops); \
		if (!ret && inode->i_private) \
			((struct seq_file *)file->private_data)->private = inode->i_private; \
		return ret; \
	} \
	static const struct file_operations __name ## _fops = { \
		.owner = THIS_MODULE, \
		.open = __name ## _open, \
		.read = seq_read, \
		.llseek = seq_lseek, \
		.release = seq_release, \
	}
#define DEFINE_SHOW_ATTRIBUTE(__name) \
	static int __name ## _open(struct inode *inode, struct file *file) \
	{ \
		return single_open(file, __name ## _show, inode->i_private); \
	} \
	static const struct file_operations __name ## _fops = { \
		.owner = THIS_MODULE, \
		.open = __name ## _open, \
		.read = seq_read, \
		.llseek = seq_lseek, \
		.release = single_release, \
	}
#define DEFINE_PROC_SHOW_ATTRIBUTE(__name) \
	static int __name ## _open(struct inode *inode, struct file *file) \
	{ \
		return single_open(file, __name ## _show, pde_data(inode)); \
	} \
	static const struct proc_ops __name ## _proc_ops = { \
		.proc_open = __name ## _open, \
		.proc_read = seq_read, \
		.proc_lseek = seq_lseek, \
		.proc_release = single_release, \
	}

static inline struct user_namespace *seq_user_ns(struct seq_file *seq)
{
	return &init_user_ns;
}

extern void *pde_data(const struct inode *inode);
