/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>

/* How the slab allocator keeps its caches: for those who look, not for those who allocate. */
#include <generated/slab.h>
