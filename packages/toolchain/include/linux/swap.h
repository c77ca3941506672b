/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mm.h>
#include <uapi/linux/sysinfo.h>

extern void mark_page_accessed(struct page *page);
extern void folio_mark_accessed(struct folio *folio);

extern atomic_long_t nr_swap_pages;

static inline long get_nr_swap_pages(void)
{
	return atomic_long_read(&nr_swap_pages);
}
