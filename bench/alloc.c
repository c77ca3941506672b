// SPDX-License-Identifier: MIT
/* The allocators' work in a module: the benchmark calls these functions by name. */
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define ALLOC(size) kmalloc(size, GFP_KERNEL)
#define FREE(object) kfree(object)
#define BENCH int
#define ARGUMENTS int n
#include "alloc.h"

static struct kmem_cache *cache;
static struct kmem_cache *caches[1000];

int zeroed_pair(int n)
{
	for (int i = 0; i < n; i++) {
		void *object = kzalloc(128, GFP_KERNEL);

		sink = object;
		kfree(object);
	}
	return 0;
}

int cache_pair(int n)
{
	for (int i = 0; i < n; i++) {
		void *object = kmem_cache_alloc(cache, GFP_KERNEL);

		sink = object;
		kmem_cache_free(cache, object);
	}
	return 0;
}

int page_pair(int n)
{
	for (int i = 0; i < n; i++) {
		unsigned long page = __get_free_page(GFP_KERNEL);

		sink = (void *)page;
		free_page(page);
	}
	return 0;
}

int vmalloc_pair(int n)
{
	for (int i = 0; i < n; i++) {
		sink = vmalloc(1 << 20);
		vfree(sink);
	}
	return 0;
}

/* One pair on each cache in turn. @param n pairs in the upper, number of caches in the lower 10 bits */
int many_caches(int n)
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

/* Boot with slab_nomerge: they would be one cache otherwise. */
static int nr_caches;
module_param(nr_caches, int, 0);

static int __init bench_init(void)
{
	char name[16];

	for (int i = 0; i < nr_caches; i++) {
		snprintf(name, sizeof(name), "bench-%d", i);
		caches[i] = kmem_cache_create(name, 128, 0, 0, NULL);
		if (!caches[i])
			return -ENOMEM;
	}
	cache = kmem_cache_create("bench", 128, 0, 0, NULL);
	return cache ? 0 : -ENOMEM;
}

module_init(bench_init);
MODULE_LICENSE("GPL");
