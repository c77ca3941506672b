// SPDX-License-Identifier: MIT
// Pages: every way to get and give back, orders, zones, bulks, counts, flags, addresses of all kinds, compounds and folios.
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>

static void addresses(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	void *address = page_address(page);
	unsigned long pfn = page_to_pfn(page);

	pr_info("page to pfn and back %d, to address and back %d, physical %d %d, valid %d %d\n", pfn_to_page(pfn) == page,
		virt_to_page(address) == page, virt_to_phys(address) == PFN_PHYS(pfn), phys_to_virt(page_to_phys(page)) == address,
		virt_addr_valid(address), pfn_valid(pfn));
	pr_info("offsets %lu %lu, aligned %d %d, up %lx down %lx, pages of 5000 bytes %lu %lu\n", offset_in_page(address + 5),
		offset_in_page(0x1fff), PAGE_ALIGNED(address), PAGE_ALIGNED(address + 1), PAGE_ALIGN(0x1001UL), 0x1fffUL & PAGE_MASK,
		PFN_UP(5000UL), PFN_DOWN(5000UL));
	pr_info("within a page: in a huge address %d, zone %d, node %d\n", pfn_valid(~0UL >> PAGE_SHIFT), page_zonenum(page) <= ZONE_NORMAL,
		page_to_nid(page));
	__free_page(page);
}

static void counts(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	pr_info("count %d", page_count(page));
	get_page(page);
	pr_cont(" %d", page_count(page));
	pr_cont(", put and test %d", put_page_testzero(page));
	pr_cont(" count %d", page_ref_count(page));
	pr_cont(", unless zero %d", get_page_unless_zero(page));
	pr_cont(" count %d\n", page_count(page));
	put_page(page);
	put_page(page);
}

static void flags(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	pr_info("fresh: %d%d%d%d%d%d%d\n", PageLocked(page), PageDirty(page), PageUptodate(page), PageLRU(page), PageSlab(page),
		PageReserved(page), PagePrivate(page));
	SetPageUptodate(page);
	SetPageDirty(page);
	pr_info("set: %d %d, test and clear %d", PageUptodate(page), PageDirty(page), TestClearPageDirty(page));
	pr_cont(" %d", TestClearPageDirty(page));
	pr_cont(", test and set %d", TestSetPageReferenced(page));
	pr_cont(" %d\n", TestSetPageReferenced(page));
	ClearPageReferenced(page);
	ClearPageUptodate(page);
	set_page_private(page, 0x1234);
	SetPagePrivate(page);
	pr_info("private %lx %d\n", page_private(page), PagePrivate(page));
	ClearPagePrivate(page);
	set_page_private(page, 0);
	__free_page(page);
}

static void orders(void)
{
	unsigned long address;
	struct page *page, *part;
	struct folio *folio;
	char *exact;
	int i, n = 0;

	for (i = 0; i <= 4; i++) {
		address = __get_free_pages(GFP_KERNEL | __GFP_ZERO, i);
		n += address && IS_ALIGNED(address, PAGE_SIZE << i) && !memchr_inv((void *)address, 0, PAGE_SIZE << i);
		free_pages(address, i);
	}
	pr_info("aligned to their size and zero: %d of 5\n", n);
	page = alloc_pages(GFP_KERNEL, 2);
	pr_info("plain of order 2: compound %d, counts %d %d\n", PageCompound(page), page_count(page), page_count(page + 1));
	split_page(page, 2);
	pr_info("split: counts %d %d\n", page_count(page + 1), page_count(page + 3));
	for (i = 0; i < 4; i++)
		__free_page(page + i);
	page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	part = page + 3;
	get_page(part);
	pr_info("compound: head %d tail %d, order %d, pages %lu, size %lu, of a tail %d, count through a tail %d\n", PageHead(page),
		PageTail(part), compound_order(page), compound_nr(page), page_size(page), compound_head(part) == page, page_count(part));
	put_page(part);
	__free_pages(page, 2);
	folio = folio_alloc(GFP_KERNEL, 1);
	pr_info("folio: order %u pages %ld size %zu, first %d, of its page %d, large %d\n", folio_order(folio), folio_nr_pages(folio),
		folio_size(folio), folio_page(folio, 0) == &folio->page, page_folio(folio_page(folio, 1)) == folio, folio_test_large(folio));
	folio_put(folio);
	exact = alloc_pages_exact(3 * PAGE_SIZE + 1, GFP_KERNEL);
	exact[3 * PAGE_SIZE] = 'x';
	pr_info("exact: %d\n", exact != NULL);
	free_pages_exact(exact, 3 * PAGE_SIZE + 1);
	pr_info("too large an order: %d; orders of 0 1 4096 4097 8193 20000: %d %d %d %d %d\n",
		alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_ORDER) == NULL, get_order(1), get_order(4096), get_order(4097), get_order(8193),
		get_order(20000));
}

static void special(void)
{
	struct page *pages[5] = {}, *page;
	unsigned long address = get_zeroed_page(GFP_KERNEL);
	int i, n;

	pr_info("zeroed %d\n", memchr_inv((void *)address, 0, PAGE_SIZE) == NULL);
	memset((void *)address, 0xaa, PAGE_SIZE);
	clear_page((void *)address);
	strcpy((char *)address, "copied");
	page = alloc_page(GFP_KERNEL);
	copy_page(page_address(page), (void *)address);
	pr_info("%s", (char *)page_address(page));
	clear_highpage(page);
	pr_cont(" and cleared %d\n", *(char *)page_address(page) == 0);
	__free_page(page);
	free_page(address);
	free_page(0);
	address = __get_dma_pages(GFP_KERNEL, 0);
	pr_info("for old devices: below 16 MB %d, its zone %d\n", virt_to_phys((void *)address) < 16 << 20,
		page_zonenum(virt_to_page(address)) == ZONE_DMA);
	free_page(address);
	page = alloc_page(GFP_DMA32);
	pr_info("below 4 GB %d\n", page_to_phys(page) < 1ULL << 32);
	__free_page(page);
	pages[2] = alloc_page(GFP_KERNEL);
	page = pages[2];
	n = alloc_pages_bulk_array(GFP_KERNEL, 5, pages);
	pr_info("bulk: %d, kept the one that was there %d\n", n, pages[2] == page);
	for (i = 0; i < 5; i++)
		__free_page(pages[i]);
	pr_info("may block: %d %d %d, normal %d %d\n", gfpflags_allow_blocking(GFP_KERNEL), gfpflags_allow_blocking(GFP_ATOMIC),
		gfpflags_allow_blocking(GFP_NOWAIT), gfpflags_normal_context(GFP_KERNEL), gfpflags_normal_context(GFP_ATOMIC));
}

static int __init pages_init(void)
{
	addresses();
	counts();
	flags();
	orders();
	special();
	return 0;
}
module_init(pages_init);

static void __exit pages_exit(void)
{
}
module_exit(pages_exit);
MODULE_LICENSE("GPL");
