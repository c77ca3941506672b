/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/const.h>
#include <asm/page_types.h>

#define _PAGE_BIT_PRESENT 0
#define _PAGE_BIT_RW 1
#define _PAGE_BIT_USER 2
#define _PAGE_BIT_PWT 3
#define _PAGE_BIT_PCD 4
#define _PAGE_BIT_ACCESSED 5
#define _PAGE_BIT_DIRTY 6
#define _PAGE_BIT_PSE 7
#define _PAGE_BIT_GLOBAL 8
#define _PAGE_BIT_SOFTW1 9
#define _PAGE_BIT_SPECIAL _PAGE_BIT_SOFTW1
#define _PAGE_BIT_NX 63

#define _PAGE_PRESENT (_AC(1, UL) << _PAGE_BIT_PRESENT)
#define _PAGE_RW (_AC(1, UL) << _PAGE_BIT_RW)
#define _PAGE_USER (_AC(1, UL) << _PAGE_BIT_USER)
#define _PAGE_PWT (_AC(1, UL) << _PAGE_BIT_PWT)
#define _PAGE_PCD (_AC(1, UL) << _PAGE_BIT_PCD)
#define _PAGE_ACCESSED (_AC(1, UL) << _PAGE_BIT_ACCESSED)
#define _PAGE_DIRTY (_AC(1, UL) << _PAGE_BIT_DIRTY)
#define _PAGE_PSE (_AC(1, UL) << _PAGE_BIT_PSE)
#define _PAGE_GLOBAL (_AC(1, UL) << _PAGE_BIT_GLOBAL)
#define _PAGE_PROTNONE (_AC(1, UL) << _PAGE_BIT_GLOBAL)
#define _PAGE_SPECIAL (_AC(1, UL) << _PAGE_BIT_SPECIAL)
#define _PAGE_NX (_AC(1, UL) << _PAGE_BIT_NX)
#define _PAGE_TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)

#define PTE_PFN_MASK ((unsigned long)PHYSICAL_PAGE_MASK)
#define PTE_FLAGS_MASK (~PTE_PFN_MASK)

typedef unsigned long pteval_t;
typedef unsigned long pmdval_t;
typedef unsigned long pudval_t;
typedef unsigned long p4dval_t;
typedef unsigned long pgdval_t;
typedef unsigned long pgprotval_t;

typedef struct { pteval_t pte; } pte_t;
typedef struct { pmdval_t pmd; } pmd_t;
typedef struct { pudval_t pud; } pud_t;
typedef struct { pgdval_t pgd; } pgd_t;
typedef struct { pgd_t pgd; } p4d_t;
typedef struct pgprot { pgprotval_t pgprot; } pgprot_t;
typedef struct page *pgtable_t;

#define pgprot_val(x) ((x).pgprot)
#define __pgprot(x) ((pgprot_t) { (x) })

#define PAGE_NONE __pgprot(_PAGE_PROTNONE | _PAGE_ACCESSED)
#define PAGE_SHARED __pgprot(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_NX)
#define PAGE_SHARED_EXEC __pgprot(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED)
#define PAGE_COPY __pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | _PAGE_NX)
#define PAGE_COPY_EXEC __pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)
#define PAGE_READONLY PAGE_COPY
#define PAGE_READONLY_EXEC PAGE_COPY_EXEC
#define __PAGE_KERNEL (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_NX | _PAGE_DIRTY | _PAGE_GLOBAL)
#define __PAGE_KERNEL_EXEC (__PAGE_KERNEL & ~_PAGE_NX)
#define __PAGE_KERNEL_RO (__PAGE_KERNEL & ~(_PAGE_RW | _PAGE_DIRTY))
#define __PAGE_KERNEL_ROX (__PAGE_KERNEL_RO & ~_PAGE_NX)
#define PAGE_KERNEL __pgprot(__PAGE_KERNEL)
#define PAGE_KERNEL_RO __pgprot(__PAGE_KERNEL_RO)
#define PAGE_KERNEL_EXEC __pgprot(__PAGE_KERNEL_EXEC)
#define PAGE_KERNEL_ROX __pgprot(__PAGE_KERNEL_ROX)
#define PAGE_KERNEL_NOCACHE __pgprot(__PAGE_KERNEL | _PAGE_PCD)
#define pgprot_noncached(prot) __pgprot(pgprot_val(prot) | _PAGE_PCD)
#define pgprot_writecombine(prot) pgprot_noncached(prot)

#define PGDIR_SHIFT 39
#define PTRS_PER_PGD 512
#define P4D_SHIFT 39
#define PTRS_PER_P4D 1
#define PUD_SHIFT 30
#define PTRS_PER_PUD 512
#define PMD_SHIFT 21
#define PTRS_PER_PMD 512
#define PTRS_PER_PTE 512
#define PMD_SIZE (_AC(1, UL) << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))
#define PUD_SIZE (_AC(1, UL) << PUD_SHIFT)
#define PUD_MASK (~(PUD_SIZE - 1))
#define P4D_SIZE (_AC(1, UL) << P4D_SHIFT)
#define P4D_MASK (~(P4D_SIZE - 1))
#define PGDIR_SIZE (_AC(1, UL) << PGDIR_SHIFT)
#define PGDIR_MASK (~(PGDIR_SIZE - 1))

#define VMALLOC_START _AC(0xffffc90000000000, UL)
#define VMALLOC_END _AC(0xffffe8ffffffffff, UL)
#define MODULES_VADDR _AC(0xffffffffc0000000, UL)
#define MODULES_END _AC(0xffffffffff000000, UL)
#define MODULES_LEN (MODULES_END - MODULES_VADDR)
#define TASK_SIZE_MAX ((_AC(1, UL) << __VIRTUAL_MASK_SHIFT) - PAGE_SIZE)
#define TASK_SIZE TASK_SIZE_MAX
#define STACK_TOP TASK_SIZE
