// SPDX-License-Identifier: MIT
// The list of tasks, and struct pid: by number, by task, held after the task is over.
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/pid.h>
#include <linux/delay.h>

static int loop(void *data)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 3;
}

static int count(const char *name)
{
	struct task_struct *p;
	int n = 0;

	rcu_read_lock();
	for_each_process(p)
		if (strcmp(p->comm, name) == 0)
			n++;
	rcu_read_unlock();
	return n;
}

static void show_chain(struct task_struct *task)
{
	for (;; task = task->real_parent) {
		pr_info("  %s state %c parent %s\n", task->comm, task_state_to_char(task),
			task->real_parent->comm);
		if (task == task->real_parent)
			break;
	}
}

static int __init pids_init(void)
{
	struct task_struct *t, *p, *found;
	struct pid *pid, *other;
	int nr, threads = 0;

	t = kthread_run(loop, NULL, "sleeper");
	msleep(10);
	pr_info("sleepers: %d, insmods: %d\n", count("sleeper"), count("insmod"));
	show_chain(t);
	for_each_process_thread(p, found)
		if (p == found)
			threads++;
	pr_info("each process is one thread: %d\n", threads > 1);
	pr_info("leader %d, alone %d, threads %d\n", thread_group_leader(t), thread_group_empty(t),
		get_nr_threads(t));

	nr = task_pid_nr(t);
	rcu_read_lock();
	pid = find_vpid(nr);
	pr_info("find_vpid: %d, pid_nr %d, pid_vnr %d, task %d\n", pid == task_pid(t), pid_nr(pid) == nr,
		pid_vnr(pid) == nr, pid_task(pid, PIDTYPE_PID) == t);
	pr_info("by number: %d\n", find_task_by_vpid(nr) == t);
	rcu_read_unlock();
	pr_info("not there: %d %d %d\n", find_vpid(0) == NULL, find_vpid(-5) == NULL, find_get_pid(30000) == NULL);

	pid = find_get_pid(nr);
	other = get_task_pid(t, PIDTYPE_PID);
	pr_info("held: %d, count %d\n", pid == other, refcount_read(&pid->count));
	put_pid(other);
	pr_info("group %d session %d of a kernel thread, own group %d\n", task_pgrp_nr(t), task_session_nr(t),
		task_pgrp_nr(current) == current->pid);
	pr_info("no mm: %d\n", get_task_mm(t) == NULL);
	found = get_pid_task(pid, PIDTYPE_PID);
	pr_info("usage: %d\n", refcount_read(&found->usage));
	pr_info("stop: %d\n", kthread_stop(t));
	pr_info("after: task %d, found %d, number %d, alive %d\n", pid_task(pid, PIDTYPE_PID) != NULL,
		find_vpid(nr) != NULL, pid_nr(pid) == nr, pid_alive(found));
	pr_info("struct stays: %s, usage %d, sleepers %d\n", found->comm, refcount_read(&found->usage),
		count("sleeper"));
	put_task_struct(found);
	put_pid(pid);
	pr_info("no pid: %d %d\n", pid_nr(NULL), pid_task(NULL, PIDTYPE_PID) == NULL);
	return 0;
}
module_init(pids_init);

static void __exit pids_exit(void)
{
}
module_exit(pids_exit);
MODULE_LICENSE("GPL");
