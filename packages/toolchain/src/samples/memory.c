// SPDX-License-Identifier: MIT
/* Allocators, pages, page tables and address spaces, as a module sees them. */
#include <linux/highmem.h>
#include <linux/kmemleak.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

struct item {
	int key;
	char data[60];
};

static DEFINE_PER_CPU(int, hits);

static int allocators(void)
{
	struct kmem_cache *cache = KMEM_CACHE(item, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	struct item *it = kmem_cache_zalloc(cache, GFP_KERNEL);
	char *copy = kstrdup("copy", GFP_ATOMIC);
	int *counters = alloc_percpu(int);
	mempool_t *pool = mempool_create_slab_pool(4, cache);
	void *many[4];
	int n = kmem_cache_alloc_bulk(cache, GFP_KERNEL, ARRAY_SIZE(many), many);

	kmem_cache_free_bulk(cache, n, many);
	copy = krealloc(copy, ksize(copy) * 2, GFP_KERNEL | __GFP_NOWARN);
	kfree_sensitive(copy);
	kvfree(kvmalloc_array(1000, sizeof(*it), GFP_KERNEL));
	kfree(kcalloc(SIZE_MAX / 2, 16, GFP_KERNEL));
	kfree(kmemdup(it, struct_size(it, data, 2), GFP_NOWAIT));
	vfree(vzalloc(1 << 20));
	free_percpu(counters);
	mempool_free(mempool_alloc(pool, GFP_NOIO), pool);
	mempool_destroy(pool);
	kmemleak_not_leak(it);
	kmem_cache_free(cache, it);
	kmem_cache_destroy(cache);
	this_cpu_inc(hits);
	return per_cpu(hits, 0) + *this_cpu_ptr(&hits) + get_cpu_var(hits);
}

static void pages(void)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	unsigned long addr = __get_free_page(GFP_DMA32);

	BUILD_BUG_ON(sizeof(struct page) != 64);
	if (!page)
		return;
	get_page(page);
	SetPageReferenced(page);
	pr_info("%px pfn %lx order %u refs %d zone %d %s\n", page_address(page), page_to_pfn(page),
		compound_order(page), page_count(page), page_zonenum(page), PageHead(page) ? "head" : "");
	WARN_ON(virt_to_page(page_address(page)) != page || virt_to_phys(page_address(page)) != page_to_phys(page));
	put_page(page);
	memset(kmap_local_page(page), 0, PAGE_SIZE);
	__free_pages(page, 2);
	free_page(addr);
	free_pages_exact(alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL), 3 * PAGE_SIZE);
	vunmap(vmap(&page, 1, VM_MAP, PAGE_KERNEL));
}

static unsigned long walk(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;
	pte_t *pte;

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return 0;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d))
		return 0;
	pud = pud_offset(p4d, address);
	if (pud_none(*pud) || pud_large(*pud))
		return 0;
	pmd = pmd_offset(pud, address);
	if (pmd_none_or_clear_bad(pmd))
		return 0;
	pte = pte_offset_kernel(pmd, address);
	return pte_present(*pte) ? pte_pfn(*pte) << PAGE_SHIFT | offset_in_page(address) : 0;
}

static void areas(void)
{
	struct mm_struct *mm = get_task_mm(current);
	struct vm_area_struct *vma;

	if (!mm)
		return;
	mmap_read_lock(mm);
	for (vma = mm->mmap; vma; vma = vma->vm_next)
		pr_info("%lx-%lx %c%c %lu pages at %lx\n", vma->vm_start, vma->vm_end, vma->vm_flags & VM_WRITE ? 'w' : '-',
			vma->vm_flags & VM_EXEC ? 'x' : '-', vma_pages(vma), walk(mm, vma->vm_start));
	pr_info("%d maps, rss %lu, users %d\n", mm->map_count, get_mm_rss(mm), atomic_read(&mm->mm_users));
	mmap_read_unlock(mm);
	mmput(mm);
}

static int __init memory_init(void)
{
	pages();
	areas();
	return allocators() < 0 ? -ENOMEM : 0;
}

module_init(memory_init);
MODULE_LICENSE("GPL");
