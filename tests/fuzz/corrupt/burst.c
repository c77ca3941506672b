// SPDX-License-Identifier: MIT
/* A seeded mix of what a module asks of the kernel; it keeps some and gives it back when it is unloaded. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#define SLOTS 48
static unsigned int seed = 1, rounds = 300;
module_param(seed, uint, 0);
module_param(rounds, uint, 0);

static struct slot {
	int kind;
	unsigned int order;
	void *p;
} slots[SLOTS];
static struct kmem_cache *own;
static DECLARE_COMPLETION(done);

static unsigned int below(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static void give_back(struct slot *s)
{
	switch (s->kind) {
	case 1: kfree(s->p); break;
	case 2: vfree(s->p); break;
	case 3: __free_pages(s->p, s->order); break;
	case 4: kmem_cache_free(own, s->p); break;
	}
	s->kind = 0;
}

static void take(struct slot *s)
{
	s->kind = 1 + below(4);
	switch (s->kind) {
	case 1: s->p = kzalloc(1 + below(below(4) ? 600 : 20000), GFP_KERNEL); break;
	case 2: s->p = vzalloc(1 + below(30000)); break;
	case 3: s->p = alloc_pages(GFP_KERNEL | __GFP_NOWARN, s->order = below(5)); break;
	case 4: s->p = kmem_cache_alloc(own, GFP_KERNEL); break;
	}
	if (!s->p)
		s->kind = 0;
}

static int thread(void *data)
{
	msleep(1);
	complete(&done);
	return 0;
}

static void work(struct work_struct *w)
{
	udelay(3);
}
static DECLARE_WORK(job, work);

static void rarely(void)
{
	struct kmem_cache *c;

	switch (below(9)) {
	case 0:
		reinit_completion(&done);
		if (!IS_ERR(kthread_run(thread, NULL, "burst")))
			wait_for_completion_timeout(&done, 20);
		break;
	case 1: schedule_work(&job); flush_work(&job); break;
	case 2: msleep(below(10)); break;
	case 3: pr_info("burst: %pS %p %u pages\n", take, &done, below(9)); break;
	case 4:
		c = kmem_cache_create("burst_short", 8 + below(500), 0, 0, NULL);
		if (c) {
			kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
			kmem_cache_destroy(c);
		}
		break;
	case 5: kmem_cache_shrink(own); break;
	case 6: cond_resched(); break;
	case 7: ksize(slots[0].kind == 1 ? slots[0].p : NULL); break;
	case 8: dump_stack(); break;
	}
}

static int __init burst_init(void)
{
	own = kmem_cache_create("burst_own", 72, 0, 0, NULL);
	if (!own)
		return -ENOMEM;
	while (rounds--) {
		struct slot *s = &slots[below(SLOTS)];

		if (s->kind)
			give_back(s);
		else
			take(s);
		if (below(40) == 0)
			rarely();
	}
	return 0;
}

static void __exit burst_exit(void)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		give_back(&slots[i]);
	flush_work(&job);
	kmem_cache_destroy(own);
}

module_init(burst_init);
module_exit(burst_exit);
MODULE_LICENSE("GPL");
