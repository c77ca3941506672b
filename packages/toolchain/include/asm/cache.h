/* SPDX-License-Identifier: MIT */
#pragma once

#include <uapi/linux/const.h>

#define L1_CACHE_SHIFT 6
#define L1_CACHE_BYTES (1 << L1_CACHE_SHIFT)
