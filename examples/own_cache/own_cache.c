// SPDX-License-Identifier: MIT
// A slab cache of one's own: while the module is loaded, /proc/slabinfo has a row for it.
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>

#define NR_RECORDS 20

struct record {
	unsigned long id;
	char name[40];
};

static struct kmem_cache *record_cache;
static struct record *records[NR_RECORDS];

/* Runs once for each object when its slab is made, not at each allocation. */
static void record_constructor(void *object)
{
	struct record *record = object;

	record->id = ~0UL;
}

static void free_records(void)
{
	int i;

	for (i = 0; i < NR_RECORDS; i++)
		if (records[i])
			kmem_cache_free(record_cache, records[i]);
	kmem_cache_destroy(record_cache);
}

static int __init own_cache_init(void)
{
	int i;

	record_cache = kmem_cache_create("own_record", sizeof(struct record), 0, SLAB_HWCACHE_ALIGN, record_constructor);
	if (!record_cache)
		return -ENOMEM;

	for (i = 0; i < NR_RECORDS; i++) {
		records[i] = kmem_cache_alloc(record_cache, GFP_KERNEL);
		if (!records[i]) {
			free_records();
			return -ENOMEM;
		}
		records[i]->id = i;
	}
	pr_info("own_cache: %d records of %u bytes each\n", NR_RECORDS, kmem_cache_size(record_cache));
	return 0;
}

static void __exit own_cache_exit(void)
{
	free_records();
	pr_info("own_cache: cache destroyed\n");
}

module_init(own_cache_init);
module_exit(own_cache_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A kmem_cache with a constructor");
