// SPDX-License-Identifier: MIT
// A producer and a consumer over a wait queue, and completions between threads.
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/wait.h>
#include <linux/delay.h>
#include <linux/completion.h>

static DECLARE_WAIT_QUEUE_HEAD(queue);
static DECLARE_COMPLETION(finished);
static int box[4], head, tail;

static int producer(void *data)
{
	for (int i = 1; i <= 8; i++) {
		wait_event(queue, head - tail < 4);
		box[head++ & 3] = i * i;
		wake_up(&queue);
		if (i == 5)
			msleep(20);
	}
	return 0;
}

static int consumer(void *data)
{
	int sum = 0;

	for (int i = 0; i < 8; i++) {
		wait_event_interruptible(queue, head != tail);
		pr_info("got %d\n", box[tail & 3]);
		sum += box[tail++ & 3];
		wake_up(&queue);
	}
	pr_info("sum %d\n", sum);
	complete(&finished);
	return 0;
}

static int __init waitqueues_init(void)
{
	long left;

	kthread_run(consumer, NULL, "consumer");
	kthread_run(producer, NULL, "producer");
	wait_for_completion(&finished);
	pr_info("all consumed, queue %s\n", waitqueue_active(&queue) ? "active" : "empty");
	left = wait_event_timeout(queue, head == 100, msecs_to_jiffies(40));
	pr_info("waited in vain, %ld left\n", left);
	left = wait_event_timeout(queue, head == 8, 10);
	pr_info("no need to wait, %ld left\n", left);
	pr_info("completion: %lu left, done %d\n", wait_for_completion_timeout(&finished, 5), completion_done(&finished));
	complete_all(&finished);
	pr_info("after complete_all: %d %d\n", try_wait_for_completion(&finished), try_wait_for_completion(&finished));
	return 0;
}
module_init(waitqueues_init);

static void __exit waitqueues_exit(void)
{
}
module_exit(waitqueues_exit);
MODULE_LICENSE("GPL");
