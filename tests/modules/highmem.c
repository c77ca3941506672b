// SPDX-License-Identifier: MIT
// kmap and its kind give the direct map's address; what a page is can be looked at.
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>

static int __init highmem_init(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	unsigned long before = nr_free_pages();
	char *a, *b;

	if (!page)
		return -ENOMEM;
	a = kmap(page);
	strcpy(a, "written through kmap");
	kunmap(page);
	b = kmap_local_page(page);
	pr_info("%s; the same address: %d\n", b, a == b && a == page_address(page));
	kunmap_local(b);
	b = kmap_atomic(page);
	pr_info("in kmap_atomic one must not sleep: %d\n", in_atomic());
	kunmap_atomic(b);
	pr_info("after it one may: %d\n", in_atomic());
	pr_info("pfn_valid: %d %d\n", pfn_valid(page_to_pfn(page)), pfn_valid(~0UL));
	pr_info("available: %d\n", si_mem_available() > 0);
	dump_page(page, "to have a look");
	__free_page(page);
	pr_info("one page more is free: %d\n", nr_free_pages() >= before);
	return 0;
}

static void __exit highmem_exit(void)
{
}

module_init(highmem_init);
module_exit(highmem_exit);
MODULE_LICENSE("GPL");
