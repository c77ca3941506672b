/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/gfp_types.h>
#include <linux/mmzone.h>
#include <linux/topology.h>

struct folio;
struct vm_area_struct;

extern struct page *alloc_pages(gfp_t gfp, unsigned int order);
extern struct page *__alloc_pages(gfp_t gfp, unsigned int order, int preferred_nid, void *nodemask);
extern struct folio *folio_alloc(gfp_t gfp, unsigned int order);
extern struct folio *__folio_alloc(gfp_t gfp, unsigned int order, int preferred_nid, void *nodemask);
/* Fills the empty places of an array, or adds to a list: how many pages there are then. */
extern unsigned long __alloc_pages_bulk(gfp_t gfp, int preferred_nid, void *nodemask, int nr_pages,
					struct list_head *page_list, struct page **page_array);
extern unsigned long __get_free_pages(gfp_t gfp_mask, unsigned int order);
extern unsigned long get_zeroed_page(gfp_t gfp_mask);
extern void *alloc_pages_exact(size_t size, gfp_t gfp_mask) __alloc_size__(1);
extern void free_pages_exact(void *virt, size_t size);
extern void __free_pages(struct page *page, unsigned int order);
extern void free_pages(unsigned long addr, unsigned int order);
extern void split_page(struct page *page, unsigned int order);

#define alloc_page(gfp_mask) alloc_pages(gfp_mask, 0)
#define __get_free_page(gfp_mask) __get_free_pages((gfp_mask), 0)
#define __get_dma_pages(gfp_mask, order) __get_free_pages((gfp_mask) | GFP_DMA, (order))
#define __free_page(page) __free_pages((page), 0)
#define free_page(addr) free_pages((addr), 0)

static inline struct page *alloc_pages_node(int nid, gfp_t gfp_mask, unsigned int order)
{
	return alloc_pages(gfp_mask, order);
}

static inline struct page *__alloc_pages_node(int nid, gfp_t gfp_mask, unsigned int order)
{
	return alloc_pages(gfp_mask, order);
}

static inline struct page *alloc_page_vma(gfp_t gfp, struct vm_area_struct *vma, unsigned long addr)
{
	return alloc_pages(gfp, 0);
}

static inline unsigned long alloc_pages_bulk_array(gfp_t gfp, unsigned long nr_pages, struct page **page_array)
{
	return __alloc_pages_bulk(gfp, numa_mem_id(), NULL, nr_pages, NULL, page_array);
}

static inline unsigned long alloc_pages_bulk_list(gfp_t gfp, unsigned long nr_pages, struct list_head *list)
{
	return __alloc_pages_bulk(gfp, numa_mem_id(), NULL, nr_pages, list, NULL);
}

static inline bool gfpflags_allow_blocking(const gfp_t gfp_flags)
{
	return !!(gfp_flags & __GFP_DIRECT_RECLAIM);
}

static inline bool gfpflags_normal_context(const gfp_t gfp_flags)
{
	return (gfp_flags & (__GFP_DIRECT_RECLAIM | __GFP_MEMALLOC)) == __GFP_DIRECT_RECLAIM;
}
