// SPDX-License-Identifier: MIT
// Signals to kernel threads: ignored until allowed, ending interruptible waits, taken, blocked, forgotten.
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/mutex.h>

static DECLARE_WAIT_QUEUE_HEAD(never);
static DECLARE_COMPLETION(begun);
static DECLARE_COMPLETION(woken);
static DEFINE_MUTEX(taken);

static int listener(void *data)
{
	int result, sig;

	allow_signal(SIGTERM);
	allow_signal(SIGKILL);
	complete(&begun);
	result = wait_event_interruptible(never, kthread_should_stop());
	pr_info("wait: %d, pending %d, fatal %d\n", result, signal_pending(current), fatal_signal_pending(current));
	sig = kernel_dequeue_signal();
	pr_info("took %d, pending %d\n", sig, signal_pending(current));
	complete(&woken);

	result = wait_for_completion_killable(&begun);
	pr_info("killable wait: %d, fatal %d\n", result, fatal_signal_pending(current));
	flush_signals(current);
	pr_info("flushed: pending %d\n", signal_pending(current));
	complete(&woken);

	result = mutex_lock_interruptible(&taken);
	pr_info("lock: %d\n", result);
	pr_info("sleep cut short: %d\n", msleep_interruptible(10000) > 9000);
	set_current_state(TASK_INTERRUPTIBLE);
	pr_info("schedule_timeout at once: %d\n", schedule_timeout(HZ) == HZ);
	disallow_signal(SIGTERM);
	pr_info("disallowed: pending %d\n", signal_pending(current));
	complete(&woken);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	pr_info("still here, pending %d\n", signal_pending(current));
	return 0;
}

static void own_signals(void)
{
	sigset_t set, old;

	siginitset(&set, sigmask(SIGUSR1));
	pr_info("block: %d\n", sigprocmask(SIG_BLOCK, &set, &old));
	send_sig(SIGUSR1, current, 0);
	pr_info("blocked: pending %d, kept %d\n", signal_pending(current),
		sigismember(&current->pending.signal, SIGUSR1));
	send_sig(SIGCHLD, current, 0);
	pr_info("ignored by default: %d\n", sigismember(&current->pending.signal, SIGCHLD));
	flush_signals(current);
	sigprocmask(SIG_SETMASK, &old, NULL);
	pr_info("unblocked: %d\n", sigismember(&current->blocked, SIGUSR1));
}

static int __init signals_init(void)
{
	struct task_struct *t = kthread_run(listener, NULL, "listener");

	mutex_lock(&taken);
	wait_for_completion(&begun);
	msleep(10);
	pr_info("not allowed: %d\n", send_sig(SIGUSR1, t, 0));
	msleep(10);
	pr_info("sleeps on: %d\n", READ_ONCE(t->__state) == TASK_INTERRUPTIBLE && !signal_pending(t));
	pr_info("only a question: %d\n", kill_pid(task_pid(t), 0, 1));
	pr_info("no such signal: %d\n", send_sig(100, t, 0));
	pr_info("kill_pid: %d\n", kill_pid(task_pid(t), SIGTERM, 1));
	wait_for_completion(&woken);
	msleep(10);
	pr_info("SIGTERM: %d, sleeps on %d\n", send_sig(SIGTERM, t, 1), READ_ONCE(t->__state) == TASK_KILLABLE);
	pr_info("SIGKILL: %d\n", send_sig(SIGKILL, t, 1));
	wait_for_completion(&woken);
	msleep(10);
	send_sig(SIGTERM, t, 1);
	wait_for_completion(&woken);
	mutex_unlock(&taken);
	kthread_stop(t);
	own_signals();
	return 0;
}
module_init(signals_init);

static void __exit signals_exit(void)
{
}
module_exit(signals_exit);
MODULE_LICENSE("GPL");
