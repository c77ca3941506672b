/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/slab.h>
#include <linux/vmalloc.h>

/* A kernel without CONFIG_DEBUG_KMEMLEAK: hints about what is no leak go unheard. */
static inline void kmemleak_init(void)
{
}

static inline void kmemleak_alloc(const void *ptr, size_t size, int min_count, gfp_t gfp)
{
}

static inline void kmemleak_free(const void *ptr)
{
}

static inline void kmemleak_free_part(const void *ptr, size_t size)
{
}

static inline void kmemleak_update_trace(const void *ptr)
{
}

static inline void kmemleak_not_leak(const void *ptr)
{
}

static inline void kmemleak_ignore(const void *ptr)
{
}

static inline void kmemleak_scan_area(const void *ptr, size_t size, gfp_t gfp)
{
}

static inline void kmemleak_erase(void **ptr)
{
}

static inline void kmemleak_no_scan(const void *ptr)
{
}
