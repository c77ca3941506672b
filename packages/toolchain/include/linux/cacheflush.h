/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mm_types.h>

/* Caches are coherent: nothing to do. */
#define flush_cache_all() do { } while (0)
#define flush_dcache_page(page) do { (void)(page); } while (0)
#define flush_dcache_folio(folio) flush_dcache_page(&(folio)->page)
#define flush_icache_range(start, end) do { } while (0)
#define flush_cache_vmap(start, end) do { } while (0)
#define flush_cache_vunmap(start, end) do { } while (0)
