/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <asm/page.h>

/* There are no devices behind these: memory-mapped registers are memory. Ports (inb, outb) do not exist. */
static inline u8 readb(const volatile void __iomem *addr)
{
	return *(const volatile u8 __force *)addr;
}

static inline void writeb(u8 value, volatile void __iomem *addr)
{
	*(volatile u8 __force *)addr = value;
}

#define readb_relaxed readb
#define writeb_relaxed writeb
#define __raw_readb readb
#define __raw_writeb writeb
#define ioread8(addr) readb(addr)
#define iowrite8(value, addr) writeb((value), (addr))

static inline u16 readw(const volatile void __iomem *addr)
{
	return *(const volatile u16 __force *)addr;
}

static inline void writew(u16 value, volatile void __iomem *addr)
{
	*(volatile u16 __force *)addr = value;
}

#define readw_relaxed readw
#define writew_relaxed writew
#define __raw_readw readw
#define __raw_writew writew
#define ioread16(addr) readw(addr)
#define iowrite16(value, addr) writew((value), (addr))

static inline u32 readl(const volatile void __iomem *addr)
{
	return *(const volatile u32 __force *)addr;
}

static inline void writel(u32 value, volatile void __iomem *addr)
{
	*(volatile u32 __force *)addr = value;
}

#define readl_relaxed readl
#define writel_relaxed writel
#define __raw_readl readl
#define __raw_writel writel
#define ioread32(addr) readl(addr)
#define iowrite32(value, addr) writel((value), (addr))

static inline u64 readq(const volatile void __iomem *addr)
{
	return *(const volatile u64 __force *)addr;
}

static inline void writeq(u64 value, volatile void __iomem *addr)
{
	*(volatile u64 __force *)addr = value;
}

#define readq_relaxed readq
#define writeq_relaxed writeq
#define __raw_readq readq
#define __raw_writeq writeq
#define ioread64(addr) readq(addr)
#define iowrite64(value, addr) writeq((value), (addr))

extern void __iomem *ioremap(resource_size_t offset, unsigned long size);
extern void __iomem *ioremap_cache(resource_size_t offset, unsigned long size);
extern void iounmap(volatile void __iomem *addr);
extern void __iomem *ioremap_wc(resource_size_t offset, unsigned long size);
extern void __iomem *ioremap_uc(resource_size_t offset, unsigned long size);
extern void __iomem *ioremap_wt(resource_size_t offset, unsigned long size);
#define ioremap_nocache(offset, size) ioremap(offset, size)
#define memset_io(addr, value, count) memset((void __force *)(addr), value, count)
#define memcpy_fromio(to, from, count) memcpy(to, (const void __force *)(from), count)
#define memcpy_toio(to, from, count) memcpy((void __force *)(to), from, count)

static inline phys_addr_t virt_to_phys(volatile void *address)
{
	return __pa(address);
}

static inline void *phys_to_virt(phys_addr_t address)
{
	return __va(address);
}

#define virt_to_bus virt_to_phys
#define bus_to_virt phys_to_virt
