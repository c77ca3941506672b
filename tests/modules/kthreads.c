// SPDX-License-Identifier: MIT
// Kernel threads: stopping, parking, ending themselves, never started.
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/delay.h>
#include <linux/completion.h>

static DECLARE_COMPLETION(gone);
static int rounds;

static int loop(void *data)
{
	while (!kthread_should_stop()) {
		if (kthread_should_park()) {
			pr_info("%s parks\n", current->comm);
			kthread_parkme();
			pr_info("%s goes on\n", current->comm);
		}
		rounds++;
		msleep(10);
	}
	return 42;
}

static int inner(int depth)
{
	if (depth == 0)
		kthread_complete_and_exit(&gone, 7);
	return inner(depth - 1) + 1;
}

static int leaver(void *data)
{
	pr_info("exit with %d\n", inner(5));
	return 0;
}

static int waiter(void *data)
{
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return -EINTR;
}

static int __init kthreads_init(void)
{
	struct task_struct *t = kthread_run(loop, NULL, "loop/%d", 1);
	int before;

	msleep(50);
	pr_info("ran: %d, name %s, kthread %d\n", rounds > 1, t->comm, !!(t->flags & PF_KTHREAD));
	pr_info("park: %d, state %x\n", kthread_park(t), READ_ONCE(t->__state));
	before = rounds;
	msleep(50);
	pr_info("parked: %d\n", rounds == before);
	kthread_unpark(t);
	msleep(50);
	pr_info("unparked: %d\n", rounds > before);
	pr_info("stop: %d\n", kthread_stop(t));
	t = kthread_create(loop, NULL, "never");
	pr_info("stopped before it began: %d\n", kthread_stop(t));
	kthread_run(leaver, NULL, "leaver");
	wait_for_completion(&gone);
	t = kthread_run(waiter, (void *)5, "waiter");
	msleep(10);
	pr_info("data %ld, sleeps %d\n", (long)kthread_data(t), READ_ONCE(t->__state) == TASK_INTERRUPTIBLE);
	pr_info("stop: %d\n", kthread_stop(t));
	t = kthread_create(loop, NULL, "bound");
	kthread_bind(t, num_online_cpus() - 1);
	pr_info("on the last CPU: %d\n", task_cpu(t) == num_online_cpus() - 1);
	wake_up_process(t);
	pr_info("stop: %d\n", kthread_stop(t));
	return 0;
}
module_init(kthreads_init);

static void __exit kthreads_exit(void)
{
}
module_exit(kthreads_exit);
MODULE_LICENSE("GPL");
