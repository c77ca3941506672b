/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Workers: threads of a module's own that run works one after the other. Part of <linux/kthread.h>.
 *
 *     worker { work_list: work → work, current_work, task }     delayed_work_list: those whose timer runs
 */

#include <linux/kthread.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

struct kthread_work;
typedef void (*kthread_work_func_t)(struct kthread_work *work);

enum {
	KTW_FREEZABLE = 1 << 0,
};

struct kthread_worker {
	unsigned int flags;
	raw_spinlock_t lock;
	struct list_head work_list;
	struct list_head delayed_work_list;
	struct task_struct *task;
	struct kthread_work *current_work;
};

struct kthread_work {
	struct list_head node;
	kthread_work_func_t func;
	struct kthread_worker *worker;
	/* Somebody waits in kthread_cancel_work_sync(): it may not be queued. */
	int canceling;
};

struct kthread_delayed_work {
	struct kthread_work work;
	struct timer_list timer;
};

#define KTHREAD_WORK_INIT(work, fn) { .node = LIST_HEAD_INIT((work).node), .func = (fn), }
#define KTHREAD_DELAYED_WORK_INIT(dwork, fn) \
	{ \
		.work = KTHREAD_WORK_INIT((dwork).work, (fn)), \
		.timer = __TIMER_INITIALIZER(kthread_delayed_work_timer_fn, TIMER_IRQSAFE), \
	}
#define DEFINE_KTHREAD_WORK(work, fn) struct kthread_work work = KTHREAD_WORK_INIT(work, fn)
#define DEFINE_KTHREAD_DELAYED_WORK(dwork, fn) struct kthread_delayed_work dwork = KTHREAD_DELAYED_WORK_INIT(dwork, fn)
#define KTHREAD_WORKER_INIT(worker) \
	{ \
		.work_list = LIST_HEAD_INIT((worker).work_list), \
		.delayed_work_list = LIST_HEAD_INIT((worker).delayed_work_list), \
	}
#define DEFINE_KTHREAD_WORKER(worker) struct kthread_worker worker = KTHREAD_WORKER_INIT(worker)
#define DEFINE_KTHREAD_WORKER_ONSTACK(worker) DEFINE_KTHREAD_WORKER(worker)

static inline void kthread_init_worker(struct kthread_worker *worker)
{
	memset(worker, 0, sizeof(*worker));
	INIT_LIST_HEAD(&worker->work_list);
	INIT_LIST_HEAD(&worker->delayed_work_list);
}

#define kthread_init_work(work, fn) \
	do { \
		memset((work), 0, sizeof(struct kthread_work)); \
		INIT_LIST_HEAD(&(work)->node); \
		(work)->func = (fn); \
	} while (0)
#define kthread_init_delayed_work(dwork, fn) \
	do { \
		kthread_init_work(&(dwork)->work, (fn)); \
		timer_setup(&(dwork)->timer, kthread_delayed_work_timer_fn, TIMER_IRQSAFE); \
	} while (0)

static inline bool __kthread_work_refused(struct kthread_work *work)
{
	return !list_empty(&work->node) || work->canceling;
}

static inline void __kthread_insert_work(struct kthread_worker *worker, struct kthread_work *work,
					 struct list_head *before)
{
	WARN_ON_ONCE(!list_empty(&work->node));
	WARN_ON_ONCE(work->worker && work->worker != worker);
	list_add_tail(&work->node, before);
	work->worker = worker;
	if (!worker->current_work && worker->task)
		wake_up_process(worker->task);
}

/* The timer of a delayed work went off: it goes from the one list to the other. */
static inline void kthread_delayed_work_timer_fn(struct timer_list *t)
{
	struct kthread_delayed_work *dwork = from_timer(dwork, t, timer);
	struct kthread_work *work = &dwork->work;
	struct kthread_worker *worker = work->worker;
	unsigned long flags;

	if (WARN_ON_ONCE(!worker))
		return;
	raw_spin_lock_irqsave(&worker->lock, flags);
	WARN_ON_ONCE(work->worker != worker);
	WARN_ON_ONCE(list_empty(&work->node));
	list_del_init(&work->node);
	if (!work->canceling)
		__kthread_insert_work(worker, work, &worker->work_list);
	raw_spin_unlock_irqrestore(&worker->lock, flags);
}

