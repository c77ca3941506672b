/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/errno.h>
#include <linux/mmdebug.h>
#include <linux/gfp.h>
#include <linux/bug.h>
#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/rbtree.h>
#include <linux/atomic.h>
#include <linux/mm_types.h>
#include <linux/mmap_lock.h>
#include <linux/range.h>
#include <linux/pfn.h>
#include <linux/bit_spinlock.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/sched.h>
#include <linux/pgtable.h>
#include <linux/kasan.h>
#include <linux/slab.h>
#include <linux/err.h>
#include <asm/io.h>
#include <asm/processor.h>

struct mempolicy;
struct pt_regs;
struct user_struct;
struct inode;

extern unsigned long max_mapnr;
extern unsigned long max_pfn;
extern unsigned long max_low_pfn;
extern void *high_memory;
extern int sysctl_overcommit_memory;

#define PAGE_ALIGN(addr) ALIGN(addr, PAGE_SIZE)
#define PAGE_ALIGN_DOWN(addr) ALIGN_DOWN(addr, PAGE_SIZE)
#define PAGE_ALIGNED(addr) IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)
#define nth_page(page, n) ((page) + (n))
#define lru_to_page(head) (list_entry((head)->prev, struct page, lru))
#define untagged_addr(addr) (addr)

#define VM_NONE 0x00000000
#define VM_READ 0x00000001
#define VM_WRITE 0x00000002
#define VM_EXEC 0x00000004
#define VM_SHARED 0x00000008
#define VM_MAYREAD 0x00000010
#define VM_MAYWRITE 0x00000020
#define VM_MAYEXEC 0x00000040
#define VM_MAYSHARE 0x00000080
#define VM_GROWSDOWN 0x00000100
#define VM_UFFD_MISSING 0x00000200
#define VM_PFNMAP 0x00000400
#define VM_UFFD_WP 0x00001000
#define VM_LOCKED 0x00002000
#define VM_IO 0x00004000
#define VM_SEQ_READ 0x00008000
#define VM_RAND_READ 0x00010000
#define VM_DONTCOPY 0x00020000
#define VM_DONTEXPAND 0x00040000
#define VM_LOCKONFAULT 0x00080000
#define VM_ACCOUNT 0x00100000
#define VM_NORESERVE 0x00200000
#define VM_HUGETLB 0x00400000
#define VM_SYNC 0x00800000
#define VM_ARCH_1 0x01000000
#define VM_WIPEONFORK 0x02000000
#define VM_DONTDUMP 0x04000000
#define VM_SOFTDIRTY 0x08000000
#define VM_MIXEDMAP 0x10000000
#define VM_HUGEPAGE 0x20000000
#define VM_NOHUGEPAGE 0x40000000
#define VM_MERGEABLE 0x80000000
#define VM_STACK VM_GROWSDOWN
#define VM_STACK_FLAGS (VM_STACK | VM_READ | VM_WRITE | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT)
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_SPECIAL (VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)
#define VM_DATA_FLAGS_TSK_EXEC (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

struct vm_fault {
	struct vm_area_struct *vma;
	gfp_t gfp_mask;
	pgoff_t pgoff;
	unsigned long address;
	unsigned long real_address;
	enum fault_flag flags;
	pmd_t *pmd;
	pud_t *pud;
	union {
		pte_t orig_pte;
		pmd_t orig_pmd;
	};
	struct page *cow_page;
	struct page *page;
	pte_t *pte;
	spinlock_t *ptl;
	pgtable_t prealloc_pte;
};

struct vm_operations_struct {
	void (*open)(struct vm_area_struct *area);
	void (*close)(struct vm_area_struct *area);
	int (*may_split)(struct vm_area_struct *area, unsigned long addr);
	int (*mremap)(struct vm_area_struct *area);
	int (*mprotect)(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			unsigned long newflags);
	vm_fault_t (*fault)(struct vm_fault *vmf);
	vm_fault_t (*huge_fault)(struct vm_fault *vmf, unsigned int pe_size);
	vm_fault_t (*map_pages)(struct vm_fault *vmf, pgoff_t start_pgoff, pgoff_t end_pgoff);
	unsigned long (*pagesize)(struct vm_area_struct *area);
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
	vm_fault_t (*pfn_mkwrite)(struct vm_fault *vmf);
	int (*access)(struct vm_area_struct *vma, unsigned long addr, void *buf, int len, int write);
	const char *(*name)(struct vm_area_struct *vma);
	struct page *(*find_special_page)(struct vm_area_struct *vma, unsigned long addr);
};

