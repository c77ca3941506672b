/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/fs.h>
#include <linux/errno.h>

extern struct file *fget(unsigned int fd);
extern struct file *fget_raw(unsigned int fd);
extern void fput(struct file *file);
extern int get_unused_fd_flags(unsigned int flags);
extern void put_unused_fd(unsigned int fd);
extern void fd_install(unsigned int fd, struct file *file);
extern int close_fd(unsigned int fd);
extern int receive_fd(struct file *file, unsigned int o_flags);

/* An open file that a descriptor of the current task stands for, for the time of a call. */
struct fd {
	struct file *file;
	unsigned int flags;
};
#define FDPUT_FPUT 1
#define FDPUT_POS_UNLOCK 2

static inline struct fd fdget(unsigned int fd)
{
	struct file *file = fget(fd);

	return (struct fd) { file, file ? FDPUT_FPUT : 0 };
}

static inline struct fd fdget_raw(unsigned int fd)
{
	return fdget(fd);
}

static inline struct fd fdget_pos(unsigned int fd)
{
	return fdget(fd);
}

static inline void fdput(struct fd fd)
{
	if (fd.flags & FDPUT_FPUT)
		fput(fd.file);
}

static inline void fdput_pos(struct fd fd)
{
	fdput(fd);
}

static inline void fput_light(struct file *file, int fput_needed)
{
	if (fput_needed)
		fput(file);
}
