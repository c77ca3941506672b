/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

#define prefetch(x) __builtin_prefetch(x)
#define prefetchw(x) __builtin_prefetch(x, 1)
#define spin_lock_prefetch(x) prefetchw(x)
