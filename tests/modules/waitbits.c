// SPDX-License-Identifier: MIT
// Waiting for bits and variables: until clear, as a lock, with a timeout, with an action of one's own, by counting.
#include <linux/bit_spinlock.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/wait_bit.h>

static unsigned long word, other;
static atomic_t users = ATOMIC_INIT(2);
static int nr_asked;

static int clearer(void *data)
{
	long bit = (long)data;

	pr_info("clearing bit %ld\n", bit);
	clear_and_wake_up_bit(bit, &word);
	return 0;
}

static int ask(struct wait_bit_key *key, int mode)
{
	pr_info("asked for the %d. time about bit %d of the word: %d\n", ++nr_asked, key->bit_nr, key->flags == &word);
	if (nr_asked == 3)
		return -EBUSY;
	schedule_timeout(1);
	return 0;
}

static int locker(void *name)
{
	int ret = wait_on_bit_lock(&word, 7, TASK_UNINTERRUPTIBLE);

	pr_info("%s has the lock: %d, bit %d\n", (char *)name, ret, test_bit(7, &word));
	msleep(10);
	clear_bit_unlock(7, &word);
	smp_mb__after_atomic();
	wake_up_bit(&word, 7);
	return 0;
}

static int user(void *data)
{
	msleep(5);
	if (atomic_dec_and_test(&users))
		wake_up_var(&users);
	return 0;
}

static void bits(void)
{
	unsigned long before;
	int ret;

	pr_info("clear already: %d\n", wait_on_bit(&word, 3, TASK_UNINTERRUPTIBLE));
	set_bit(3, &word);
	kthread_run(clearer, (void *)3, "clearer");
	ret = wait_on_bit(&word, 3, TASK_UNINTERRUPTIBLE);
	pr_info("waited: %d, word %lx\n", ret, word);

	set_bit(4, &word);
	before = jiffies;
	ret = wait_on_bit_timeout(&word, 4, TASK_UNINTERRUPTIBLE, 5);
	pr_info("timeout: %d after %d ticks\n", ret, jiffies - before >= 5 && jiffies - before <= 7 ? 5 : -1);
	ret = wait_on_bit_action(&word, 4, ask, TASK_UNINTERRUPTIBLE);
	pr_info("action: %d\n", ret);
	pr_info("woken without being clear: %d\n", (wake_up_bit(&word, 4), test_bit(4, &word)));
	clear_bit(4, &word);
}

static void locks(void)
{
	struct task_struct *first, *second;
	int ret;

	ret = wait_on_bit_lock(&word, 7, TASK_INTERRUPTIBLE);
	pr_info("init has the lock: %d\n", ret);
	first = kthread_run(locker, "first", "first");
	msleep(1);
	second = kthread_run(locker, "second", "second");
	msleep(1);
	pr_info("init gives it back\n");
	clear_and_wake_up_bit(7, &word);
	ret = wait_on_bit(&word, 7, TASK_UNINTERRUPTIBLE);
	msleep(50);
	pr_info("free: %d, bit %d\n", ret, test_bit(7, &word));
}

static void variables(void)
{
	long left;

	kthread_run(user, NULL, "user");
	kthread_run(user, NULL, "user");
	wait_var_event(&users, atomic_read(&users) == 0);
	pr_info("users: %d\n", atomic_read(&users));
	left = wait_var_event_timeout(&users, atomic_read(&users) == 1, 3);
	pr_info("nobody comes: %ld\n", left);
	left = wait_var_event_timeout(&users, atomic_read(&users) == 0, 3);
	pr_info("true already: %ld\n", left);
	pr_info("one queue for one variable: %d, for one bit: %d\n", __var_waitqueue(&users) == __var_waitqueue(&users),
		bit_waitqueue(&word, 1) == bit_waitqueue(&word, 1));
}

static void spins(void)
{
	int depth = preempt_count();

	bit_spin_lock(0, &other);
	pr_info("locked: %d, word %lx, tried again: %d\n", bit_spin_is_locked(0, &other), other, bit_spin_trylock(0, &other));
	pr_info("preemption is off: %d\n", preempt_count() > depth);
	bit_spin_unlock(0, &other);
	pr_info("tried: %d\n", bit_spin_trylock(0, &other));
	__bit_spin_unlock(0, &other);
	pr_info("locked: %d, preemption is off: %d\n", bit_spin_is_locked(0, &other), preempt_count() > depth);
}

static int __init waitbits_init(void)
{
	bits();
	locks();
	variables();
	spins();
	return 0;
}
static void __exit waitbits_exit(void)
{
}
module_init(waitbits_init);
module_exit(waitbits_exit);
MODULE_LICENSE("GPL");
