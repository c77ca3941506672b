/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/string.h>
#include <asm/page_types.h>

struct page;

/* Where the kernel's own static data lies, and the physical address of its first byte. */
#define __KERNEL_DATA_START _AC(0xffffffff82000000, UL)
#define __KERNEL_DATA_PHYS _AC(0x100000, UL)
#define VMEMMAP_START _AC(0xffffea0000000000, UL)
#define vmemmap ((struct page *)VMEMMAP_START)

static inline unsigned long __phys_addr(unsigned long x)
{
	return x >= __KERNEL_DATA_START ? x - __KERNEL_DATA_START + __KERNEL_DATA_PHYS : x - PAGE_OFFSET;
}

#define __pa(x) __phys_addr((unsigned long)(x))
#define __pa_nodebug(x) __pa(x)
#define __pa_symbol(x) __pa(x)
#define __va(x) ((void *)((unsigned long)(x) + PAGE_OFFSET))

#define virt_to_pfn(kaddr) (__pa(kaddr) >> PAGE_SHIFT)
#define pfn_to_kaddr(pfn) __va((pfn) << PAGE_SHIFT)
#define virt_to_page(kaddr) pfn_to_page(__pa(kaddr) >> PAGE_SHIFT)
#define __pfn_to_page(pfn) (vmemmap + (pfn))
#define __page_to_pfn(page) ((unsigned long)((page) - vmemmap))
#define pfn_to_page __pfn_to_page
#define page_to_pfn __page_to_pfn
#define page_to_phys(page) ((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT)
#define phys_to_page(phys) pfn_to_page((phys) >> PAGE_SHIFT)
#define __phys_to_pfn(paddr) ((unsigned long)((paddr) >> PAGE_SHIFT))
#define __pfn_to_phys(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)

extern bool __virt_addr_valid(unsigned long kaddr);
extern int pfn_valid(unsigned long pfn);
#define virt_addr_valid(kaddr) __virt_addr_valid((unsigned long)(kaddr))

static inline void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

static inline void copy_page(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}

#define clear_user_page(page, vaddr, pg) clear_page(page)
#define copy_user_page(to, from, vaddr, topage) copy_page(to, from)
#define get_order(size) __get_order(size)

static inline __attribute_const__ int __get_order(unsigned long size)
{
	size = (size - 1) >> PAGE_SHIFT;
	return size ? 64 - __builtin_clzl(size) : 0;
}
