// SPDX-License-Identifier: MIT
/* Locks, waiting, deferred work, tasks. */
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/jump_label.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/sched/signal.h>
#include <linux/semaphore.h>
#include <linux/seqlock.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

static DEFINE_MUTEX(mutex);
static DEFINE_SPINLOCK(spin);
static DEFINE_RAW_SPINLOCK(raw);
static DEFINE_RWLOCK(rw);
static DECLARE_RWSEM(rwsem);
static DEFINE_SEMAPHORE(sem);
static DEFINE_SEQLOCK(seq);
DEFINE_STATIC_SRCU(srcu);
static DECLARE_COMPLETION(done);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static DEFINE_STATIC_KEY_FALSE(key);
static atomic_t events = ATOMIC_INIT(0);
static atomic64_t total = ATOMIC64_INIT(0);
static refcount_t refs = REFCOUNT_INIT(1);
static struct mutex dynamic;
static struct hrtimer hrtimer;
static struct timer_list timer;
static struct workqueue_struct *workqueue;
static struct task_struct *thread;
static unsigned long flags_word;

static void work_fn(struct work_struct *work)
{
	struct delayed_work *dwork = to_delayed_work(work);

	pr_info("work %p\n", dwork);
}
static DECLARE_WORK(work, work_fn);
static DECLARE_DELAYED_WORK(delayed, work_fn);

static void timer_fn(struct timer_list *t)
{
	atomic_inc(&events);
	wake_up_interruptible(&queue);
	mod_timer(t, jiffies + msecs_to_jiffies(10));
}

static enum hrtimer_restart hrtimer_fn(struct hrtimer *h)
{
	hrtimer_forward_now(h, ms_to_ktime(1));
	return HRTIMER_RESTART;
}

static void tasklet_fn(struct tasklet_struct *t)
{
	complete(&done);
}
static DECLARE_TASKLET(tasklet, tasklet_fn);

static irqreturn_t irq_fn(int irq, void *dev)
{
	tasklet_schedule(&tasklet);
	return IRQ_HANDLED;
}

static int thread_fn(void *data)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_timeout(HZ);
	}
	return 0;
}

static int reboot_fn(struct notifier_block *nb, unsigned long action, void *data)
{
	return NOTIFY_OK;
}
static struct notifier_block reboot_nb = { .notifier_call = reboot_fn };

static int locks(void)
{
	unsigned long flags;
	unsigned int start;
	int idx;

	mutex_init(&dynamic);
	if (mutex_lock_interruptible(&mutex))
		return -ERESTARTSYS;
	mutex_unlock(&mutex);
	spin_lock(&spin);
	spin_unlock(&spin);
	spin_lock_irqsave(&spin, flags);
	spin_unlock_irqrestore(&spin, flags);
	raw_spin_lock_irqsave(&raw, flags);
	raw_spin_unlock_irqrestore(&raw, flags);
	read_lock(&rw);
	read_unlock(&rw);
	write_lock_bh(&rw);
	write_unlock_bh(&rw);
	down_read(&rwsem);
	up_read(&rwsem);
	if (down_interruptible(&sem))
		return -EINTR;
	up(&sem);
	do {
		start = read_seqbegin(&seq);
	} while (read_seqretry(&seq, start));
	idx = srcu_read_lock(&srcu);
	srcu_read_unlock(&srcu, idx);
	if (static_branch_unlikely(&key) || test_and_set_bit(3, &flags_word))
		dump_stack();
	atomic64_add(5, &total);
	return atomic_cmpxchg(&events, 0, 1) + (refcount_dec_and_test(&refs) ? 1 : 0) + (int)xchg(&flags_word, 0);
}

static int waits(void)
{
	DEFINE_WAIT(wait);
	long left;

	prepare_to_wait(&queue, &wait, TASK_INTERRUPTIBLE);
	if (!signal_pending(current))
		schedule();
	finish_wait(&queue, &wait);
	if (wait_event_interruptible(queue, atomic_read(&events) > 0))
		return -ERESTARTSYS;
	left = wait_event_timeout(queue, atomic_read(&events) > 1, HZ);
	if (!wait_for_completion_timeout(&done, HZ))
		return -ETIMEDOUT;
	usleep_range(10, 20);
	mdelay(1);
	return left;
}

static void tasks(void)
{
	char comm[TASK_COMM_LEN];
	struct task_struct *p, *t;

	rcu_read_lock();
	for_each_process_thread(p, t) {
		get_task_struct(t);
		get_task_comm(comm, t);
		pr_info("%s %d/%d %c threads %d parent %d %s\n", comm, t->tgid, t->pid, task_state_to_char(t),
			get_nr_threads(t), t->real_parent->pid, t->mm ? "" : "kernel");
		put_task_struct(t);
	}
	rcu_read_unlock();
	pr_info("uid %u euid %u %s %lld ns\n", from_kuid(&init_user_ns, current_uid()), __kuid_val(current_euid()),
		in_atomic() ? "atomic" : "may sleep", ktime_get_real_ns());
}

static int __init concurrency_init(void)
{
	int err;

	workqueue = alloc_workqueue("%s", WQ_UNBOUND, 0, "wq");
	queue_work(workqueue, &work);
	queue_delayed_work(workqueue, &delayed, HZ);
	timer_setup(&timer, timer_fn, 0);
	mod_timer(&timer, jiffies + HZ);
	hrtimer_init(&hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer.function = hrtimer_fn;
	hrtimer_start(&hrtimer, ms_to_ktime(1), HRTIMER_MODE_REL);
	thread = kthread_run(thread_fn, NULL, "thread/%d", 1);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	err = request_irq(1, irq_fn, IRQF_SHARED, "irq", &timer) ?: register_reboot_notifier(&reboot_nb);
	tasks();
	WARN_ON_ONCE(err > 0);
	if (WARN(err == -EPERM, "err is %pe\n", ERR_PTR(err)))
		BUG();
	return err ?: locks() + waits();
}

static void __exit concurrency_exit(void)
{
	kthread_stop(thread);
	hrtimer_cancel(&hrtimer);
	del_timer_sync(&timer);
	cancel_delayed_work_sync(&delayed);
	destroy_workqueue(workqueue);
	unregister_reboot_notifier(&reboot_nb);
}

module_init(concurrency_init);
module_exit(concurrency_exit);
MODULE_LICENSE("GPL");