static inline void *lowmem_page_address(const struct page *page)
{
	return __va(page_to_pfn(page) << PAGE_SHIFT);
}
#define page_address(page) lowmem_page_address(page)
#define page_to_virt(page) lowmem_page_address(page)
#define folio_address(folio) page_address(&(folio)->page)

static inline struct page *virt_to_head_page(const void *x)
{
	return compound_head(virt_to_page(x));
}

static inline unsigned int compound_order(struct page *page)
{
	return PageHead(page) ? page[1].compound_order : 0;
}

static inline unsigned long compound_nr(struct page *page)
{
	return PageHead(page) ? page[1].compound_nr : 1;
}

static inline unsigned long page_size(struct page *page)
{
	return PAGE_SIZE << compound_order(page);
}

#define page_shift(page) (PAGE_SHIFT + compound_order(page))

static inline unsigned int folio_order(struct folio *folio)
{
	return compound_order(&folio->page);
}

static inline long folio_nr_pages(struct folio *folio)
{
	return compound_nr(&folio->page);
}

static inline size_t folio_size(struct folio *folio)
{
	return page_size(&folio->page);
}

static inline int page_zone_number(const struct page *page)
{
	return (page->flags >> ZONES_PGSHIFT) & ((1UL << ZONES_SHIFT) - 1);
}
#define page_zonenum(page) ((enum zone_type)page_zone_number(page))
#define page_to_nid(page) 0

static inline void page_mapcount_reset(struct page *page)
{
	atomic_set(&page->_mapcount, -1);
}

extern int __page_mapcount(struct page *page);
static inline int page_mapcount(struct page *page)
{
	return PageCompound(page) ? __page_mapcount(page) : atomic_read(&page->_mapcount) + 1;
}
#define page_mapped(page) (page_mapcount(page) > 0)

static __transparent void get_page(struct page *page)
{
	page = compound_head(page);
	page_ref_inc(page);
}

extern void __folio_put(struct folio *folio);

static __transparent void folio_get(struct folio *folio)
{
	get_page(&folio->page);
}

static __transparent void folio_put(struct folio *folio)
{
	if (page_ref_dec_and_test(&folio->page))
		__folio_put(folio);
}

static __transparent void put_page(struct page *page)
{
	folio_put(page_folio(page));
}

#define put_page_testzero(page) page_ref_dec_and_test(page)
#define get_page_unless_zero(page) page_ref_add_unless(page, 1, 0)
#define try_get_page(page) ({ get_page(page); true; })

extern void put_pages_list(struct list_head *pages);
extern void release_pages(struct page **pages, int nr);
extern bool set_page_dirty(struct page *page);
extern int set_page_dirty_lock(struct page *page);
extern bool folio_mark_dirty(struct folio *folio);
extern struct address_space *page_mapping(struct page *page);
extern struct address_space *folio_mapping(struct folio *folio);
extern void truncate_pagecache(struct inode *inode, loff_t newsize);
extern void truncate_setsize(struct inode *inode, loff_t newsize);
extern void pagecache_isize_extended(struct inode *inode, loff_t from, loff_t to);
extern void truncate_pagecache_range(struct inode *inode, loff_t start, loff_t end);
extern void truncate_inode_pages(struct address_space *mapping, loff_t start);
extern void truncate_inode_pages_range(struct address_space *mapping, loff_t start, loff_t end);
extern void truncate_inode_pages_final(struct address_space *mapping);

extern atomic_long_t _totalram_pages;

static inline unsigned long totalram_pages(void)
{
	return atomic_long_read(&_totalram_pages);
}

extern bool is_free_buddy_page(struct page *page);
extern unsigned long nr_free_pages(void);
extern unsigned long nr_free_buffer_pages(void);
extern long si_mem_available(void);

struct sysinfo;
extern void si_meminfo(struct sysinfo *val);
extern void show_mem(unsigned int flags, void *nodemask);
extern void mem_dump_obj(void *object);
extern void dump_page(struct page *page, const char *reason);

/* Address spaces. */
extern struct mm_struct init_mm;
extern struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr);
extern struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long addr,
					    struct vm_area_struct **pprev);
extern struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start_addr,
						    unsigned long end_addr);
extern struct vm_area_struct *find_extend_vma(struct mm_struct *mm, unsigned long addr);
extern unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot,
			     unsigned long flag, unsigned long offset);
extern int vm_munmap(unsigned long start, size_t len);
extern int vm_brk(unsigned long addr, unsigned long len);
extern int do_munmap(struct mm_struct *mm, unsigned long start, size_t len, struct list_head *uf);
extern int access_process_vm(struct task_struct *tsk, unsigned long addr, void *buf, int len,
			     unsigned int gup_flags);
