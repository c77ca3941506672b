/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

struct page;
struct kmem_cache;

/* A kernel without CONFIG_KASAN: there are no reports to hold back, and nothing to poison. */
static inline bool kasan_save_enable_multi_shot(void)
{
	return false;
}

static inline void kasan_restore_multi_shot(bool enabled)
{
}

static inline void kasan_enable_current(void)
{
}

static inline void kasan_disable_current(void)
{
}

static inline void kasan_poison_pages(struct page *page, unsigned int order, bool init)
{
}

static inline bool kasan_enabled(void)
{
	return false;
}
