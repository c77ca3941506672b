// SPDX-License-Identifier: MIT
// Reference counts, used well.
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/refcount.h>

struct thing {
	struct kref ref;
	int released;
};

static void thing_release(struct kref *ref)
{
	container_of(ref, struct thing, ref)->released++;
}

static DEFINE_SPINLOCK(lock);

static int __init refcounts_init(void)
{
	struct thing thing = { .released = 0 };
	refcount_t count = REFCOUNT_INIT(1);

	kref_init(&thing.ref);
	kref_get(&thing.ref);
	pr_info("two users, put: %d", kref_put(&thing.ref, thing_release));
	pr_cont(" put: %d released: %d\n", kref_put(&thing.ref, thing_release), thing.released);
	pr_info("get unless zero: %d\n", kref_get_unless_zero(&thing.ref));

	pr_info("dec_not_one: %d dec_if_one: %d now %u\n", refcount_dec_not_one(&count), refcount_dec_if_one(&count),
		refcount_read(&count));
	refcount_set(&count, 1);
	pr_info("dec_and_lock: %d\n", refcount_dec_and_lock(&count, &lock));
	spin_unlock(&lock);
	return 0;
}
module_init(refcounts_init);

static void __exit refcounts_exit(void)
{
}
module_exit(refcounts_exit);
MODULE_LICENSE("GPL");