extern int access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, int len,
			    unsigned int gup_flags);

#define vma_lookup(mm, addr) \
	({ \
		struct vm_area_struct *__found = find_vma(mm, addr); \
		__found && (addr) < __found->vm_start ? NULL : __found; \
	})

static inline unsigned long vma_pages(struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

static inline bool vma_is_anonymous(struct vm_area_struct *vma)
{
	return !vma->vm_ops;
}

static inline bool range_in_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	return vma && vma->vm_start <= start && end <= vma->vm_end;
}

static inline void vma_set_anonymous(struct vm_area_struct *vma)
{
	vma->vm_ops = NULL;
}

extern pgprot_t vm_get_page_prot(unsigned long vm_flags);
extern void vma_set_page_prot(struct vm_area_struct *vma);

/* Mapping of a driver's memory into a process. */
extern int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
			   unsigned long size, pgprot_t prot);
extern int vm_iomap_memory(struct vm_area_struct *vma, phys_addr_t start, unsigned long len);
extern int vm_insert_page(struct vm_area_struct *vma, unsigned long addr, struct page *page);
extern int vm_insert_pages(struct vm_area_struct *vma, unsigned long addr, struct page **pages,
			   unsigned long *num);
extern int vm_map_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num);
extern int vm_map_pages_zero(struct vm_area_struct *vma, struct page **pages, unsigned long num);
extern vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn);
extern vm_fault_t vmf_insert_pfn_prot(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
				      pgprot_t pgprot);
extern int follow_pfn(struct vm_area_struct *vma, unsigned long address, unsigned long *pfn);
extern int zap_vma_ptes(struct vm_area_struct *vma, unsigned long address, unsigned long size);
extern void unmap_mapping_range(struct address_space *mapping, loff_t const holebegin, loff_t const holelen,
				int even_cows);

static inline vm_fault_t vmf_insert_page(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	int err = vm_insert_page(vma, addr, page);

	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	return err < 0 && err != -EBUSY ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
}

static inline vm_fault_t vmf_error(int err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

#define FOLL_WRITE 0x01
#define FOLL_TOUCH 0x02
#define FOLL_GET 0x04
#define FOLL_DUMP 0x08
#define FOLL_FORCE 0x10
#define FOLL_NOWAIT 0x20
#define FOLL_FAST_ONLY 0x80000
#define FOLL_PIN 0x40000
#define FOLL_LONGTERM 0x10000
extern long get_user_pages(unsigned long start, unsigned long nr_pages, unsigned int gup_flags,
			   struct page **pages, struct vm_area_struct **vmas);
extern long get_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long nr_pages,
				  unsigned int gup_flags, struct page **pages, struct vm_area_struct **vmas,
				  int *locked);
extern long get_user_pages_unlocked(unsigned long start, unsigned long nr_pages, struct page **pages,
				    unsigned int gup_flags);
extern int get_user_pages_fast(unsigned long start, int nr_pages, unsigned int gup_flags, struct page **pages);
extern long pin_user_pages(unsigned long start, unsigned long nr_pages, unsigned int gup_flags,
			   struct page **pages, struct vm_area_struct **vmas);
extern int pin_user_pages_fast(unsigned long start, int nr_pages, unsigned int gup_flags, struct page **pages);
extern void unpin_user_page(struct page *page);
extern void unpin_user_pages(struct page **pages, unsigned long npages);

struct shrink_control {
	gfp_t gfp_mask;
	int nid;
	unsigned long nr_to_scan;
	unsigned long nr_scanned;
	struct mem_cgroup *memcg;
};
#define SHRINK_STOP (~0UL)
#define SHRINK_EMPTY (~0UL - 1)
#define DEFAULT_SEEKS 2
struct shrinker {
	unsigned long (*count_objects)(struct shrinker *, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *, struct shrink_control *sc);
	long batch;
	int seeks;
	unsigned flags;
	struct list_head list;
	atomic_long_t *nr_deferred;
};
extern int __printf(2, 3) register_shrinker(struct shrinker *shrinker, const char *fmt, ...);
extern void unregister_shrinker(struct shrinker *shrinker);

static inline unsigned long get_mm_counter(struct mm_struct *mm, int member)
{
	long val = atomic_long_read(&mm->rss_stat.count[member]);

	return val < 0 ? 0 : (unsigned long)val;
}

static inline unsigned long get_mm_rss(struct mm_struct *mm)
{
	return get_mm_counter(mm, MM_FILEPAGES) + get_mm_counter(mm, MM_ANONPAGES) +
	       get_mm_counter(mm, MM_SHMEMPAGES);
}

#define page_is_ram(pfn) pfn_valid(pfn)
