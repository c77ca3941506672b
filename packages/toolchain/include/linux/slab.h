/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/kernel.h>
#include <linux/bug.h>
#include <linux/string.h>

#define SLAB_CONSISTENCY_CHECKS ((slab_flags_t __force)0x00000100U)
#define SLAB_RED_ZONE ((slab_flags_t __force)0x00000400U)
#define SLAB_POISON ((slab_flags_t __force)0x00000800U)
#define SLAB_HWCACHE_ALIGN ((slab_flags_t __force)0x00002000U)
#define SLAB_CACHE_DMA ((slab_flags_t __force)0x00004000U)
#define SLAB_CACHE_DMA32 ((slab_flags_t __force)0x00008000U)
#define SLAB_STORE_USER ((slab_flags_t __force)0x00010000U)
#define SLAB_RECLAIM_ACCOUNT ((slab_flags_t __force)0x00020000U)
#define SLAB_PANIC ((slab_flags_t __force)0x00040000U)
#define SLAB_TYPESAFE_BY_RCU ((slab_flags_t __force)0x00080000U)
#define SLAB_MEM_SPREAD ((slab_flags_t __force)0x00100000U)
#define SLAB_TRACE ((slab_flags_t __force)0x00200000U)
#define SLAB_NOLEAKTRACE ((slab_flags_t __force)0x00800000U)
#define SLAB_ACCOUNT ((slab_flags_t __force)0x04000000U)
#define SLAB_TEMPORARY SLAB_RECLAIM_ACCOUNT
#define SLAB_KASAN 0

/* What kmalloc(0) returns: not NULL, and a fault if touched. */
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(x) ((unsigned long)(x) <= (unsigned long)ZERO_SIZE_PTR)

#define ARCH_KMALLOC_MINALIGN 8
#define ARCH_SLAB_MINALIGN 8
#define KMALLOC_SHIFT_LOW 3
#define KMALLOC_SHIFT_HIGH (PAGE_SHIFT + 1)
#define KMALLOC_SHIFT_MAX (MAX_ORDER + PAGE_SHIFT - 1)
#define KMALLOC_MAX_SIZE (1UL << KMALLOC_SHIFT_MAX)
#define KMALLOC_MAX_CACHE_SIZE (1UL << KMALLOC_SHIFT_HIGH)
#define KMALLOC_MAX_ORDER (KMALLOC_SHIFT_MAX - PAGE_SHIFT)
#define KMALLOC_MIN_SIZE (1 << KMALLOC_SHIFT_LOW)

struct list_lru;
struct mem_cgroup;
struct kmem_cache;

extern bool slab_is_available(void);
extern struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
					    slab_flags_t flags, void (*ctor)(void *));
extern struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
						     slab_flags_t flags, unsigned int useroffset,
						     unsigned int usersize, void (*ctor)(void *));
extern void kmem_cache_destroy(struct kmem_cache *s);
extern int kmem_cache_shrink(struct kmem_cache *s);
extern unsigned int kmem_cache_size(struct kmem_cache *s);

#define KMEM_CACHE(__struct, __flags) \
	kmem_cache_create(#__struct, sizeof(struct __struct), __alignof__(struct __struct), (__flags), NULL)
#define KMEM_CACHE_USERCOPY(__struct, __flags, __field) \
	kmem_cache_create_usercopy(#__struct, sizeof(struct __struct), __alignof__(struct __struct), (__flags), \
				   offsetof(struct __struct, __field), sizeof_field(struct __struct, __field), \
				   NULL)

extern void *kmem_cache_alloc(struct kmem_cache *cachep, gfp_t flags) __malloc;
extern void *kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t gfpflags) __malloc;
extern void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t flags, int node) __malloc;
extern void kmem_cache_free(struct kmem_cache *s, void *objp);
extern void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p);
extern int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t size, void **p);

static __transparent void *kmem_cache_zalloc(struct kmem_cache *k, gfp_t flags)
{
	return kmem_cache_alloc(k, flags | __GFP_ZERO);
}

extern void *__kmalloc(size_t size, gfp_t flags) __malloc __alloc_size__(1);
extern void *__kmalloc_node(size_t size, gfp_t flags, int node) __malloc __alloc_size__(1);
extern void *krealloc(const void *objp, size_t new_size, gfp_t flags) __must_check __alloc_size__(2);
extern void kfree(const void *objp);
extern void kfree_sensitive(const void *objp);
extern void kfree_bulk(size_t size, void **p);
extern size_t __ksize(const void *objp);
extern size_t ksize(const void *objp);
extern bool kmem_valid_obj(void *object);
extern void kmem_dump_obj(void *object);

#define kzfree kfree_sensitive

static __transparent __malloc __alloc_size__(1) void *kmalloc(size_t size, gfp_t flags)
{
	return __kmalloc(size, flags);
}

static __transparent __malloc __alloc_size__(1) void *kmalloc_node(size_t size, gfp_t flags, int node)
{
	return __kmalloc_node(size, flags, node);
}

static __transparent __malloc __alloc_size__(1) void *kzalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags | __GFP_ZERO);
}

static __transparent __malloc __alloc_size__(1) void *kzalloc_node(size_t size, gfp_t flags, int node)
{
	return kmalloc_node(size, flags | __GFP_ZERO, node);
}

static __transparent __malloc __alloc_size__(1, 2) void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return kmalloc(bytes, flags);
}

static __transparent __malloc __alloc_size__(1, 2) void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kmalloc_array(n, size, flags | __GFP_ZERO);
}

static __transparent __malloc __alloc_size__(1, 2) void *kmalloc_array_node(size_t n, size_t size, gfp_t flags, int node)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return kmalloc_node(bytes, flags, node);
}

static __transparent __malloc __alloc_size__(1, 2) void *kcalloc_node(size_t n, size_t size, gfp_t flags, int node)
{
	return kmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

static __transparent __must_check __alloc_size__(2, 3) void *krealloc_array(void *p, size_t new_n, size_t new_size,
								     gfp_t flags)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(new_n, new_size, &bytes)))
		return NULL;
	return krealloc(p, bytes, flags);
}

#define kmalloc_track_caller(size, flags) __kmalloc(size, flags)
#define kmalloc_node_track_caller(size, flags, node) __kmalloc_node(size, flags, node)

/* From slabs if they can, else from vmalloc. */
extern void *kvmalloc_node(size_t size, gfp_t flags, int node) __malloc __alloc_size__(1);
extern void *kvrealloc(const void *p, size_t oldsize, size_t newsize, gfp_t flags) __alloc_size__(3);
extern void kvfree(const void *addr);
extern void kvfree_sensitive(const void *addr, size_t len);

static __transparent __malloc __alloc_size__(1) void *kvmalloc(size_t size, gfp_t flags)
{
	return kvmalloc_node(size, flags, NUMA_NO_NODE);
}

static __transparent __malloc __alloc_size__(1) void *kvzalloc_node(size_t size, gfp_t flags, int node)
{
	return kvmalloc_node(size, flags | __GFP_ZERO, node);
}

static __transparent __malloc __alloc_size__(1) void *kvzalloc(size_t size, gfp_t flags)
{
	return kvmalloc(size, flags | __GFP_ZERO);
}

static __transparent __malloc __alloc_size__(1, 2) void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return kvmalloc(bytes, flags);
}

static __transparent __malloc __alloc_size__(1, 2) void *kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array(n, size, flags | __GFP_ZERO);
}

extern size_t kmalloc_size_roundup(size_t size);
