// SPDX-License-Identifier: MIT
/* Three threads that sleep in C, each with a stack worth keeping: what a snapshot must carry over. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>

static int period = 7;
module_param(period, int, 0644);

struct note {
	struct list_head list;
	int number;
	double weight;
};

static LIST_HEAD(notes);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static DECLARE_COMPLETION(tenth);
static int count;
static struct task_struct *writer, *reader;

/* Sleeps below some frames, whose locals count. */
static noinline int deep(int depth, long salt)
{
	int here[8], i, below;

	for (i = 0; i < 8; i++)
		here[i] = depth * i + (int)salt;
	if (depth == 0) {
		msleep(period);
		return (int)salt;
	}
	below = deep(depth - 1, salt * 3 + depth);
	for (i = 0; i < 8; i++)
		below += here[i];
	return below;
}

static int write_notes(void *data)
{
	const char *name = data;

	while (!kthread_should_stop()) {
		struct note *note = kmalloc(sizeof(*note), GFP_KERNEL);

		if (!note)
			return -ENOMEM;
		note->number = deep(count % 5, count);
		note->weight = note->number / 3.0;
		list_add_tail(&note->list, &notes);
		pr_info("%s wrote %d\n", name, note->number);
		if (++count == 10)
			complete(&tenth);
		wake_up(&queue);
	}
	return count;
}

static int read_notes(void *unused)
{
	int seen = 0;

	while (!kthread_should_stop()) {
		struct note *last;

		wait_event_interruptible(queue, count > seen || kthread_should_stop());
		if (count == seen)
			break;
		last = list_last_entry(&notes, struct note, list);
		seen = count;
		pr_info("note %d of %d: %d, weight %d\n", seen, count, last->number, (int)last->weight);
	}
	return seen;
}

static int wait_for_tenth(void *unused)
{
	wait_for_completion(&tenth);
	pr_info("ten notes, the last at %lu ms\n", (unsigned long)ktime_get_ns() / 1000000);
	return 0;
}

static int __init sleeper_init(void)
{
	kthread_run(wait_for_tenth, NULL, "waiter");
	reader = kthread_run(read_notes, NULL, "reader");
	writer = kthread_run(write_notes, "writer", "writer/%d", 3);
	return 0;
}

static void __exit sleeper_exit(void)
{
	struct note *note, *next;

	pr_info("writer: %d\n", kthread_stop(writer));
	pr_info("reader: %d\n", kthread_stop(reader));
	list_for_each_entry_safe(note, next, &notes, list)
		kfree(note);
}

module_init(sleeper_init);
module_exit(sleeper_exit);
MODULE_LICENSE("GPL");
