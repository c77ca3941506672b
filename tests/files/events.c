// SPDX-License-Identifier: MIT
/* Two devices whose events a test makes by writing: poll, SIGIO. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/timer.h>
#include <linux/jiffies.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

struct source {
	struct miscdevice misc;
	wait_queue_head_t queue;
	struct fasync_struct *async;
	struct timer_list timer;
	__poll_t events;
	int polls;
	bool broken;
};

static struct source *of(struct file *file)
{
	return container_of(file->private_data, struct source, misc);
}

static void happen(struct source *s, __poll_t events)
{
	s->events = events;
	wake_up_interruptible_poll(&s->queue, events);
	kill_fasync(&s->async, SIGIO, POLL_IN);
}

static void later(struct timer_list *t)
{
	happen(container_of(t, struct source, timer), EPOLLIN);
}

static __poll_t source_poll(struct file *file, poll_table *wait)
{
	struct source *s = of(file);

	s->polls++;
	poll_wait(file, &s->queue, wait);
	if (s->broken)
		*(volatile int *)8 = 1;
	return s->events;
}

/* "r" makes it readable, "p" urgent, "0" nothing, "w" wakes for nothing, "t" readable in 50 ms, "x" has polls crash. */
static ssize_t source_write(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	struct source *s = of(file);
	char c;

	if (copy_from_user(&c, from, 1))
		return -EFAULT;
	if (c == 'r')
		happen(s, EPOLLIN | EPOLLRDNORM);
	else if (c == 'p')
		happen(s, EPOLLPRI);
	else if (c == '0')
		s->events = 0;
	else if (c == 'w')
		wake_up_interruptible(&s->queue);
	else if (c == 'x')
		s->broken = true;
	else if (c == 't')
		mod_timer(&s->timer, jiffies + msecs_to_jiffies(50));
	return count;
}

static ssize_t source_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	return of(file)->polls;
}

static int source_fasync(int fd, struct file *file, int on)
{
	int result = fasync_helper(fd, file, on, &of(file)->async);

	pr_info("fasync %d on %d: %d, flag %d\n", fd, on, result, !!(file->f_flags & FASYNC));
	return result;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.poll = source_poll,
	.read = source_read,
	.write = source_write,
	.fasync = source_fasync,
};

static struct source sources[2] = {
	{ .misc = { .minor = MISC_DYNAMIC_MINOR, .name = "event0", .fops = &fops } },
	{ .misc = { .minor = MISC_DYNAMIC_MINOR, .name = "event1", .fops = &fops } },
};

static int __init events_init(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		init_waitqueue_head(&sources[i].queue);
		timer_setup(&sources[i].timer, later, 0);
		if (misc_register(&sources[i].misc))
			return -EBUSY;
	}
	return 0;
}

static void __exit events_exit(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		misc_deregister(&sources[i].misc);
		del_timer_sync(&sources[i].timer);
	}
}

module_init(events_init);
module_exit(events_exit);
MODULE_LICENSE("GPL");
