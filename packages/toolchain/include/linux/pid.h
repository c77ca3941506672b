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

/* What it holds is in <linux/sched.h>. */
struct pid;
struct pid_namespace;
struct task_struct;

extern struct pid_namespace init_pid_ns;
extern void put_pid(struct pid *pid);
extern struct task_struct *pid_task(struct pid *pid, enum pid_type type);
extern struct task_struct *get_pid_task(struct pid *pid, enum pid_type type);
extern struct pid *get_task_pid(struct task_struct *task, enum pid_type type);
extern struct pid *find_pid_ns(int nr, struct pid_namespace *ns);
extern struct pid *find_vpid(int nr);
extern struct pid *find_get_pid(int nr);
extern struct task_struct *find_task_by_vpid(pid_t nr);
extern struct task_struct *find_get_task_by_vpid(pid_t nr);
extern pid_t pid_nr_ns(struct pid *pid, struct pid_namespace *ns);
extern pid_t pid_vnr(struct pid *pid);

/* There is one namespace of numbers, so a number in it is the global one. */
static inline pid_t pid_nr(struct pid *pid)
{
	return pid_nr_ns(pid, &init_pid_ns);
}

#define do_each_pid_task(pid, type, task) \
	do { \
		if ((pid) != NULL) \
			hlist_for_each_entry_rcu((task), &(pid)->tasks[type], pid_links[type]) {
#define while_each_pid_task(pid, type, task) \
			if (type == PIDTYPE_PID) \
				break; \
			} \
	} while (0)
