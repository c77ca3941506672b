// SPDX-License-Identifier: MIT
// Work queues: system queue, ordered and delayed works, flushing, cancelling, works that queue themselves.
#include <linux/module.h>
#include <linux/workqueue.h>
#include <linux/delay.h>
#include <linux/slab.h>

struct item {
	struct work_struct work;
	int n;
};

static struct item items[4];
static struct delayed_work later, repeating;
static struct work_struct slow, stubborn;
static struct workqueue_struct *ordered, *mine;
static int rounds, ran_on_cpus, running, most;
static bool slow_done;

static void ordered_fn(struct work_struct *work)
{
	int n = container_of(work, struct item, work)->n;

	if (++running > most)
		most = running;
	msleep(40 - 10 * n);
	pr_info("item %d, current_work %d\n", n, current_work() == work);
	running--;
}

static void later_fn(struct work_struct *work)
{
	pr_info("delayed work, delayed_work found: %d\n", to_delayed_work(work) == &later);
}

static void repeating_fn(struct work_struct *work)
{
	if (++rounds < 1000)
		schedule_delayed_work(&repeating, 2);
}

static void slow_fn(struct work_struct *work)
{
	msleep(30);
	slow_done = true;
}

static void stubborn_fn(struct work_struct *work)
{
	rounds++;
	schedule();
	queue_work(mine, work);
}

static void on_each_fn(struct work_struct *work)
{
	ran_on_cpus++;
}

static int __init works_init(void)
{
	ordered = alloc_ordered_workqueue("ordered", 0);
	mine = alloc_workqueue("mine%d", 0, 0, 7);
	if (!ordered || !mine)
		return -ENOMEM;
	for (int i = 0; i < 4; i++) {
		INIT_WORK(&items[i].work, ordered_fn);
		items[i].n = i;
		queue_work(ordered, &items[i].work);
	}
	pr_info("queued again: %d, busy %u\n", queue_work(ordered, &items[3].work), work_busy(&items[3].work));
	flush_workqueue(ordered);
	pr_info("flushed, at most %d at once, busy %u\n", most, work_busy(&items[3].work));

	INIT_DELAYED_WORK(&later, later_fn);
	pr_info("delayed: %d, again %d\n", schedule_delayed_work(&later, 10), schedule_delayed_work(&later, 10));
	pr_info("pending %d\n", delayed_work_pending(&later));
	msleep(100);
	pr_info("pending %d\n", delayed_work_pending(&later));
	schedule_delayed_work(&later, 100000);
	pr_info("mod_delayed_work: %d\n", mod_delayed_work(system_wq, &later, 200000));
	pr_info("flush_delayed_work: %d\n", flush_delayed_work(&later));
	schedule_delayed_work(&later, 100000);
	pr_info("cancel: %d, again %d\n", cancel_delayed_work(&later), cancel_delayed_work(&later));

	INIT_WORK(&slow, slow_fn);
	schedule_work(&slow);
	msleep(8);
	pr_info("busy %u\n", work_busy(&slow));
	pr_info("flush_work: %d, done %d\n", flush_work(&slow), slow_done);
	pr_info("flush_work of none: %d\n", flush_work(&slow));

	INIT_DELAYED_WORK(&repeating, repeating_fn);
	schedule_delayed_work(&repeating, 2);
	msleep(200);
	pr_info("cancel_delayed_work_sync: %d, ran several times %d\n", cancel_delayed_work_sync(&repeating), rounds > 5);
	rounds = 0;
	INIT_WORK(&stubborn, stubborn_fn);
	queue_work(mine, &stubborn);
	usleep_range(200, 300);
	cancel_work_sync(&stubborn);
	pr_info("a work that queues itself is stopped: %d\n", !work_busy(&stubborn));
	pr_info("schedule_on_each_cpu: %d, all %d\n", schedule_on_each_cpu(on_each_fn), ran_on_cpus == num_online_cpus());
	return 0;
}
module_init(works_init);

static void __exit works_exit(void)
{
	queue_work(ordered, &items[0].work);
	destroy_workqueue(ordered);
	destroy_workqueue(mine);
	pr_info("queues gone\n");
}
module_exit(works_exit);
MODULE_LICENSE("GPL");
