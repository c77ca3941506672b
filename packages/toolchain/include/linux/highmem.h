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

static inline void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	memcpy(to, (char *)page_address(page) + offset, len);
}

static inline void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	memcpy((char *)page_address(page) + offset, from, len);
}