static inline bool kthread_queue_work(struct kthread_worker *worker, struct kthread_work *work)
{
	unsigned long flags;
	bool queued = false;

	raw_spin_lock_irqsave(&worker->lock, flags);
	if (!__kthread_work_refused(work)) {
		__kthread_insert_work(worker, work, &worker->work_list);
		queued = true;
	}
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	return queued;
}

static inline void __kthread_queue_delayed_work(struct kthread_worker *worker, struct kthread_delayed_work *dwork,
						unsigned long delay)
{
	if (!delay) {
		__kthread_insert_work(worker, &dwork->work, &worker->work_list);
		return;
	}
	list_add(&dwork->work.node, &worker->delayed_work_list);
	dwork->work.worker = worker;
	dwork->timer.expires = jiffies + delay;
	add_timer(&dwork->timer);
}

static inline bool kthread_queue_delayed_work(struct kthread_worker *worker, struct kthread_delayed_work *dwork,
					      unsigned long delay)
{
	unsigned long flags;
	bool queued = false;

	raw_spin_lock_irqsave(&worker->lock, flags);
	if (!__kthread_work_refused(&dwork->work)) {
		__kthread_queue_delayed_work(worker, dwork, delay);
		queued = true;
	}
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	return queued;
}

/* Takes a work off its list; whether it was on one. */
static inline bool __kthread_cancel_work(struct kthread_work *work)
{
	bool pending = !list_empty(&work->node);

	list_del_init(&work->node);
	return pending;
}

/* The timer must not be waited for with the lock held; who waits makes sure that nobody else queues it. */
static inline void __kthread_del_timer(struct kthread_work *work, struct timer_list *timer, unsigned long *flags)
{
	struct kthread_worker *worker = work->worker;

	work->canceling++;
	raw_spin_unlock_irqrestore(&worker->lock, *flags);
	del_timer_sync(timer);
	raw_spin_lock_irqsave(&worker->lock, *flags);
	work->canceling--;
}

static inline bool kthread_mod_delayed_work(struct kthread_worker *worker, struct kthread_delayed_work *dwork,
					    unsigned long delay)
{
	struct kthread_work *work = &dwork->work;
	unsigned long flags;
	bool pending = false;

	raw_spin_lock_irqsave(&worker->lock, flags);
	if (work->worker) {
		WARN_ON_ONCE(work->worker != worker);
		__kthread_del_timer(work, &dwork->timer, &flags);
		if (work->canceling) {
			raw_spin_unlock_irqrestore(&worker->lock, flags);
			return true;
		}
		pending = __kthread_cancel_work(work);
	}
	__kthread_queue_delayed_work(worker, dwork, delay);
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	return pending;
}

struct kthread_flush_work {
	struct kthread_work work;
	struct completion done;
};

static inline void kthread_flush_work_fn(struct kthread_work *work)
{
	complete(&container_of(work, struct kthread_flush_work, work)->done);
}

static inline void kthread_flush_work(struct kthread_work *work)
{
	struct kthread_flush_work fwork = {
		KTHREAD_WORK_INIT(fwork.work, kthread_flush_work_fn),
		COMPLETION_INITIALIZER(fwork.done),
	};
	struct kthread_worker *worker = work->worker;
	unsigned long flags;
	bool idle = false;

	if (!worker)
		return;
	raw_spin_lock_irqsave(&worker->lock, flags);
	WARN_ON_ONCE(work->worker != worker);
	if (!list_empty(&work->node))
		__kthread_insert_work(worker, &fwork.work, work->node.next);
	else if (worker->current_work == work)
		__kthread_insert_work(worker, &fwork.work, worker->work_list.next);
	else
		idle = true;
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	if (!idle)
		wait_for_completion(&fwork.done);
}

