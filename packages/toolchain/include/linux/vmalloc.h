/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/spinlock.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/overflow.h>
#include <asm/page.h>
#include <asm/pgtable.h>

struct vm_area_struct;

#define VM_IOREMAP 0x00000001
#define VM_ALLOC 0x00000002
#define VM_MAP 0x00000004
#define VM_USERMAP 0x00000008
#define VM_DMA_COHERENT 0x00000010
#define VM_UNINITIALIZED 0x00000020
#define VM_NO_GUARD 0x00000040
#define VM_KASAN 0x00000080
#define VM_FLUSH_RESET_PERMS 0x00000100
#define VM_MAP_PUT_PAGES 0x00000200
#define VM_ALLOW_HUGE_VMAP 0x00000400

struct vm_struct {
	struct vm_struct *next;
	void *addr;
	unsigned long size;
	unsigned long flags;
	struct page **pages;
	unsigned int page_order;
	unsigned int nr_pages;
	phys_addr_t phys_addr;
	const void *caller;
};

struct vmap_area {
	unsigned long va_start;
	unsigned long va_end;
	struct rb_node rb_node;
	struct list_head list;
	union {
		unsigned long subtree_max_size;
		struct vm_struct *vm;
	};
	unsigned long flags;
};

extern void *vmalloc(unsigned long size) __alloc_size__(1);
extern void *vzalloc(unsigned long size) __alloc_size__(1);
extern void *vmalloc_user(unsigned long size) __alloc_size__(1);
extern void *vmalloc_node(unsigned long size, int node) __alloc_size__(1);
extern void *vzalloc_node(unsigned long size, int node) __alloc_size__(1);
extern void *vmalloc_32(unsigned long size) __alloc_size__(1);
extern void *vmalloc_32_user(unsigned long size) __alloc_size__(1);
extern void *__vmalloc(unsigned long size, gfp_t gfp_mask) __alloc_size__(1);
extern void *vmalloc_huge(unsigned long size, gfp_t gfp_mask) __alloc_size__(1);
extern void *__vmalloc_array(size_t n, size_t size, gfp_t flags) __alloc_size__(1, 2);
extern void *vmalloc_array(size_t n, size_t size) __alloc_size__(1, 2);
extern void *__vcalloc(size_t n, size_t size, gfp_t flags) __alloc_size__(1, 2);
extern void *vcalloc(size_t n, size_t size) __alloc_size__(1, 2);
extern void vfree(const void *addr);
extern void vfree_atomic(const void *addr);
extern void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot);
extern void *vmap_pfn(unsigned long *pfns, unsigned int count, pgprot_t prot);
extern void vunmap(const void *addr);
extern void *vm_map_ram(struct page **pages, unsigned int count, int node);
extern void vm_unmap_ram(const void *mem, unsigned int count);
extern void vm_unmap_aliases(void);
extern int remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff);
extern int remap_vmalloc_range_partial(struct vm_area_struct *vma, unsigned long uaddr, void *kaddr,
				       unsigned long pgoff, unsigned long size);
extern struct vm_struct *get_vm_area(unsigned long size, unsigned long flags);
extern struct vm_struct *remove_vm_area(const void *addr);
extern struct vm_struct *find_vm_area(const void *addr);
extern void free_vm_area(struct vm_struct *area);
extern unsigned long vmalloc_nr_pages(void);
extern bool is_vmalloc_addr(const void *x);
extern int is_vmalloc_or_module_addr(const void *x);
extern struct page *vmalloc_to_page(const void *addr);
extern unsigned long vmalloc_to_pfn(const void *addr);

static inline size_t get_vm_area_size(const struct vm_struct *area)
{
	return area->flags & VM_NO_GUARD ? area->size : area->size - PAGE_SIZE;
}
