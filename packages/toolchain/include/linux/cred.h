/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/capability.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/uidgid.h>

#define current_cred() rcu_dereference_protected(current->cred, 1)
#define __task_cred(task) rcu_dereference((task)->real_cred)
#define get_current_cred() (get_cred(current_cred()))
#define task_cred_xxx(task, xxx) (__task_cred(task)->xxx)
#define current_cred_xxx(xxx) (current_cred()->xxx)
#define current_uid() (current_cred_xxx(uid))
#define current_gid() (current_cred_xxx(gid))
#define current_euid() (current_cred_xxx(euid))
#define current_egid() (current_cred_xxx(egid))
#define current_suid() (current_cred_xxx(suid))
#define current_sgid() (current_cred_xxx(sgid))
#define current_fsuid() (current_cred_xxx(fsuid))
#define current_fsgid() (current_cred_xxx(fsgid))
#define current_user_ns() (&init_user_ns)
#define task_uid(task) (task_cred_xxx((task), uid))
#define task_euid(task) (task_cred_xxx((task), euid))

extern void __put_cred(struct cred *cred);
extern struct cred *prepare_creds(void);
extern struct cred *prepare_kernel_cred(struct task_struct *daemon);
extern int commit_creds(struct cred *new);
extern void abort_creds(struct cred *new);
extern const struct cred *override_creds(const struct cred *new);
extern void revert_creds(const struct cred *old);

static inline const struct cred *get_cred(const struct cred *cred)
{
	if (cred)
		atomic_inc(&((struct cred *)cred)->usage);
	return cred;
}

static inline void put_cred(const struct cred *cred)
{
	if (cred && atomic_dec_and_test(&((struct cred *)cred)->usage))
		__put_cred((struct cred *)cred);
}