static inline void kthread_flush_worker(struct kthread_worker *worker)
{
	struct kthread_flush_work fwork = {
		KTHREAD_WORK_INIT(fwork.work, kthread_flush_work_fn),
		COMPLETION_INITIALIZER(fwork.done),
	};

	kthread_queue_work(worker, &fwork.work);
	wait_for_completion(&fwork.done);
}

static inline bool __kthread_cancel_work_sync(struct kthread_work *work, struct timer_list *timer)
{
	struct kthread_worker *worker = work->worker;
	unsigned long flags;
	bool pending;

	if (!worker)
		return false;
	raw_spin_lock_irqsave(&worker->lock, flags);
	WARN_ON_ONCE(work->worker != worker);
	if (timer)
		__kthread_del_timer(work, timer, &flags);
	pending = __kthread_cancel_work(work);
	if (worker->current_work == work) {
		work->canceling++;
		raw_spin_unlock_irqrestore(&worker->lock, flags);
		kthread_flush_work(work);
		raw_spin_lock_irqsave(&worker->lock, flags);
		work->canceling--;
	}
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	return pending;
}

static inline bool kthread_cancel_work_sync(struct kthread_work *work)
{
	return __kthread_cancel_work_sync(work, NULL);
}

static inline bool kthread_cancel_delayed_work_sync(struct kthread_delayed_work *dwork)
{
	return __kthread_cancel_work_sync(&dwork->work, &dwork->timer);
}

/* The worker's thread. It ends when it is stopped and has nothing left to do. */
static inline int kthread_worker_fn(void *worker_ptr)
{
	struct kthread_worker *worker = worker_ptr;
	struct kthread_work *work;

	WARN_ON(worker->task && worker->task != current);
	worker->task = current;
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		raw_spin_lock_irq(&worker->lock);
		work = list_first_entry_or_null(&worker->work_list, struct kthread_work, node);
		if (work)
			list_del_init(&work->node);
		worker->current_work = work;
		raw_spin_unlock_irq(&worker->lock);
		if (work) {
			__set_current_state(TASK_RUNNING);
			work->func(work);
			raw_spin_lock_irq(&worker->lock);
			worker->current_work = NULL;
			raw_spin_unlock_irq(&worker->lock);
		} else {
			schedule();
		}
		cond_resched();
	}
	__set_current_state(TASK_RUNNING);
	raw_spin_lock_irq(&worker->lock);
	worker->task = NULL;
	raw_spin_unlock_irq(&worker->lock);
	return 0;
}

/* A worker whose thread is not yet bound and not yet woken; `create` makes the thread. */
#define __kthread_create_worker(_flags, create) \
	({ \
		struct kthread_worker *worker = kzalloc(sizeof(*worker), GFP_KERNEL); \
		struct task_struct *__task; \
		if (worker) { \
			kthread_init_worker(worker); \
			__task = (create); \
			if (IS_ERR(__task)) { \
				kfree(worker); \
				worker = ERR_CAST(__task); \
			} else { \
				worker->flags = (_flags); \
				worker->task = __task; \
				wake_up_process(__task); \
			} \
		} \
		worker ?: ERR_PTR(-ENOMEM); \
	})
#define kthread_create_worker(flags, namefmt, ...) \
	((struct kthread_worker *)__kthread_create_worker( \
		flags, kthread_create_on_node(kthread_worker_fn, worker, -1, namefmt, ##__VA_ARGS__)))
#define kthread_create_worker_on_cpu(cpu, flags, namefmt, ...) \
	((struct kthread_worker *)__kthread_create_worker(flags, ({ \
		struct task_struct *__k = \
			kthread_create_on_node(kthread_worker_fn, worker, -1, namefmt, ##__VA_ARGS__); \
		if (!IS_ERR(__k)) \
			kthread_bind(__k, cpu); \
		__k; \
	})))

static inline void kthread_destroy_worker(struct kthread_worker *worker)
{
	struct task_struct *task = worker->task;

	if (WARN_ON(!task))
		return;
	kthread_flush_worker(worker);
	kthread_stop(task);
	WARN_ON(!list_empty(&worker->delayed_work_list));
	WARN_ON(!list_empty(&worker->work_list));
	kfree(worker);
}
