// SPDX-License-Identifier: MIT
// Threads that contend for a mutex get it in turn; nobody gets in between; what C sees of the owner.
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/delay.h>
#include <linux/completion.h>

#define THREADS 4
static DEFINE_MUTEX(lock);
static DECLARE_COMPLETION(finished);
static int inside, most, total, done;

static int worker(void *data)
{
	for (int i = 0; i < 25; i++) {
		int seen;

		mutex_lock(&lock);
		if (++inside > most)
			most = inside;
		seen = total;
		if (i % 7 == 3)
			usleep_range(50, 60);
		else if (i % 3 == 0)
			schedule();
		total = seen + 1;
		inside--;
		mutex_unlock(&lock);
		if (i % 5 == 0)
			schedule();
	}
	if (++done == THREADS)
		complete(&finished);
	return 0;
}

static int __init mutexes_init(void)
{
	struct mutex own;

	for (long i = 0; i < THREADS; i++)
		kthread_run(worker, (void *)i, "worker/%ld", i);
	wait_for_completion(&finished);
	pr_info("total %d, at most %d inside\n", total, most);
	mutex_init(&own);
	pr_info("trylock: %d, again %d\n", mutex_trylock(&own), mutex_trylock(&own));
	pr_info("locked %d, by me %d\n", mutex_is_locked(&own),
		(void *)atomic_long_read(&own.owner) == (void *)current);
	mutex_unlock(&own);
	pr_info("interruptible %d, killable after unlock %d\n", mutex_lock_interruptible(&own),
		({ mutex_unlock(&own); mutex_lock_killable(&own); }));
	mutex_unlock(&own);
	pr_info("locked %d, owner %lx\n", mutex_is_locked(&own), atomic_long_read(&own.owner));
	return 0;
}
module_init(mutexes_init);

static void __exit mutexes_exit(void)
{
}
module_exit(mutexes_exit);
MODULE_LICENSE("GPL");
