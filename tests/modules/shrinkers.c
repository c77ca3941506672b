// SPDX-License-Identifier: MIT
// Shrinkers: asked with more and more pressure when memory runs out, and heard before an allocation fails.
#include <linux/module.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/notifier.h>
#include <linux/shrinker.h>
#include <linux/swap.h>

static LIST_HEAD(cache);
static unsigned long cached, counts, scans, asked, ooms;
static struct page *reserve;

static bool add_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);

	if (!page)
		return false;
	list_add(&page->lru, &cache);
	cached++;
	return true;
}

static unsigned long drop(unsigned long n)
{
	unsigned long freed = 0;

	while (freed < n && !list_empty(&cache)) {
		struct page *page = list_first_entry(&cache, struct page, lru);

		list_del(&page->lru);
		__free_page(page);
		freed++;
	}
	cached -= freed;
	return freed;
}

static unsigned long lab_count(struct shrinker *s, struct shrink_control *sc)
{
	counts++;
	return cached ? cached : SHRINK_EMPTY;
}

static unsigned long lab_scan(struct shrinker *s, struct shrink_control *sc)
{
	scans++;
	asked = sc->nr_to_scan;
	return drop(sc->nr_to_scan);
}

static struct shrinker lab = {
	.count_objects = lab_count,
	.scan_objects = lab_scan,
	.seeks = DEFAULT_SEEKS,
};

static int on_oom(struct notifier_block *nb, unsigned long unused, void *freed)
{
	ooms++;
	if (reserve) {
		__free_pages(reserve, 6);
		reserve = NULL;
		*(unsigned long *)freed += 64;
	}
	return NOTIFY_OK;
}

static struct notifier_block nb = { .notifier_call = on_oom };

static int __init shrinkers_init(void)
{
	struct sysinfo info;
	struct page *page, *more;
	unsigned long before;

	si_meminfo(&info);
	pr_info("memory: %d %d %d\n", info.totalram > info.freeram, info.freeram == nr_free_pages(),
		info.mem_unit == PAGE_SIZE);
	pr_info("register: %d\n", register_shrinker(&lab, "lab-cache"));
	reserve = alloc_pages(GFP_KERNEL, 6);
	for (int i = 0; i < 1000; i++)
		add_page();
	pr_info("before: asked %lu times\n", counts);
	while (add_page() && scans == 0)
		;
	pr_info("memory ran out: asked %d, scanned %d, batches of %lu\n", counts > 1, scans > 0, asked);
	before = cached;
	page = alloc_pages(GFP_KERNEL, 4);
	pr_info("order 4: %d\n", page != NULL);
	__free_pages(page, 4);
	pr_info("pages left: %d\n", cached <= before && cached > 0);

	register_oom_notifier(&nb);
	unregister_shrinker(&lab);
	counts = 0;
	while (add_page())
		;
	pr_info("without it: asked %lu times, ooms %lu\n", counts, ooms);
	more = alloc_page(GFP_KERNEL);
	pr_info("a page: %d, ooms %lu, reserve %d\n", more != NULL, ooms, reserve != NULL);
	__free_page(more);
	unregister_oom_notifier(&nb);
	drop(~0UL);
	pr_info("swap: %ld\n", get_nr_swap_pages());
	return 0;
}
module_init(shrinkers_init);

static void __exit shrinkers_exit(void)
{
}
module_exit(shrinkers_exit);
MODULE_LICENSE("GPL");
