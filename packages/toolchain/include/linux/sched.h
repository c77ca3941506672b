/* SPDX-License-Identifier: MIT */
#pragma once

#include <asm/current.h>
#include <linux/pid.h>
#include <linux/sem.h>
#include <linux/plist_types.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/resource.h>
#include <linux/sched/prio.h>
#include <linux/sched/types.h>
#include <linux/signal_types.h>
#include <linux/wait.h>
#include <linux/mm_types.h>
#include <linux/uidgid.h>
#include <linux/capability.h>
#include <linux/thread_info.h>
#include <linux/preempt.h>
#include <linux/bitops.h>

struct completion;
struct cred;
struct files_struct;
struct fs_struct;
struct nsproxy;
struct reclaim_state;
struct sighand_struct;
struct signal_struct;
struct task_struct;
struct user_struct;

#include <generated/cred.h>
#include <generated/sched.h>

#define TASK_RUNNING 0x00000000
#define TASK_INTERRUPTIBLE 0x00000001
#define TASK_UNINTERRUPTIBLE 0x00000002
#define __TASK_STOPPED 0x00000004
#define __TASK_TRACED 0x00000008
#define EXIT_DEAD 0x00000010
#define EXIT_ZOMBIE 0x00000020
#define EXIT_TRACE (EXIT_ZOMBIE | EXIT_DEAD)
#define TASK_PARKED 0x00000040
#define TASK_DEAD 0x00000080
#define TASK_WAKEKILL 0x00000100
#define TASK_WAKING 0x00000200
#define TASK_NOLOAD 0x00000400
#define TASK_NEW 0x00000800
#define TASK_STATE_MAX 0x00010000
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_STOPPED (TASK_WAKEKILL | __TASK_STOPPED)
#define TASK_TRACED __TASK_TRACED
#define TASK_IDLE (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)
#define TASK_REPORT \
	(TASK_RUNNING | TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | __TASK_STOPPED | __TASK_TRACED | \
	 EXIT_DEAD | EXIT_ZOMBIE | TASK_PARKED)
#define TASK_COMM_LEN 16

#define task_is_running(task) (READ_ONCE((task)->__state) == TASK_RUNNING)
#define __set_current_state(state_value) WRITE_ONCE(current->__state, (state_value))
#define set_current_state(state_value) smp_store_mb(current->__state, (state_value))
#define get_current_state() READ_ONCE(current->__state)
#define __set_task_state(tsk, state_value) WRITE_ONCE((tsk)->__state, (state_value))

static inline unsigned int task_state_index(struct task_struct *tsk)
{
	unsigned int state = (READ_ONCE(tsk->__state) | tsk->exit_state) & TASK_REPORT;

	if (READ_ONCE(tsk->__state) == TASK_IDLE)
		state = TASK_REPORT + 1;
	return fls(state);
}

static inline char task_state_to_char(struct task_struct *tsk)
{
	return "RSDTtXZPI"[task_state_index(tsk)];
}

#define PF_IDLE 0x00000002
#define PF_EXITING 0x00000004
#define PF_WQ_WORKER 0x00000020
#define PF_FORKNOEXEC 0x00000040
#define PF_SUPERPRIV 0x00000100
#define PF_DUMPCORE 0x00000200
#define PF_SIGNALED 0x00000400
#define PF_MEMALLOC 0x00000800
#define PF_USED_MATH 0x00002000
#define PF_NOFREEZE 0x00008000
#define PF_FROZEN 0x00010000
#define PF_KSWAPD 0x00020000
#define PF_MEMALLOC_NOFS 0x00040000
#define PF_MEMALLOC_NOIO 0x00080000
#define PF_KTHREAD 0x00200000
#define PF_RANDOMIZE 0x00400000
#define PF_NO_SETAFFINITY 0x04000000

#define SCHED_NORMAL 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#define SCHED_DEADLINE 6

#define MAX_SCHEDULE_TIMEOUT LONG_MAX
extern long schedule_timeout(long timeout);
extern long schedule_timeout_interruptible(long timeout);
extern long schedule_timeout_killable(long timeout);
extern long schedule_timeout_uninterruptible(long timeout);
extern long schedule_timeout_idle(long timeout);
extern void schedule(void);
extern void schedule_preempt_disabled(void);
extern long io_schedule_timeout(long timeout);
extern void io_schedule(void);
extern void yield(void);

#define cond_resched() ({ might_sleep(); __cond_resched(); })
#define cond_resched_lock(lock) ({ (void)(lock); 0; })

static inline bool need_resched(void)
{
	return tif_need_resched();
}

