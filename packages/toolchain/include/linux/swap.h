/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mm.h>
#include <uapi/linux/sysinfo.h>

extern void mark_page_accessed(struct page *page);
extern void folio_mark_accessed(struct folio *folio);

extern unsigned long nr_swap_pages_count(void);
#define get_nr_swap_pages() ((long)nr_swap_pages_count())
