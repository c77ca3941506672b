// SPDX-License-Identifier: MIT
// Notifier chains: order by priority, a callback that stops the others, one that removes itself.
#include <linux/module.h>
#include <linux/notifier.h>

static RAW_NOTIFIER_HEAD(raw);
static ATOMIC_NOTIFIER_HEAD(atomic);
static BLOCKING_NOTIFIER_HEAD(blocking);

static int first(struct notifier_block *nb, unsigned long action, void *data)
{
	pr_cont(" first(%lu, %s)", action, (char *)data);
	return NOTIFY_OK;
}

static int second(struct notifier_block *nb, unsigned long action, void *data)
{
	pr_cont(" second");
	return action == 2 ? NOTIFY_BAD : NOTIFY_DONE;
}

static int leaves(struct notifier_block *nb, unsigned long action, void *data)
{
	pr_cont(" leaves: %d", raw_notifier_chain_unregister(&raw, nb));
	return NOTIFY_OK;
}

static struct notifier_block a = { .notifier_call = first, .priority = 10 };
static struct notifier_block b = { .notifier_call = second };
static struct notifier_block c = { .notifier_call = leaves, .priority = -5 };

static int __init notifiers_init(void)
{
	int i, result;

	pr_info("register: %d %d %d\n", raw_notifier_chain_register(&raw, &c), raw_notifier_chain_register(&raw, &b),
		raw_notifier_chain_register(&raw, &a));
	for (i = 1; i < 4; i++) {
		pr_info("call %d:", i);
		result = raw_notifier_call_chain(&raw, i, "data");
		pr_cont(" -> %x, errno %d\n", result, notifier_to_errno(result));
	}
	pr_info("unregister: %d %d\n", raw_notifier_chain_unregister(&raw, &b), raw_notifier_chain_unregister(&raw, &b));
	atomic_notifier_chain_register(&atomic, &b);
	blocking_notifier_chain_register(&blocking, &a);
	pr_info("atomic:");
	atomic_notifier_call_chain(&atomic, 0, NULL);
	pr_cont(", blocking:");
	blocking_notifier_call_chain(&blocking, 0, "x");
	pr_cont("\n");
	return 0;
}
module_init(notifiers_init);

static void __exit notifiers_exit(void)
{
}
module_exit(notifiers_exit);
MODULE_LICENSE("GPL");
