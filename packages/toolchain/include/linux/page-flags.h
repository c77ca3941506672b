/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/bug.h>
#include <linux/mm_types.h>

enum pageflags {
	PG_locked,
	PG_referenced,
	PG_uptodate,
	PG_dirty,
	PG_lru,
	PG_active,
	PG_workingset,
	PG_waiters,
	PG_error,
	PG_slab,
	PG_owner_priv_1,
	PG_arch_1,
	PG_reserved,
	PG_private,
	PG_private_2,
	PG_writeback,
	PG_head,
	PG_mappedtodisk,
	PG_reclaim,
	PG_swapbacked,
	PG_unevictable,
	PG_mlocked,
	PG_uncached,
	PG_hwpoison,
	PG_young,
	PG_idle,
	PG_arch_2,
	__NR_PAGEFLAGS,
	PG_checked = PG_owner_priv_1,
	PG_swapcache = PG_owner_priv_1,
};

/* The head of the compound page that a page belongs to; itself, if to none. */
static inline unsigned long _compound_head(const struct page *page)
{
	unsigned long head = READ_ONCE(page->compound_head);

	return head & 1 ? head - 1 : (unsigned long)page;
}
#define compound_head(page) ((typeof(page))_compound_head(page))

static inline int PageTail(struct page *page)
{
	return READ_ONCE(page->compound_head) & 1;
}

#define __PAGEFLAG(uname, lname, of) \
	static inline int Page ## uname(struct page *page) \
	{ \
		return test_bit(PG_ ## lname, &of(page)->flags); \
	} \
	static inline void SetPage ## uname(struct page *page) \
	{ \
		set_bit(PG_ ## lname, &of(page)->flags); \
	} \
	static inline void ClearPage ## uname(struct page *page) \
	{ \
		clear_bit(PG_ ## lname, &of(page)->flags); \
	} \
	static inline int TestSetPage ## uname(struct page *page) \
	{ \
		return test_and_set_bit(PG_ ## lname, &of(page)->flags); \
	} \
	static inline int TestClearPage ## uname(struct page *page) \
	{ \
		return test_and_clear_bit(PG_ ## lname, &of(page)->flags); \
	}
/* Some flags stand in the head page for the whole, some in each page. */
#define __OF_PAGE(page) (page)
#define __OF_HEAD(page) compound_head(page)
__PAGEFLAG(Locked, locked, __OF_HEAD)
__PAGEFLAG(Referenced, referenced, __OF_HEAD)
__PAGEFLAG(Uptodate, uptodate, __OF_HEAD)
__PAGEFLAG(Dirty, dirty, __OF_HEAD)
__PAGEFLAG(LRU, lru, __OF_HEAD)
__PAGEFLAG(Active, active, __OF_HEAD)
__PAGEFLAG(Workingset, workingset, __OF_HEAD)
__PAGEFLAG(Waiters, waiters, __OF_PAGE)
__PAGEFLAG(Error, error, __OF_HEAD)
__PAGEFLAG(Slab, slab, __OF_HEAD)
__PAGEFLAG(Reserved, reserved, __OF_PAGE)
__PAGEFLAG(Private, private, __OF_PAGE)
__PAGEFLAG(Private2, private_2, __OF_PAGE)
__PAGEFLAG(OwnerPriv1, owner_priv_1, __OF_PAGE)
__PAGEFLAG(Checked, checked, __OF_PAGE)
__PAGEFLAG(Writeback, writeback, __OF_HEAD)
__PAGEFLAG(Head, head, __OF_PAGE)
__PAGEFLAG(MappedToDisk, mappedtodisk, __OF_HEAD)
__PAGEFLAG(Reclaim, reclaim, __OF_HEAD)
__PAGEFLAG(SwapBacked, swapbacked, __OF_HEAD)
__PAGEFLAG(Unevictable, unevictable, __OF_HEAD)
__PAGEFLAG(Mlocked, mlocked, __OF_HEAD)
__PAGEFLAG(HWPoison, hwpoison, __OF_PAGE)
__PAGEFLAG(Young, young, __OF_PAGE)
__PAGEFLAG(Idle, idle, __OF_PAGE)

static inline int PageSwapCache(struct page *page)
{
	page = compound_head(page);
	return PageSwapBacked(page) && test_bit(PG_swapcache, &page->flags);
}

#define __FOLIO_FLAG(lname) \
	static inline bool folio_test_ ## lname(struct folio *folio) \
	{ \
		return test_bit(PG_ ## lname, &folio->flags); \
	} \
	static inline void folio_set_ ## lname(struct folio *folio) \
	{ \
		set_bit(PG_ ## lname, &folio->flags); \
	} \
	static inline void folio_clear_ ## lname(struct folio *folio) \
	{ \
		clear_bit(PG_ ## lname, &folio->flags); \
	}
__FOLIO_FLAG(locked)
__FOLIO_FLAG(referenced)
__FOLIO_FLAG(uptodate)
__FOLIO_FLAG(dirty)
__FOLIO_FLAG(error)
__FOLIO_FLAG(private)
__FOLIO_FLAG(writeback)
/* More than one page. */
#define folio_test_large(folio) PageHead(&(folio)->page)
#define folio_mark_uptodate(folio) folio_set_uptodate(folio)

static inline int PageCompound(struct page *page)
{
	return PageHead(page) || PageTail(page);
}

#define PAGE_MAPPING_ANON 0x1
#define PAGE_MAPPING_MOVABLE 0x2
#define PAGE_MAPPING_FLAGS (PAGE_MAPPING_ANON | PAGE_MAPPING_MOVABLE)

static inline int PageAnon(struct page *page)
{
	return ((unsigned long)compound_head(page)->mapping & PAGE_MAPPING_ANON) != 0;
}

#define PAGE_TYPE_BASE 0xf0000000
#define PG_buddy 0x00000080
#define PG_offline 0x00000100
#define PG_table 0x00000200
#define PG_guard 0x00000400
#define PageType(page, flag) (((page)->page_type & (PAGE_TYPE_BASE | (flag))) == PAGE_TYPE_BASE)
#define PageBuddy(page) PageType(page, PG_buddy)
#define PageTable(page) PageType(page, PG_table)
#define PageGuard(page) PageType(page, PG_guard)
