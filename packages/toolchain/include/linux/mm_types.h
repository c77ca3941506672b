/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/refcount.h>
#include <asm/page.h>
#include <asm/pgtable_types.h>

struct address_space;
struct anon_vma;
struct file;
struct kmem_cache;
struct linux_binfmt;
struct mm_struct;
struct user_namespace;
struct vm_operations_struct;

#include <generated/page.h>
#include <generated/mm_types.h>

typedef unsigned int vm_fault_t;
typedef struct { unsigned long val; } swp_entry_t;
typedef unsigned long vm_flags_t;

enum vm_fault_reason {
	VM_FAULT_OOM = 0x000001,
	VM_FAULT_SIGBUS = 0x000002,
	VM_FAULT_MAJOR = 0x000004,
	VM_FAULT_HWPOISON = 0x000010,
	VM_FAULT_HWPOISON_LARGE = 0x000020,
	VM_FAULT_SIGSEGV = 0x000040,
	VM_FAULT_NOPAGE = 0x000100,
	VM_FAULT_LOCKED = 0x000200,
	VM_FAULT_RETRY = 0x000400,
	VM_FAULT_FALLBACK = 0x000800,
	VM_FAULT_DONE_COW = 0x001000,
	VM_FAULT_NEEDDSYNC = 0x002000,
	VM_FAULT_COMPLETED = 0x004000,
};
#define VM_FAULT_ERROR \
	(VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_HWPOISON | VM_FAULT_HWPOISON_LARGE | \
	 VM_FAULT_FALLBACK)

enum fault_flag {
	FAULT_FLAG_WRITE = 1 << 0,
	FAULT_FLAG_MKWRITE = 1 << 1,
	FAULT_FLAG_ALLOW_RETRY = 1 << 2,
	FAULT_FLAG_RETRY_NOWAIT = 1 << 3,
	FAULT_FLAG_KILLABLE = 1 << 4,
	FAULT_FLAG_TRIED = 1 << 5,
	FAULT_FLAG_USER = 1 << 6,
	FAULT_FLAG_REMOTE = 1 << 7,
	FAULT_FLAG_INSTRUCTION = 1 << 8,
	FAULT_FLAG_INTERRUPTIBLE = 1 << 9,
	FAULT_FLAG_UNSHARE = 1 << 10,
	FAULT_FLAG_ORIG_PTE_VALID = 1 << 11,
};

enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	NR_MM_COUNTERS
};

/* A set of pages known by its head: a page by another name, with the same members. */
struct folio {
	union {
		struct {
			unsigned long flags;
			struct list_head lru;
			struct address_space *mapping;
			pgoff_t index;
			void *private;
			atomic_t _mapcount;
			atomic_t _refcount;
			unsigned long memcg_data;
		};
		struct page page;
	};
};
#define __FOLIO_LIKE_PAGE(member) \
	_Static_assert(__builtin_offsetof(struct folio, member) == __builtin_offsetof(struct page, member), #member)
__FOLIO_LIKE_PAGE(flags);
__FOLIO_LIKE_PAGE(lru);
__FOLIO_LIKE_PAGE(mapping);
__FOLIO_LIKE_PAGE(index);
__FOLIO_LIKE_PAGE(private);
__FOLIO_LIKE_PAGE(_mapcount);
__FOLIO_LIKE_PAGE(_refcount);
__FOLIO_LIKE_PAGE(memcg_data);
#undef __FOLIO_LIKE_PAGE
_Static_assert(sizeof(struct folio) == sizeof(struct page), "struct folio");
#define page_folio(p) ((struct folio *)compound_head(p))
#define folio_page(folio, n) (&(folio)->page + (n))

#define page_private(page) ((page)->private)

static inline void set_page_private(struct page *page, unsigned long private)
{
	page->private = private;
}
