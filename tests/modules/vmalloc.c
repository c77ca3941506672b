// SPDX-License-Identifier: MIT
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define PAGES 5

static void __init contiguous(void)
{
	unsigned char *p = vmalloc(PAGES * PAGE_SIZE), *direct;
	unsigned long i, sum = 0;

	for (i = 0; i < PAGES * PAGE_SIZE; i++)
		p[i] = i * 7;
	for (i = 0; i < PAGES; i++) {
		direct = page_address(vmalloc_to_page(p + i * PAGE_SIZE));
		sum += memcmp(direct, p + i * PAGE_SIZE, PAGE_SIZE) == 0;
		sum += vmalloc_to_pfn(p + i * PAGE_SIZE) == page_to_pfn(virt_to_page(direct));
	}
	pr_info("%px: %lu of %d pages are where their mapping says\n", p, sum, 2 * PAGES);
	pr_info("vmalloc %d, module %d, slab %d\n", is_vmalloc_addr(p), is_vmalloc_or_module_addr(contiguous),
		is_vmalloc_addr(THIS_MODULE->name));
	vfree(p);
	p = vzalloc(PAGE_SIZE);
	pr_info("%px: zeroed: %d, again elsewhere\n", p, !memchr_inv(p, 0, PAGE_SIZE));
	vfree(p);
}

static void __init aliased(void)
{
	struct page *pages[4];
	char *map;
	int i;

	for (i = 0; i < 4; i++)
		pages[i] = i % 2 ? pages[0] : alloc_page(GFP_KERNEL);
	map = vmap(pages, 4, VM_MAP, PAGE_KERNEL);
	strcpy(map, "one page, twice mapped");
	pr_info("vmap: %s\n", map + PAGE_SIZE);
	vunmap(map);
	map = vm_map_ram(pages, 2, NUMA_NO_NODE);
	pr_info("vm_map_ram: %s\n", map + PAGE_SIZE);
	vm_unmap_ram(map, 2);
	__free_page(pages[0]);
	__free_page(pages[2]);
}

static void __init either(void)
{
	size_t sizes[] = { 100, 8192, 6 << 20 };
	void *p;
	int i;

	for (i = 0; i < 3; i++) {
		p = kvmalloc(sizes[i], GFP_KERNEL);
		pr_info("kvmalloc(%zu): %s\n", sizes[i], is_vmalloc_addr(p) ? "vmalloc" : "slab or pages");
		kvfree(p);
	}
	p = kvmalloc(100, GFP_KERNEL);
	strcpy(p, "moved");
	p = kvrealloc(p, 100, 5 << 20, GFP_KERNEL);
	pr_info("kvrealloc: %s, %d\n", (char *)p, is_vmalloc_addr(p));
	kvfree_sensitive(p, 5 << 20);
}

static int __init vmalloc_test_init(void)
{
	contiguous();
	aliased();
	either();
	return 0;
}

static void __exit vmalloc_test_exit(void)
{
}

module_init(vmalloc_test_init);
module_exit(vmalloc_test_exit);
MODULE_LICENSE("GPL");
