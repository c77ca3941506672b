// SPDX-License-Identifier: MIT
// Slab memory: caches with constructors, bulks, sizes, resizing, arrays that overflow, large and virtual allocations.
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

struct thing {
	int constructed, used;
	char name[24];
};

static int constructed;

static void construct(void *object)
{
	struct thing *t = object;

	constructed++;
	t->constructed = 42;
	t->used = 0;
}

static void caches(void)
{
	struct kmem_cache *cache = kmem_cache_create("slabs_thing", sizeof(struct thing), 0, SLAB_HWCACHE_ALIGN, construct), *other;
	struct thing *t, *all[20];
	int i, n, right = 0;

	t = kmem_cache_alloc(cache, GFP_KERNEL);
	pr_info("size %u, made at once a slab's worth %d, constructed %d\n", kmem_cache_size(cache), constructed > 1, t->constructed);
	t->used = 7;
	n = constructed;
	kmem_cache_free(cache, t);
	t = kmem_cache_alloc(cache, GFP_KERNEL);
	pr_info("the same object, as it was left: %d, not constructed anew: %d\n", t->used == 7, constructed == n);
	kmem_cache_free(cache, t);
	pr_info("bulk %d\n", kmem_cache_alloc_bulk(cache, GFP_KERNEL, ARRAY_SIZE(all), (void **)all));
	for (i = 0; i < ARRAY_SIZE(all); i++)
		right += all[i]->constructed == 42;
	pr_info("constructed %d of %zu\n", right, ARRAY_SIZE(all));
	kmem_cache_free_bulk(cache, ARRAY_SIZE(all), (void **)all);
	pr_info("shrunk %d\n", kmem_cache_shrink(cache));
	kmem_cache_destroy(cache);
	kmem_cache_destroy(NULL);
	other = KMEM_CACHE(thing, SLAB_PANIC | SLAB_ACCOUNT);
	t = kmem_cache_zalloc(other, GFP_KERNEL);
	pr_info("zeroed %d, aligned %d\n", memchr_inv(t, 0, sizeof(*t)) == NULL, IS_ALIGNED((unsigned long)t, 8));
	kmem_cache_free(other, t);
	t = kmem_cache_alloc_node(other, GFP_KERNEL, 0);
	kmem_cache_free(other, t);
	kmem_cache_destroy(other);
}

static void sizes(void)
{
	static const size_t of[] = { 1, 8, 9, 64, 65, 96, 97, 128, 129, 192, 193, 256, 1000, 4096, 4097, 8192, 8193, 20000 };
	int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		p = kmalloc(of[i], GFP_KERNEL);
		pr_cont("%zu:%zu/%zu ", of[i], kmalloc_size_roundup(of[i]), ksize(p) >= of[i] ? kmalloc_size_roundup(of[i]) : 0);
		kfree(p);
	}
	pr_cont("\n");
	p = kmalloc(0, GFP_KERNEL);
	pr_info("of nothing: %d %d, sizes %zu %zu\n", p == ZERO_SIZE_PTR, ZERO_OR_NULL_PTR(p), ksize(p), ksize(NULL));
	kfree(p);
	kfree(NULL);
	p = kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN);
	pr_info("too much: %d, overflows %d %d %d\n", p == NULL, kmalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL) == NULL,
		kcalloc(SIZE_MAX, SIZE_MAX, GFP_KERNEL) == NULL, krealloc_array(NULL, SIZE_MAX, 2, GFP_KERNEL) == NULL);
}

static void resizing(void)
{
	char *p = kmalloc(10, GFP_KERNEL), *q;
	int *numbers;

	strcpy(p, "ten bytes");
	q = krealloc(p, 14, GFP_KERNEL);
	pr_info("within its object: same %d '%s'", p == q, q);
	q = krealloc(q, 1000, GFP_KERNEL);
	pr_cont(", beyond: '%s'", q);
	q = krealloc(q, 5, GFP_KERNEL);
	pr_cont(", down: '%.4s'", q);
	p = krealloc(q, 0, GFP_KERNEL);
	pr_cont(", to nothing %d", p == ZERO_SIZE_PTR);
	q = krealloc(NULL, 8, GFP_KERNEL | __GFP_ZERO);
	pr_cont(", from NULL %d\n", q[0] == 0);
	kfree_sensitive(q);
	numbers = kcalloc(4, sizeof(int), GFP_KERNEL);
	numbers = krealloc_array(numbers, 100, sizeof(int), GFP_KERNEL | __GFP_ZERO);
	pr_info("array: %d %d\n", numbers[3], numbers[99]);
	kfree(numbers);
	p = kmemdup("some", 5, GFP_KERNEL);
	pr_info("'%s'\n", p);
	kfree_sensitive(p);
	kfree_sensitive(NULL);
}

static void large(void)
{
	void *p = kmalloc(100000, GFP_KERNEL), *bulk[4];
	char *v = kvmalloc(100, GFP_KERNEL), *w = kvzalloc(SZ_8M, GFP_KERNEL), *x;
	struct page *page = virt_to_page(p);
	int i;

	pr_info("large: size %zu, compound of order %d, a slab %d\n", ksize(p), compound_order(page), PageSlab(page));
	kfree(p);
	pr_info("kvmalloc: vmalloc'ed %d %d, zero %d\n", is_vmalloc_addr(v), is_vmalloc_addr(w), memchr_inv(w, 0, SZ_1M) == NULL);
	strcpy(v, "kept");
	x = kvrealloc(v, 100, SZ_8M, GFP_KERNEL);
	pr_info("moved: %d '%s'\n", x != v && is_vmalloc_addr(x), x);
	kvfree(x);
	kvfree_sensitive(w, SZ_8M);
	kvfree(NULL);
	x = kvmalloc_array(SIZE_MAX, 2, GFP_KERNEL);
	pr_info("overflow %d", x == NULL);
	x = kvcalloc(10, 10, GFP_KERNEL);
	pr_cont(", zero %d\n", memchr_inv(x, 0, 100) == NULL);
	kvfree(x);
	for (i = 0; i < 4; i++)
		bulk[i] = kmalloc(32 << i, GFP_KERNEL);
	kfree_bulk(4, bulk);
	pr_info("freed in bulk, from several caches\n");
}

static int __init slabs_init(void)
{
	caches();
	sizes();
	resizing();
	large();
	return 0;
}
module_init(slabs_init);

static void __exit slabs_exit(void)
{
}
module_exit(slabs_exit);
MODULE_LICENSE("GPL");
