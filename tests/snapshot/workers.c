// SPDX-License-Identifier: MIT
/* Locks held by sleepers and waited for, a timer, a high-resolution timer and work: all of it under way at once. */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/semaphore.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

static DEFINE_MUTEX(mutex);
static DEFINE_SEMAPHORE(semaphore);
static struct task_struct *threads[3];
static struct timer_list timer;
static struct hrtimer fine;
static struct workqueue_struct *queue;
static struct delayed_work later;
static struct work_struct soon;
static int turns[3], beats, ticks, works;

static int take_turns(void *data)
{
	long me = (long)data;

	while (!kthread_should_stop()) {
		mutex_lock(&mutex);
		down(&semaphore);
		turns[me]++;
		msleep(3 + 2 * me);
		pr_info("turn %d of %ld\n", turns[me], me);
		up(&semaphore);
		mutex_unlock(&mutex);
		msleep(1);
	}
	return turns[me];
}

static void beat(struct timer_list *t)
{
	pr_info("beat %d\n", ++beats);
	mod_timer(t, jiffies + msecs_to_jiffies(16));
	queue_work(queue, &soon);
}

static enum hrtimer_restart tick(struct hrtimer *t)
{
	ticks++;
	hrtimer_forward_now(t, ms_to_ktime(7));
	return HRTIMER_RESTART;
}

static void do_soon(struct work_struct *work)
{
	msleep(5);
	pr_info("work %d, %d ticks\n", ++works, ticks);
}

static void do_later(struct work_struct *work)
{
	mutex_lock(&mutex);
	pr_info("late work in the mutex\n");
	mutex_unlock(&mutex);
	queue_delayed_work(queue, &later, msecs_to_jiffies(30));
}

static int __init workers_init(void)
{
	long i;

	queue = alloc_workqueue("workers", 0, 0);
	if (!queue)
		return -ENOMEM;
	INIT_WORK(&soon, do_soon);
	INIT_DELAYED_WORK(&later, do_later);
	queue_delayed_work(queue, &later, msecs_to_jiffies(10));
	timer_setup(&timer, beat, 0);
	mod_timer(&timer, jiffies + 1);
	hrtimer_init(&fine, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	fine.function = tick;
	hrtimer_start(&fine, ms_to_ktime(7), HRTIMER_MODE_REL);
	for (i = 0; i < 3; i++)
		threads[i] = kthread_run(take_turns, (void *)i, "turns/%ld", i);
	return 0;
}

static void __exit workers_exit(void)
{
	int i;

	for (i = 0; i < 3; i++)
		pr_info("thread %d had %d turns\n", i, kthread_stop(threads[i]));
	del_timer_sync(&timer);
	hrtimer_cancel(&fine);
	cancel_delayed_work_sync(&later);
	destroy_workqueue(queue);
	pr_info("%d beats, %d ticks, %d works\n", beats, ticks, works);
}

module_init(workers_init);
module_exit(workers_exit);
MODULE_LICENSE("GPL");
