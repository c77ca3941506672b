// SPDX-License-Identifier: MIT
// Pools: memory that is set aside (mempool) of every kind, and blocks that a device can see (dma_pool).
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

static bool broke;
static int given, taken;

static void *limited(gfp_t gfp, void *data)
{
	if (broke)
		return NULL;
	given++;
	return kmalloc((size_t)data, gfp);
}

static void back(void *element, void *data)
{
	taken++;
	kfree(element);
}

static void reserve(void)
{
	mempool_t *pool = mempool_create(3, limited, back, (void *)100);
	void *got[5];
	int i, n = 0;

	if (!pool)
		return;
	pr_info("created: min %d now %d, allocated %d\n", pool->min_nr, pool->curr_nr, given);
	got[0] = mempool_alloc(pool, GFP_KERNEL);
	pr_info("from the allocator: now %d, allocated %d\n", pool->curr_nr, given);
	broke = true;
	for (i = 1; i < 5; i++) {
		got[i] = mempool_alloc(pool, GFP_NOWAIT);
		n += got[i] != NULL;
	}
	pr_info("broke: %d of 4, now %d\n", n, pool->curr_nr);
	mempool_free(got[1], pool);
	mempool_free(NULL, pool);
	pr_info("one back: now %d, freed %d\n", pool->curr_nr, taken);
	broke = false;
	got[1] = mempool_alloc(pool, GFP_KERNEL);
	pr_info("rich again: now %d\n", pool->curr_nr);
	for (i = 0; i < 4; i++)
		mempool_free(got[i], pool);
	pr_info("all back: now %d, freed %d\n", pool->curr_nr, taken);
	pr_info("grown %d to %d", mempool_resize(pool, 5), pool->min_nr);
	pr_cont(" now %d;", pool->curr_nr);
	pr_cont(" shrunk %d", mempool_resize(pool, 1));
	pr_cont(" now %d\n", pool->curr_nr);
	mempool_destroy(pool);
	pr_info("destroyed: allocated %d freed %d\n", given, taken);
	mempool_destroy(NULL);
	broke = true;
	pr_info("none could be set aside: %d\n", mempool_create(1, limited, back, (void *)100) == NULL);
}

static void kinds(void)
{
	struct kmem_cache *cache = kmem_cache_create("pools_object", 40, 8, SLAB_HWCACHE_ALIGN, NULL);
	mempool_t *slabs = mempool_create_slab_pool(2, cache), *bytes = mempool_create_kmalloc_pool(2, 300),
		  *pages = mempool_create_page_pool(1, 1), embedded;
	void *a = mempool_alloc(slabs, GFP_KERNEL), *b = mempool_alloc(bytes, GFP_KERNEL), *c = mempool_alloc(pages, GFP_KERNEL);

	pr_info("object %d, of size %zu, pages of order %d\n", a != NULL, ksize(b), compound_order(c));
	pr_info("page valid %d\n", virt_to_page(page_address(c)) == c);
	mempool_free(a, slabs);
	mempool_free(b, bytes);
	mempool_free(c, pages);
	mempool_destroy(slabs);
	mempool_destroy(bytes);
	mempool_destroy(pages);
	kmem_cache_destroy(cache);
	pr_info("embedded %d, initialized %d\n", mempool_init(&embedded, 2, mempool_kmalloc, mempool_kfree, (void *)64),
		mempool_initialized(&embedded));
	mempool_exit(&embedded);
	pr_info("exited: initialized %d\n", mempool_initialized(&embedded));
}

static void dma(void)
{
	struct dma_pool *pool = dma_pool_create("blocks", NULL, 100, 64, 0);
	dma_addr_t a, b, c;
	void *x, *y, *z;

	if (!pool)
		return;
	x = dma_pool_alloc(pool, GFP_KERNEL, &a);
	y = dma_pool_zalloc(pool, GFP_KERNEL, &b);
	pr_info("aligned %d %d, apart by %d, zero %d, address of the bus %d\n", IS_ALIGNED(a, 64), IS_ALIGNED((unsigned long)y, 64),
		abs((int)(b - a)) >= 128, memchr_inv(y, 0, 100) == NULL, a == virt_to_phys(x));
	dma_pool_free(pool, x, a);
	z = dma_pool_alloc(pool, GFP_ATOMIC, &c);
	pr_info("the same again %d\n", z == x && c == a);
	dma_pool_free(pool, z, c);
	dma_pool_free(pool, y, b);
	dma_pool_destroy(pool);
	dma_pool_destroy(NULL);
	pr_info("refused: size 0 %d, alignment 3 %d, too large for its boundary %d\n", dma_pool_create("x", NULL, 0, 1, 0) == NULL,
		dma_pool_create("x", NULL, 8, 3, 0) == NULL, dma_pool_create("x", NULL, 4096, 8, 1024) == NULL);
}

static int __init pools_init(void)
{
	reserve();
	kinds();
	dma();
	return 0;
}
module_init(pools_init);

static void __exit pools_exit(void)
{
}
module_exit(pools_exit);
MODULE_LICENSE("GPL");
