// SPDX-License-Identifier: MIT
/* What is there while memory is spoilt: caches, areas, threads, timers, works, files, locks, all in use. */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/rbtree.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct item {
	struct list_head list;
	struct rb_node node;
	int key;
};

static struct kmem_cache *cache;
static LIST_HEAD(items);
static struct rb_root tree = RB_ROOT;
static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static struct task_struct *threads[3];
static struct timer_list timer;
static struct hrtimer fine;
static struct workqueue_struct *works;
static struct delayed_work later;
static struct work_struct soon;
static void *areas[4];
static struct page *pages[4];
static char buffer[64];
static size_t length;
static int events;
static int irq_cookie;

static void add_item(int key)
{
	struct rb_node **link = &tree.rb_node, *parent = NULL;
	struct item *item = kmem_cache_zalloc(cache, GFP_KERNEL);

	if (!item)
		return;
	item->key = key;
	list_add_tail(&item->list, &items);
	while (*link) {
		parent = *link;
		link = key < rb_entry(parent, struct item, node)->key ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&item->node, parent, link);
	rb_insert_color(&item->node, &tree);
}

static int turn(void *data)
{
	long me = (long)data;

	while (!kthread_should_stop()) {
		void *p = kmalloc(100 << me, GFP_KERNEL);

		mutex_lock(&lock);
		msleep(2 + me);
		mutex_unlock(&lock);
		wait_event_interruptible_timeout(queue, events & 1, 3);
		kfree(p);
	}
	return 0;
}

static void beat(struct timer_list *t)
{
	events++;
	wake_up(&queue);
	mod_timer(t, jiffies + 4);
	queue_work(works, &soon);
}

static enum hrtimer_restart tick(struct hrtimer *t)
{
	hrtimer_forward_now(t, ms_to_ktime(7));
	return HRTIMER_RESTART;
}

static void do_soon(struct work_struct *work)
{
	void *p = vmalloc(10000);

	msleep(1);
	vfree(p);
}

static void do_later(struct work_struct *work)
{
	queue_delayed_work(works, &later, 5);
}

static irqreturn_t on_irq(int irq, void *cookie)
{
	events++;
	schedule_work(&soon);
	return IRQ_HANDLED;
}

static int items_show(struct seq_file *m, void *v)
{
	struct rb_node *node;
	int n = 0;

	for (node = rb_first(&tree); node && n < 1000; node = rb_next(node), n++)
		seq_printf(m, "%d ", rb_entry(node, struct item, node)->key);
	seq_putc(m, '\n');
	return 0;
}

static ssize_t buf_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	return simple_read_from_buffer(to, count, ppos, buffer, length);
}

static ssize_t buf_write(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	length = simple_write_to_buffer(buffer, sizeof(buffer), ppos, from, count);
	return length;
}

static const struct file_operations buf_fops = {
	.owner = THIS_MODULE, .read = buf_read, .write = buf_write,
};
static struct miscdevice buf = { .minor = MISC_DYNAMIC_MINOR, .name = "resident", .fops = &buf_fops };

static int __init resident_init(void)
{
	long i;

	cache = kmem_cache_create("resident_item", sizeof(struct item), 0, SLAB_HWCACHE_ALIGN, NULL);
	works = alloc_workqueue("resident", 0, 0);
	if (!cache || !works)
		return -ENOMEM;
	for (i = 0; i < 40; i++)
		add_item(i * 37 % 41);
	for (i = 0; i < 4; i++) {
		areas[i] = vmalloc(4096 << i);
		pages[i] = alloc_pages(GFP_KERNEL, i);
	}
	proc_create_single("resident", 0, NULL, items_show);
	if (misc_register(&buf) || request_irq(5, on_irq, 0, "resident", &irq_cookie))
		return -EBUSY;
	INIT_WORK(&soon, do_soon);
	INIT_DELAYED_WORK(&later, do_later);
	queue_delayed_work(works, &later, 3);
	timer_setup(&timer, beat, 0);
	mod_timer(&timer, jiffies + 1);
	hrtimer_init(&fine, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	fine.function = tick;
	hrtimer_start(&fine, ms_to_ktime(7), HRTIMER_MODE_REL);
	for (i = 0; i < 3; i++)
		threads[i] = kthread_run(turn, (void *)i, "resident/%ld", i);
	return 0;
}

static void __exit resident_exit(void)
{
	struct item *item, *next;
	int i;

	for (i = 0; i < 3; i++)
		kthread_stop(threads[i]);
	del_timer_sync(&timer);
	hrtimer_cancel(&fine);
	cancel_delayed_work_sync(&later);
	free_irq(5, &irq_cookie);
	flush_work(&soon);
	destroy_workqueue(works);
	misc_deregister(&buf);
	remove_proc_entry("resident", NULL);
	for (i = 0; i < 4; i++) {
		vfree(areas[i]);
		if (pages[i])
			__free_pages(pages[i], i);
	}
	list_for_each_entry_safe(item, next, &items, list) {
		rb_erase(&item->node, &tree);
		kmem_cache_free(cache, item);
	}
	kmem_cache_destroy(cache);
}

module_init(resident_init);
module_exit(resident_exit);
MODULE_LICENSE("GPL");
