/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/rculist.h>
#include <linux/refcount.h>

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_PGID,
	PIDTYPE_SID,
	PIDTYPE_MAX,
};

struct pid;
struct pid_namespace;
struct task_struct;

extern struct pid_namespace init_pid_ns;
extern struct pid *find_vpid(int nr);
extern struct pid *find_get_pid(int nr);
extern struct pid *get_pid(struct pid *pid);
extern void put_pid(struct pid *pid);
extern struct pid *get_task_pid(struct task_struct *task, enum pid_type type);
extern struct pid *task_pid(struct task_struct *task);
extern struct task_struct *pid_task(struct pid *pid, enum pid_type type);
extern struct task_struct *get_pid_task(struct pid *pid, enum pid_type type);
extern pid_t pid_vnr(struct pid *pid);
extern pid_t pid_nr(struct pid *pid);
extern struct task_struct *find_task_by_vpid(pid_t nr);
