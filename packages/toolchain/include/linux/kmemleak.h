/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/slab.h>

extern void kmemleak_not_leak(const void *ptr);
extern void kmemleak_ignore(const void *ptr);
extern void kmemleak_scan_area(const void *ptr, size_t size, gfp_t gfp);
extern void kmemleak_no_scan(const void *ptr);
extern void kmemleak_alloc(const void *ptr, size_t size, int min_count, gfp_t gfp);
extern void kmemleak_free(const void *ptr);