extern int wake_up_process(struct task_struct *tsk);
extern int wake_up_state(struct task_struct *tsk, unsigned int state);
extern int default_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int flags, void *key);
extern void set_user_nice(struct task_struct *p, long nice);
extern int task_prio(const struct task_struct *p);
extern int sched_setscheduler(struct task_struct *p, int policy, const struct sched_param *param);
extern int sched_setscheduler_nocheck(struct task_struct *p, int policy, const struct sched_param *param);
extern void sched_set_fifo(struct task_struct *p);
extern void sched_set_fifo_low(struct task_struct *p);
extern void sched_set_normal(struct task_struct *p, int nice);
extern int set_cpus_allowed_ptr(struct task_struct *p, const struct cpumask *new_mask);
extern int idle_cpu(int cpu);
extern struct task_struct *idle_task(int cpu);
extern char *__get_task_comm(char *to, size_t len, struct task_struct *tsk);
extern void __set_task_comm(struct task_struct *tsk, const char *from, bool exec);
extern u64 task_sched_runtime(struct task_struct *task);

#define get_task_comm(buf, tsk) \
	({ \
		BUILD_BUG_ON(sizeof(buf) != TASK_COMM_LEN); \
		__get_task_comm(buf, sizeof(buf), tsk); \
	})

static inline void set_task_comm(struct task_struct *tsk, const char *from)
{
	__set_task_comm(tsk, from, false);
}

static inline int task_nice(const struct task_struct *p)
{
	return PRIO_TO_NICE((p)->static_prio);
}

static inline unsigned int task_cpu(const struct task_struct *p)
{
	return READ_ONCE(p->thread_info.cpu);
}

static inline bool is_idle_task(const struct task_struct *p)
{
	return !!(p->flags & PF_IDLE);
}

static inline pid_t task_pid_nr(struct task_struct *tsk)
{
	return tsk->pid;
}

static inline pid_t task_tgid_nr(struct task_struct *tsk)
{
	return tsk->tgid;
}

static inline pid_t task_ppid_nr(const struct task_struct *tsk)
{
	return tsk->real_parent->tgid;
}

static inline int pid_alive(const struct task_struct *p)
{
	return p->thread_pid != NULL;
}

static inline struct pid *get_pid(struct pid *pid)
{
	if (pid)
		refcount_inc(&pid->count);
	return pid;
}

static inline struct pid *task_pid(struct task_struct *task)
{
	return task->thread_pid;
}

static inline struct pid *task_tgid(struct task_struct *task)
{
	return task->signal->pids[PIDTYPE_TGID];
}

static inline struct pid *task_pgrp(struct task_struct *task)
{
	return task->signal->pids[PIDTYPE_PGID];
}

static inline struct pid *task_session(struct task_struct *task)
{
	return task->signal->pids[PIDTYPE_SID];
}

extern pid_t __task_pid_nr_ns(struct task_struct *task, enum pid_type type, struct pid_namespace *ns);
#define task_pid_nr_ns(tsk, ns) __task_pid_nr_ns((tsk), PIDTYPE_PID, (ns))
#define task_tgid_nr_ns(tsk, ns) __task_pid_nr_ns((tsk), PIDTYPE_TGID, (ns))
#define task_pgrp_nr_ns(tsk, ns) __task_pid_nr_ns((tsk), PIDTYPE_PGID, (ns))
#define task_pgrp_nr(tsk) __task_pid_nr_ns((tsk), PIDTYPE_PGID, NULL)
#define task_pgrp_vnr(tsk) __task_pid_nr_ns((tsk), PIDTYPE_PGID, NULL)
#define task_session_nr(tsk) __task_pid_nr_ns((tsk), PIDTYPE_SID, NULL)
#define task_session_vnr(tsk) __task_pid_nr_ns((tsk), PIDTYPE_SID, NULL)

static inline int is_global_init(struct task_struct *tsk)
{
	return task_tgid_nr(tsk) == 1;
}

#define task_pid_vnr(tsk) task_pid_nr(tsk)
#define task_tgid_vnr(tsk) task_tgid_nr(tsk)
#define task_stack_page(task) ((void *)(task)->stack)
#define task_thread_info(task) (&(task)->thread_info)
#define test_tsk_thread_flag(tsk, flag) test_bit(flag, &(tsk)->thread_info.flags)
#define set_tsk_thread_flag(tsk, flag) set_bit(flag, &(tsk)->thread_info.flags)
#define clear_tsk_thread_flag(tsk, flag) clear_bit(flag, &(tsk)->thread_info.flags)
#define test_tsk_need_resched(tsk) test_tsk_thread_flag(tsk, TIF_NEED_RESCHED)

extern void fput(struct file *file);
