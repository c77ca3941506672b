// SPDX-License-Identifier: MIT
// Workers of a module's own: works in order, once queued, delayed, flushed, cancelled, that queue themselves.
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

struct numbered {
	struct kthread_work work;
	int n, runs, again;
};

static struct kthread_worker *worker;
static struct numbered one = { .n = 1 }, two = { .n = 2 }, three = { .n = 3 };
static struct kthread_delayed_work late;

static void run(struct kthread_work *work)
{
	struct numbered *self = container_of(work, struct numbered, work);

	pr_info("work %d, run %d, by %s: %d\n", self->n, ++self->runs, current->comm, current == worker->task);
	if (self->again-- > 0)
		kthread_queue_work(worker, work);
}

static void slow(struct kthread_work *work)
{
	pr_info("begins\n");
	msleep(20);
	pr_info("ends\n");
}

static void delayed(struct kthread_work *work)
{
	pr_info("delayed work, its timer is over: %d\n", !timer_pending(&late.timer));
}

static void plain(void)
{
	bool queued;

	queued = kthread_queue_work(worker, &one.work);
	pr_info("queued: %d\n", queued);
	queued = kthread_queue_work(worker, &one.work);
	pr_info("queued twice: %d\n", queued);
	kthread_queue_work(worker, &two.work);
	kthread_flush_work(&two.work);
	pr_info("flushed: %d and %d runs\n", one.runs, two.runs);
	kthread_flush_work(&two.work);
	kthread_flush_work(&three.work);
	three.again = 2;
	kthread_queue_work(worker, &three.work);
	kthread_flush_worker(worker);
	kthread_flush_worker(worker);
	kthread_flush_worker(worker);
	pr_info("runs again: %d\n", three.runs);
}

static void with_delay(void)
{
	bool was;

	was = kthread_queue_delayed_work(worker, &late, 5);
	pr_info("delayed: %d, its timer runs: %d\n", was, timer_pending(&late.timer));
	was = kthread_queue_delayed_work(worker, &late, 5);
	pr_info("delayed twice: %d\n", was);
	kthread_queue_work(worker, &one.work);
	msleep(60);
	was = kthread_mod_delayed_work(worker, &late, 1000);
	pr_info("modified an idle one: %d\n", was);
	was = kthread_mod_delayed_work(worker, &late, 0);
	pr_info("modified a waiting one: %d\n", was);
	kthread_flush_work(&late.work);
	kthread_queue_delayed_work(worker, &late, 1000);
	was = kthread_cancel_delayed_work_sync(&late);
	pr_info("cancelled: %d\n", was);
	was = kthread_cancel_delayed_work_sync(&late);
	pr_info("cancelled twice: %d\n", was);
}

static void cancelled(void)
{
	struct kthread_work lasting;
	bool was;

	kthread_init_work(&lasting, slow);
	kthread_queue_work(worker, &lasting);
	kthread_queue_work(worker, &one.work);
	msleep(5);
	was = kthread_cancel_work_sync(&one.work);
	pr_info("cancelled what waited: %d\n", was);
	was = kthread_cancel_work_sync(&lasting);
	pr_info("cancelled what ran: %d\n", was);
	was = kthread_cancel_work_sync(&two.work);
	pr_info("cancelled what was idle: %d\n", was);
}

static void by_hand(void)
{
	static DEFINE_KTHREAD_WORKER(own);
	struct kthread_work work = KTHREAD_WORK_INIT(work, slow);
	struct task_struct *task;

	kthread_queue_work(&own, &work);
	pr_info("queued before there is a thread\n");
	task = kthread_run(kthread_worker_fn, &own, "by_hand");
	kthread_flush_worker(&own);
	kthread_stop(task);
	pr_info("its thread is gone: %d\n", !own.task);
}

static int __init kworkers_init(void)
{
	worker = kthread_create_worker(0, "worker/%d", 7);
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	kthread_init_work(&one.work, run);
	kthread_init_work(&two.work, run);
	kthread_init_work(&three.work, run);
	kthread_init_delayed_work(&late, delayed);
	plain();
	with_delay();
	cancelled();
	by_hand();
	return 0;
}
static void __exit kworkers_exit(void)
{
	kthread_queue_work(worker, &two.work);
	kthread_destroy_worker(worker);
	pr_info("destroyed after %d runs\n", two.runs);
}
module_init(kworkers_init);
module_exit(kworkers_exit);
MODULE_LICENSE("GPL");
