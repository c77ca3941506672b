/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct srcu_struct {
	int readers[2];
	unsigned int idx;
	struct mutex lock;
	wait_queue_head_t wait;
};

extern int init_srcu_struct(struct srcu_struct *ssp);
extern void cleanup_srcu_struct(struct srcu_struct *ssp);
extern int srcu_read_lock(struct srcu_struct *ssp);
extern void srcu_read_unlock(struct srcu_struct *ssp, int idx);
extern void synchronize_srcu(struct srcu_struct *ssp);
extern void call_srcu(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func);
extern void srcu_barrier(struct srcu_struct *ssp);

#define srcu_dereference(p, ssp) rcu_dereference_raw(p)
#define __SRCU_STRUCT_INIT(name) \
	{ \
		.lock = __MUTEX_INITIALIZER(name.lock), \
		.wait = __WAIT_QUEUE_HEAD_INITIALIZER(name.wait), \
	}
#define DEFINE_SRCU(name) struct srcu_struct name = __SRCU_STRUCT_INIT(name)
#define DEFINE_STATIC_SRCU(name) static struct srcu_struct name = __SRCU_STRUCT_INIT(name)
