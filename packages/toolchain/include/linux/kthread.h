/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/err.h>
#include <linux/sched.h>
#include <linux/list.h>

extern __printf(4, 5) struct task_struct *kthread_create_on_node(int (*threadfn)(void *data), void *data, int node,
								 const char namefmt[], ...);
extern struct task_struct *kthread_create_on_cpu(int (*threadfn)(void *data), void *data, unsigned int cpu,
						 const char *namefmt);
#define kthread_create(threadfn, data, namefmt, arg...) \
	kthread_create_on_node(threadfn, data, -1, namefmt, ##arg)
#define kthread_run(threadfn, data, namefmt, ...) \
	({ \
		struct task_struct *__k = kthread_create(threadfn, data, namefmt, ##__VA_ARGS__); \
		if (!IS_ERR(__k)) \
			wake_up_process(__k); \
		__k; \
	})
#define kthread_run_on_cpu(threadfn, data, cpu, namefmt) \
	({ \
		struct task_struct *__k = kthread_create_on_cpu(threadfn, data, cpu, namefmt); \
		if (!IS_ERR(__k)) \
			wake_up_process(__k); \
		__k; \
	})
extern void kthread_bind(struct task_struct *k, unsigned int cpu);
extern int kthread_stop(struct task_struct *k);
extern bool kthread_should_stop(void);
extern bool kthread_should_park(void);
extern bool kthread_freezable_should_stop(bool *was_frozen);
extern void *kthread_data(struct task_struct *k);
extern int kthread_park(struct task_struct *k);
extern void kthread_unpark(struct task_struct *k);
extern void kthread_parkme(void);
extern void kthread_exit(long result) __noreturn;
extern void kthread_complete_and_exit(struct completion *comp, long code) __noreturn;
extern void kthread_use_mm(struct mm_struct *mm);
extern void kthread_unuse_mm(struct mm_struct *mm);

#include <linux/kthread_worker.h>
