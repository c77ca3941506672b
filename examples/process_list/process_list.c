// SPDX-License-Identifier: MIT
/*
 * Who runs here: a file of /proc with a line for each task, and the chain of parents of one that is asked for by its
 * number: insmod process_list.ko pid=5. Without a number it is the task that loads the module, which is insmod.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>

static int pid;
module_param(pid, int, 0444);
MODULE_PARM_DESC(pid, "whose parents to show; 0: insmod's");

/* The list may change at any time; between rcu_read_lock and rcu_read_unlock, what is found in it stays in memory. */
static int show_tasks(struct seq_file *m, void *unused)
{
	struct task_struct *task;

	seq_puts(m, "  PID  PPID S COMMAND\n");
	rcu_read_lock();
	for_each_process(task)
		seq_printf(m, "%5d %5d %c %s\n", task_pid_nr(task), task_ppid_nr(task), task_state_to_char(task),
			   task->comm);
	rcu_read_unlock();
	return 0;
}

/* The idle task, swapper, is its own parent: there the chain ends. */
static void show_parents(struct task_struct *task)
{
	struct task_struct *parent;

	pr_info("%s, pid %d, state %c\n", task->comm, task_pid_nr(task), task_state_to_char(task));
	rcu_read_lock();
	for (; task != (parent = rcu_dereference(task->real_parent)); task = parent)
		pr_info("%s is a child of %s\n", task->comm, parent->comm);
	rcu_read_unlock();
}

static int __init process_list_init(void)
{
	struct pid *number = find_get_pid(pid ? pid : task_pid_nr(current));
	struct task_struct *task = get_pid_task(number, PIDTYPE_PID);

	/* The task has been counted as held by us, so it cannot go away; the struct pid is needed no more. */
	put_pid(number);
	if (!task) {
		pr_err("there is no task %d\n", pid);
		return -EINVAL;
	}
	show_parents(task);
	put_task_struct(task);
	return proc_create_single("process_list", 0444, NULL, show_tasks) ? 0 : -ENOMEM;
}

static void __exit process_list_exit(void)
{
	remove_proc_entry("process_list", NULL);
}

module_init(process_list_init);
module_exit(process_list_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lists tasks, and the parents of one");
