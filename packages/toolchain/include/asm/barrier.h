/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler_types.h>

#ifndef barrier
#define barrier() __asm__ __volatile__("" : : : "memory")
#endif
#define mb() barrier()
#define rmb() barrier()
#define wmb() barrier()
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define dma_rmb() barrier()
#define dma_wmb() barrier()
#define __smp_mb() barrier()
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_mb__after_spinlock() barrier()
#define smp_store_mb(var, value) \
	do { \
		WRITE_ONCE(var, value); \
		barrier(); \
	} while (0)
#define smp_store_release(p, v) \
	do { \
		barrier(); \
		WRITE_ONCE(*(p), v); \
	} while (0)
#define smp_load_acquire(p) \
	({ \
		typeof(*(p)) __loaded = READ_ONCE(*(p)); \
		barrier(); \
		__loaded; \
	})
#define smp_acquire__after_ctrl_dep() barrier()
#define array_index_nospec(index, size) (index)
