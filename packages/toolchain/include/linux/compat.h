/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

static inline void __user *compat_ptr(u32 uptr)
{
	return (void __user *)(unsigned long)uptr;
}
