// SPDX-License-Identifier: MIT
// Counting semaphores, and semaphores for readers and writers.
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/semaphore.h>
#include <linux/rwsem.h>
#include <linux/delay.h>
#include <linux/completion.h>

#define THREADS 6
static struct semaphore slots, ended;
static DECLARE_RWSEM(rw);
static int inside, most, value, torn, readers, most_readers;

static int visitor(void *data)
{
	for (int i = 0; i < 5; i++) {
		down(&slots);
		if (++inside > most)
			most = inside;
		msleep(4);
		inside--;
		up(&slots);
	}
	up(&ended);
	return 0;
}

static int reader(void *data)
{
	for (int i = 0; i < 10; i++) {
		int seen;

		down_read(&rw);
		if (++readers > most_readers)
			most_readers = readers;
		seen = value;
		msleep(4);
		if (seen != value || value % 2)
			torn++;
		readers--;
		up_read(&rw);
	}
	up(&ended);
	return 0;
}

static int writer(void *data)
{
	for (int i = 0; i < 10; i++) {
		down_write(&rw);
		value++;
		schedule();
		value++;
		if (i == 9) {
			downgrade_write(&rw);
			pr_info("downgraded: write %d, read %d\n", down_write_trylock(&rw), down_read_trylock(&rw));
			up_read(&rw);
			up_read(&rw);
		} else {
			up_write(&rw);
		}
		msleep(4);
	}
	up(&ended);
	return 0;
}

static int __init semaphores_init(void)
{
	sema_init(&slots, 2);
	sema_init(&ended, 0);
	for (int i = 0; i < THREADS; i++)
		kthread_run(visitor, NULL, "visitor");
	for (int i = 0; i < THREADS; i++)
		down(&ended);
	pr_info("at most %d inside, %u slots\n", most, slots.count);
	for (int i = 0; i < 3; i++)
		kthread_run(reader, NULL, "reader");
	kthread_run(writer, NULL, "writer");
	for (int i = 0; i < 4; i++)
		down(&ended);
	pr_info("value %d, torn %d, several readers %d, locked %d\n", value, torn, most_readers > 1, rwsem_is_locked(&rw));
	pr_info("down_trylock: %d\n", down_trylock(&ended));
	pr_info("down_timeout: %d\n", down_timeout(&ended, 5));
	up(&ended);
	pr_info("after up: %d\n", down_timeout(&ended, 5));
	down_write(&rw);
	pr_info("held for writing: read %d, write %d, count %lx\n", down_read_trylock(&rw), down_write_trylock(&rw),
		atomic_long_read(&rw.count));
	up_write(&rw);
	return 0;
}
module_init(semaphores_init);

static void __exit semaphores_exit(void)
{
}
module_exit(semaphores_exit);
MODULE_LICENSE("GPL");
