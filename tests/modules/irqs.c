// SPDX-License-Identifier: MIT
// Interrupt lines: handlers, shared lines, threads, disabling, refusals; the lines are raised by the test.
// then: irq 5
// then: irq 6
// then: irq 7
// then: irq 5
// then: irq 8
// then: irq 9
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/sched.h>

static int a, b, calls;

static irqreturn_t plain(int irq, void *dev)
{
	pr_info("line %d for %s: hardirq %d, off %d, may not sleep %d\n", irq, dev == &a ? "a" : "b", in_hardirq() != 0, irqs_disabled(),
		!in_task());
	return IRQ_HANDLED;
}

static irqreturn_t not_mine(int irq, void *dev)
{
	pr_info("line %d: not mine\n", irq);
	return IRQ_NONE;
}

static irqreturn_t quick(int irq, void *dev)
{
	pr_info("line %d: wake the thread\n", irq);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t thread(int irq, void *dev)
{
	pr_info("line %d: in task %d, off %d, preemptible %d, named %s\n", irq, in_task(), irqs_disabled(), preemptible(), current->comm);
	return IRQ_RETVAL(++calls);
}

static irqreturn_t counting(int irq, void *dev)
{
	calls++;
	pr_info("line %d: call %d\n", irq, calls);
	return IRQ_HANDLED;
}

static int __init irqs_init(void)
{
	pr_info("line 5: %d", request_irq(5, plain, 0, "plain", &a));
	pr_cont(", taken %d", request_irq(5, plain, 0, "plain", &b));
	pr_cont(", to share %d\n", request_irq(5, plain, IRQF_SHARED, "plain", &b));
	pr_info("line 6 for two: %d", request_irq(6, not_mine, IRQF_SHARED, "first", &a));
	pr_cont(" %d", request_irq(6, plain, IRQF_SHARED, "second", &b));
	pr_cont(", not to share %d", request_irq(6, plain, 0, "third", &calls));
	pr_cont(", to share without a name of its own %d\n", request_irq(6, plain, IRQF_SHARED, "third", NULL));
	pr_info("line 7 with a thread: %d\n", request_threaded_irq(7, quick, thread, 0, "threaded", &a));
	pr_info("line 8: %d", request_irq(8, counting, 0, "counting", &a));
	pr_cont(", only a thread %d", request_threaded_irq(9, NULL, thread, IRQF_ONESHOT, "lonely", &b));
	pr_cont(", without its flag %d", request_threaded_irq(11, NULL, thread, 0, "lonelier", &b));
	pr_cont(", nothing %d, no such line %d\n", request_threaded_irq(10, NULL, NULL, 0, "none", &a),
		request_irq(99999, plain, 0, "far", &a));
	disable_irq(8);
	disable_irq_nosync(8);
	enable_irq(8);
	synchronize_irq(8);
	return 0;
}
module_init(irqs_init);

static void __exit irqs_exit(void)
{
	pr_info("calls %d\n", calls);
	enable_irq(8);
	pr_info("free %s", (const char *)free_irq(5, &a));
	pr_cont(" %s", (const char *)free_irq(6, &a));
	pr_cont(" %s", (const char *)free_irq(6, &b));
	pr_cont(" %s", (const char *)free_irq(7, &a));
	pr_cont(" %s", (const char *)free_irq(8, &a));
	pr_cont(" %s\n", (const char *)free_irq(9, &b));
	pr_info("again %s", (const char *)free_irq(5, &a));
	pr_cont(", no such line %s\n", (const char *)free_irq(99999, &a));
}
module_exit(irqs_exit);
MODULE_LICENSE("GPL");
