/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mmdebug.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/cpumask.h>
#include <linux/pfn.h>
#include <linux/init.h>
#include <linux/percpu-defs.h>
#include <asm/percpu.h>

extern void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp) __alloc_size__(1);
extern void *__alloc_percpu(size_t size, size_t align) __alloc_size__(1);
extern void free_percpu(void *pdata);

#define alloc_percpu_gfp(type, gfp) \
	((typeof(type) *)__alloc_percpu_gfp(sizeof(type), __alignof__(type), gfp))
#define alloc_percpu(type) ((typeof(type) *)__alloc_percpu(sizeof(type), __alignof__(type)))
