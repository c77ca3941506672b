/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>
#include <linux/uaccess.h>

extern struct task_struct init_task;
extern rwlock_t tasklist_lock;

extern void __put_task_struct(struct task_struct *t);

static __transparent struct task_struct *get_task_struct(struct task_struct *t)
{
	refcount_inc(&t->usage);
	return t;
}

static __transparent void put_task_struct(struct task_struct *t)
{
	if (refcount_dec_and_test(&t->usage))
		__put_task_struct(t);
}

static __transparent void task_lock(struct task_struct *p)
{
	spin_lock(&p->alloc_lock);
}

static __transparent void task_unlock(struct task_struct *p)
{
	spin_unlock(&p->alloc_lock);
}

extern void __noreturn do_exit(long error_code);
extern void sched_show_task(struct task_struct *p);
