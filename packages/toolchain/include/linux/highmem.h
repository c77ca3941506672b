/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/hardirq.h>

/* All memory is mapped: these give the direct map's address, and watch that the pairs match. */
extern void *kmap(struct page *page);
extern void kunmap(struct page *page);
extern void *kmap_local_page(struct page *page);
extern void __kunmap_local(const void *addr);
extern void *kmap_atomic(struct page *page);
extern void __kunmap_atomic(const void *addr);
#define kunmap_local(addr) __kunmap_local(addr)
#define kunmap_atomic(addr) __kunmap_atomic(addr)

static inline bool PageHighMem(struct page *page)
{
	return false;
}

static inline void clear_highpage(struct page *page)
{
	clear_page(page_address(page));
}

static inline void copy_highpage(struct page *to, struct page *from)
{
	copy_page(page_address(to), page_address(from));
}

static inline void zero_user(struct page *page, unsigned int start, unsigned int size)
{
	memset((char *)page_address(page) + start, 0, size);
}

static inline void zero_user_segments(struct page *page, unsigned int start1, unsigned int end1, unsigned int start2,
				      unsigned int end2)
{
	if (end1 > start1)
		zero_user(page, start1, end1 - start1);
	if (end2 > start2)
		zero_user(page, start2, end2 - start2);
}

static inline void zero_user_segment(struct page *page, unsigned int start, unsigned int end)
{
	zero_user_segments(page, start, end, 0, 0);
}

#define folio_zero_segments(folio, start1, end1, start2, end2) \
	zero_user_segments(&(folio)->page, start1, end1, start2, end2)
#define folio_zero_segment(folio, start, end) zero_user_segment(&(folio)->page, start, end)
#define folio_zero_range(folio, start, length) zero_user(&(folio)->page, start, length)

static inline void *kmap_local_folio(struct folio *folio, size_t offset)
{
	return (char *)kmap_local_page(&folio->page + offset / PAGE_SIZE) + offset % PAGE_SIZE;
}

static inline void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	memcpy(to, (char *)page_address(page) + offset, len);
}

static inline void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	memcpy((char *)page_address(page) + offset, from, len);
}
