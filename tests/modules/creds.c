// SPDX-License-Identifier: MIT
// Who one is: user and group numbers, capabilities, credentials prepared, overridden, committed; the task itself.
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/uidgid.h>

static void numbers(void)
{
	kuid_t uid = make_kuid(&init_user_ns, 1000), other = KUIDT_INIT(7);
	kgid_t gid = make_kgid(current_user_ns(), 100);

	pr_info("uid %u %u gid %u %u, valid %d %d, equal %d %d, order %d %d\n", __kuid_val(uid), from_kuid(&init_user_ns, uid), __kgid_val(gid),
		from_kgid(&init_user_ns, gid), uid_valid(uid), uid_valid(INVALID_UID), uid_eq(uid, uid), uid_eq(uid, other), uid_gt(uid, other),
		uid_lt(uid, other));
	pr_info("gid valid %d %d, equal %d\n", gid_valid(gid), gid_valid(INVALID_GID), gid_eq(gid, GLOBAL_ROOT_GID));
}

static void ours(void)
{
	pr_info("root: %d %d %d %d, in groups %d %d\n", uid_eq(current_uid(), GLOBAL_ROOT_UID), uid_eq(current_euid(), GLOBAL_ROOT_UID),
		__kuid_val(current_suid()), __kuid_val(current_fsuid()), __kgid_val(current_gid()), __kgid_val(current_egid()));
	pr_info("may do all: %d %d %d %d\n", capable(CAP_SYS_ADMIN), capable(CAP_SYS_MODULE), ns_capable(&init_user_ns, CAP_NET_ADMIN),
		has_capability(current, CAP_CHOWN));
}

static void changed(void)
{
	struct cred *new = prepare_creds();
	const struct cred *old;

	if (!new)
		return;
	new->fsuid = KUIDT_INIT(42);
	old = override_creds(new);
	pr_info("overridden: fsuid %u, uid %u\n", __kuid_val(current_fsuid()), __kuid_val(current_uid()));
	revert_creds(old);
	pr_info("reverted: fsuid %u\n", __kuid_val(current_fsuid()));
	put_cred(new);
	new = prepare_creds();
	abort_creds(new);
	new = prepare_creds();
	new->euid = KUIDT_INIT(1000);
	pr_info("commit %d: euid %u of task %u, real uid %u\n", commit_creds(new), __kuid_val(current_euid()), __kuid_val(task_euid(current)),
		__kuid_val(task_uid(current)));
	new = prepare_creds();
	new->euid = GLOBAL_ROOT_UID;
	commit_creds(new);
	old = get_current_cred();
	pr_info("root again %u %d\n", __kuid_val(current_euid()), old == current_cred());
	put_cred(old);
	new = prepare_kernel_cred(NULL);
	pr_info("of the kernel: %u %u\n", __kuid_val(new->uid), __kgid_val(new->gid));
	put_cred(new);
}

static void task(void)
{
	pr_info("%s: a leader of itself %d, kernel thread %d, state %u, name fits %d\n", current->comm, current->tgid == current->pid,
		(current->flags & PF_KTHREAD) != 0, READ_ONCE(current->__state), strlen(current->comm) < TASK_COMM_LEN);
}

static int __init creds_init(void)
{
	numbers();
	ours();
	changed();
	task();
	return 0;
}
module_init(creds_init);

static void __exit creds_exit(void)
{
}
module_exit(creds_exit);
MODULE_LICENSE("GPL");
