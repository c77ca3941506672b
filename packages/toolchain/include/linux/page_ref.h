/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>

static __transparent int page_ref_count(const struct page *page)
{
	return atomic_read(&page->_refcount);
}

static __transparent int page_count(const struct page *page)
{
	return page_ref_count(compound_head(page));
}

static __transparent void set_page_count(struct page *page, int v)
{
	atomic_set(&page->_refcount, v);
}

static __transparent void init_page_count(struct page *page)
{
	set_page_count(page, 1);
}

static __transparent void page_ref_add(struct page *page, int nr)
{
	atomic_add(nr, &page->_refcount);
}

static __transparent void page_ref_sub(struct page *page, int nr)
{
	atomic_sub(nr, &page->_refcount);
}

static __transparent void page_ref_inc(struct page *page)
{
	atomic_inc(&page->_refcount);
}

static __transparent void page_ref_dec(struct page *page)
{
	atomic_dec(&page->_refcount);
}

static __transparent int page_ref_dec_and_test(struct page *page)
{
	return atomic_dec_and_test(&page->_refcount);
}

static __transparent bool page_ref_add_unless(struct page *page, int nr, int u)
{
	return atomic_add_unless(&page->_refcount, nr, u);
}
