// SPDX-License-Identifier: MIT
/* The allocators' work, as a module (functions are called by the benchmark) or as a native program. */
#ifdef __KERNEL__
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#define ALLOC(size) kmalloc(size, GFP_KERNEL)
#define FREE(object) kfree(object)
#define BENCH int
#else
#include <stdlib.h>
#define ALLOC(size) malloc(size)
#define FREE(object) free(object)
#define BENCH static int
#endif

#define BATCH 1024
static void *volatile sink;
static void *objects[BATCH];

BENCH pair(int n)
{
	for (int i = 0; i < n; i++) {
		void *object = ALLOC(128);

		sink = object;
		FREE(object);
	}
	return 0;
}

/* n operations: 1,024 objects, then all of them given back in the order in which they came. */
BENCH batch(int n)
{
	for (int done = 0; done < n; done += 2 * BATCH) {
		for (int i = 0; i < BATCH; i++)
			objects[i] = ALLOC(128);
		for (int i = 0; i < BATCH; i++)
			FREE(objects[i]);
	}
	return 0;
}

#ifdef __KERNEL__
static struct kmem_cache *cache;
static struct kmem_cache *caches[1000];

BENCH zeroed_pair(int n)
{
	for (int i = 0; i < n; i++) {
		void *object = kzalloc(128, GFP_KERNEL);

		sink = object;
		kfree(object);
	}
	return 0;
}

BENCH cache_pair(int n)
{
	for (int i = 0; i < n; i++) {
		void *object = kmem_cache_alloc(cache, GFP_KERNEL);

		sink = object;
		kmem_cache_free(cache, object);
	}
	return 0;
}

BENCH page_pair(int n)
{
	for (int i = 0; i < n; i++) {
		unsigned long page = __get_free_page(GFP_KERNEL);

		sink = (void *)page;
		free_page(page);
	}
	return 0;
}

BENCH vmalloc_pair(int n)
{
	for (int i = 0; i < n; i++) {
		sink = vmalloc(1 << 20);
		vfree(sink);
	}
	return 0;
}

/* Caches that are not merged, as each has another size class or a constructor would: names are enough with slab_nomerge. */
BENCH make_caches(int n)
{
	char name[16];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "bench-%d", i);
		if (!caches[i])
			caches[i] = kmem_cache_create(name, 128, 0, 0, NULL);
		if (!caches[i])
			return -ENOMEM;
		kmem_cache_free(caches[i], kmem_cache_alloc(caches[i], GFP_KERNEL));
	}
	return 0;
}

/* One pair on each cache in turn. @param n pairs in the upper, number of caches in the lower 10 bits */
BENCH many_caches(int n)
{
	int pairs = n >> 10;
	int count = n & 1023;

	for (int i = 0, c = 0; i < pairs; i++) {
		void *object = kmem_cache_alloc(caches[c], GFP_KERNEL);

		sink = object;
		kmem_cache_free(caches[c], object);
		if (++c == count)
			c = 0;
	}
	return 0;
}

static int __init bench_init(void)
{
	cache = kmem_cache_create("bench", 128, 0, 0, NULL);
	return cache ? 0 : -ENOMEM;
}

module_init(bench_init);
MODULE_LICENSE("GPL");
#else
#define KERNELS(X) X(pair) X(batch)
#include "native_main.h"
#endif
