/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <asm/page.h>
#include <asm/pgtable_types.h>

struct mm_struct;

#define __pgd(x) ((pgd_t) { (x) })
#define __pud(x) ((pud_t) { (x) })
#define __pmd(x) ((pmd_t) { (x) })
#define __pte(x) ((pte_t) { (x) })

static inline unsigned long pgd_val(pgd_t x)
{
	return x.pgd;
}

static inline int pgd_none(pgd_t x)
{
	return pgd_val(x) == 0;
}

static inline int pgd_present(pgd_t x)
{
	return (int)(pgd_val(x) & _PAGE_PRESENT);
}

/* A table must be present and writable by user and kernel alike; a large page is none. */
static inline int pgd_bad(pgd_t x)
{
	return (pgd_val(x) & PTE_FLAGS_MASK & ~(_PAGE_USER | _PAGE_NX | _PAGE_ACCESSED | _PAGE_DIRTY)) !=
	       (_PAGE_PRESENT | _PAGE_RW);
}

static inline int pgd_leaf(pgd_t x)
{
	return (pgd_val(x) & (_PAGE_PSE | _PAGE_PRESENT)) == (_PAGE_PSE | _PAGE_PRESENT);
}

static inline unsigned long pgd_pfn(pgd_t x)
{
	return (pgd_val(x) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

/* The table that the entry leads to. */
static inline unsigned long pgd_page_vaddr(pgd_t x)
{
	return (unsigned long)__va(pgd_val(x) & PTE_PFN_MASK);
}

#define pgd_page(x) pfn_to_page(pgd_pfn(x))
#define pgd_none_or_clear_bad(p) (pgd_none(*(p)) || pgd_bad(*(p)))

static inline unsigned long p4d_val(p4d_t x)
{
	return x.pgd.pgd;
}

static inline int p4d_none(p4d_t x)
{
	return p4d_val(x) == 0;
}

static inline int p4d_present(p4d_t x)
{
	return (int)(p4d_val(x) & _PAGE_PRESENT);
}

/* A table must be present and writable by user and kernel alike; a large page is none. */
static inline int p4d_bad(p4d_t x)
{
	return (p4d_val(x) & PTE_FLAGS_MASK & ~(_PAGE_USER | _PAGE_NX | _PAGE_ACCESSED | _PAGE_DIRTY)) !=
	       (_PAGE_PRESENT | _PAGE_RW);
}

static inline int p4d_leaf(p4d_t x)
{
	return (p4d_val(x) & (_PAGE_PSE | _PAGE_PRESENT)) == (_PAGE_PSE | _PAGE_PRESENT);
}

static inline unsigned long p4d_pfn(p4d_t x)
{
	return (p4d_val(x) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

/* The table that the entry leads to. */
static inline unsigned long p4d_page_vaddr(p4d_t x)
{
	return (unsigned long)__va(p4d_val(x) & PTE_PFN_MASK);
}

#define p4d_page(x) pfn_to_page(p4d_pfn(x))
#define p4d_none_or_clear_bad(p) (p4d_none(*(p)) || p4d_bad(*(p)))

static inline unsigned long pud_val(pud_t x)
{
	return x.pud;
}

static inline int pud_none(pud_t x)
{
	return pud_val(x) == 0;
}

static inline int pud_present(pud_t x)
{
	return (int)(pud_val(x) & _PAGE_PRESENT);
}

/* A table must be present and writable by user and kernel alike; a large page is none. */
static inline int pud_bad(pud_t x)
{
	return (pud_val(x) & PTE_FLAGS_MASK & ~(_PAGE_USER | _PAGE_NX | _PAGE_ACCESSED | _PAGE_DIRTY)) !=
	       (_PAGE_PRESENT | _PAGE_RW);
}

static inline int pud_leaf(pud_t x)
{
	return (pud_val(x) & (_PAGE_PSE | _PAGE_PRESENT)) == (_PAGE_PSE | _PAGE_PRESENT);
}

static inline unsigned long pud_pfn(pud_t x)
{
	return (pud_val(x) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

/* The table that the entry leads to. */
static inline unsigned long pud_page_vaddr(pud_t x)
{
	return (unsigned long)__va(pud_val(x) & PTE_PFN_MASK);
}

#define pud_page(x) pfn_to_page(pud_pfn(x))
#define pud_none_or_clear_bad(p) (pud_none(*(p)) || pud_bad(*(p)))

static inline unsigned long pmd_val(pmd_t x)
{
	return x.pmd;
}

static inline int pmd_none(pmd_t x)
{
	return pmd_val(x) == 0;
}

static inline int pmd_present(pmd_t x)
{
	return (int)(pmd_val(x) & _PAGE_PRESENT);
}

/* A table must be present and writable by user and kernel alike; a large page is none. */
static inline int pmd_bad(pmd_t x)
{
	return (pmd_val(x) & PTE_FLAGS_MASK & ~(_PAGE_USER | _PAGE_NX | _PAGE_ACCESSED | _PAGE_DIRTY)) !=
	       (_PAGE_PRESENT | _PAGE_RW);
}

static inline int pmd_leaf(pmd_t x)
{
	return (pmd_val(x) & (_PAGE_PSE | _PAGE_PRESENT)) == (_PAGE_PSE | _PAGE_PRESENT);
}

static inline unsigned long pmd_pfn(pmd_t x)
{
	return (pmd_val(x) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

/* The table that the entry leads to. */
static inline unsigned long pmd_page_vaddr(pmd_t x)
{
	return (unsigned long)__va(pmd_val(x) & PTE_PFN_MASK);
}

#define pmd_page(x) pfn_to_page(pmd_pfn(x))
#define pmd_none_or_clear_bad(p) (pmd_none(*(p)) || pmd_bad(*(p)))

#define p4d_pgtable(p4d) ((pud_t *)p4d_page_vaddr(p4d))
#define pud_pgtable(pud) ((pmd_t *)pud_page_vaddr(pud))
#define pmd_large(pmd) pmd_leaf(pmd)
#define pud_large(pud) pud_leaf(pud)
#define pmd_trans_huge(pmd) pmd_leaf(pmd)
#define pmd_huge(pmd) pmd_leaf(pmd)
#define pud_huge(pud) pud_leaf(pud)

#define pgd_index(address) (((address) >> PGDIR_SHIFT) & (PTRS_PER_PGD - 1))
#define pgd_offset_pgd(pgd, address) ((pgd) + pgd_index(address))
#define pgd_offset(mm, address) pgd_offset_pgd((mm)->pgd, (address))

/* The level that hardware with four levels does not have: its entry is the one above. */
static inline p4d_t *p4d_offset(pgd_t *pgd, unsigned long address)
{
	return (p4d_t *)pgd;
}

static inline unsigned long pud_index(unsigned long address)
{
	return (address >> PUD_SHIFT) & (PTRS_PER_PUD - 1);
}

static inline pud_t *pud_offset(p4d_t *p4d, unsigned long address)
{
	return (pud_t *)p4d_pgtable(*p4d) + pud_index(address);
}

static inline unsigned long pmd_index(unsigned long address)
{
	return (address >> PMD_SHIFT) & (PTRS_PER_PMD - 1);
}

static inline pmd_t *pmd_offset(pud_t *pud, unsigned long address)
{
	return (pmd_t *)pud_pgtable(*pud) + pmd_index(address);
}

static inline unsigned long pte_index(unsigned long address)
{
	return (address >> PAGE_SHIFT) & (PTRS_PER_PTE - 1);
}

static inline pte_t *pte_offset_kernel(pmd_t *pmd, unsigned long address)
{
	return (pte_t *)pmd_page_vaddr(*pmd) + pte_index(address);
}

#define pte_offset_map(dir, address) pte_offset_kernel((dir), (address))
#define pte_unmap(pte) ((void)(pte))

static inline unsigned long pte_val(pte_t pte)
{
	return pte.pte;
}

static inline int pte_none(pte_t pte)
{
	return pte.pte == 0;
}

static inline int pte_present(pte_t pte)
{
	return (pte.pte & (_PAGE_PRESENT | _PAGE_PROTNONE)) != 0;
}

static inline int pte_write(pte_t pte)
{
	return (pte.pte & _PAGE_RW) != 0;
}

static inline int pte_dirty(pte_t pte)
{
	return (pte.pte & _PAGE_DIRTY) != 0;
}

static inline int pte_young(pte_t pte)
{
	return (pte.pte & _PAGE_ACCESSED) != 0;
}

static inline int pte_exec(pte_t pte)
{
	return !(pte.pte & _PAGE_NX);
}

static inline int pte_special(pte_t pte)
{
	return (pte.pte & _PAGE_SPECIAL) != 0;
}

static inline int pte_global(pte_t pte)
{
	return (pte.pte & _PAGE_GLOBAL) != 0;
}

static inline int pte_same(pte_t a, pte_t b)
{
	return a.pte == b.pte;
}

static inline unsigned long pte_pfn(pte_t pte)
{
	return (pte.pte & PTE_PFN_MASK) >> PAGE_SHIFT;
}

static inline unsigned long pte_flags(pte_t pte)
{
	return pte.pte & PTE_FLAGS_MASK;
}

static inline pte_t pfn_pte(unsigned long pfn, pgprot_t prot)
{
	return __pte((pfn << PAGE_SHIFT) | pgprot_val(prot));
}

static inline pte_t pte_mkwrite(pte_t pte)
{
	return __pte(pte.pte | _PAGE_RW);
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return __pte(pte.pte & ~_PAGE_RW);
}

static inline pte_t pte_mkdirty(pte_t pte)
{
	return __pte(pte.pte | _PAGE_DIRTY);
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return __pte(pte.pte & ~_PAGE_DIRTY);
}

static inline pte_t pte_mkyoung(pte_t pte)
{
	return __pte(pte.pte | _PAGE_ACCESSED);
}

static inline pte_t pte_mkold(pte_t pte)
{
	return __pte(pte.pte & ~_PAGE_ACCESSED);
}

#define pte_page(pte) pfn_to_page(pte_pfn(pte))
#define mk_pte(page, pgprot) pfn_pte(page_to_pfn(page), (pgprot))
#define ptep_get(ptep) READ_ONCE(*(ptep))
#define pgd_addr_end(addr, end) __level_end(addr, end, PGDIR_SIZE)
#define p4d_addr_end(addr, end) (end)
#define pud_addr_end(addr, end) __level_end(addr, end, PUD_SIZE)
#define pmd_addr_end(addr, end) __level_end(addr, end, PMD_SIZE)

/* The next boundary of a level's entry, or the end, whichever comes first. */
static inline unsigned long __level_end(unsigned long addr, unsigned long end, unsigned long size)
{
	unsigned long boundary = (addr + size) & ~(size - 1);

	return boundary - 1 < end - 1 ? boundary : end;
}

/* Walks init_mm's tables for a kernel address: the entry and its level (1 PTE, 2 PMD, 3 PUD), or NULL. */
extern pte_t *lookup_address(unsigned long address, unsigned int *level);
