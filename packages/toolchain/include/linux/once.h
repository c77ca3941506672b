/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

#define DO_ONCE(func, ...) \
	({ \
		static bool ___done; \
		bool ___ret = !___done; \
		if (___ret) { \
			___done = true; \
			func(__VA_ARGS__); \
		} \
		___ret; \
	})
