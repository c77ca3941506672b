// SPDX-License-Identifier: MIT
// Tasklets, irq_work, and softirqs turned off and on.
#include <linux/module.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/delay.h>

static int runs;

static void tasklet_fn(struct tasklet_struct *t)
{
	pr_info("tasklet run %d, softirq %d, preempt_count %x\n", ++runs, !!in_serving_softirq(), preempt_count());
	if (runs == 2)
		tasklet_schedule(t);
}

static void old_fn(unsigned long data)
{
	pr_info("old tasklet with %lu\n", data);
}

static void work_fn(struct irq_work *work)
{
	pr_info("irq_work, hardirq %d, irqs %s\n", !!in_hardirq(), irqs_disabled() ? "off" : "on");
}

static DECLARE_TASKLET(tasklet, tasklet_fn);
static struct tasklet_struct old;
static struct irq_work work;

static int __init softirqs_init(void)
{
	unsigned long flags;

	tasklet_init(&old, old_fn, 17);
	local_bh_disable();
	tasklet_schedule(&tasklet);
	tasklet_schedule(&tasklet);
	pr_info("scheduled, state %lx\n", tasklet.state);
	local_bh_enable();
	pr_info("bh on, state %lx\n", tasklet.state);

	local_bh_disable();
	tasklet_schedule(&tasklet);
	tasklet_hi_schedule(&old);
	local_bh_enable();

	tasklet_disable(&tasklet);
	tasklet_schedule(&tasklet);
	msleep(20);
	pr_info("disabled: runs %d\n", runs);
	tasklet_enable(&tasklet);
	tasklet_kill(&tasklet);
	pr_info("killed: runs %d\n", runs);

	init_irq_work(&work, work_fn);
	local_irq_save(flags);
	pr_info("irq_work_queue: %d, again %d\n", irq_work_queue(&work), irq_work_queue(&work));
	local_irq_restore(flags);
	msleep(4);
	pr_info("queue with interrupts on\n");
	irq_work_queue(&work);
	pr_info("it has run\n");
	return 0;
}
module_init(softirqs_init);

static void __exit softirqs_exit(void)
{
}
module_exit(softirqs_exit);
MODULE_LICENSE("GPL");
