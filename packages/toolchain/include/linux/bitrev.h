/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

#define bitrev8(x) __builtin_bitreverse8(x)
#define bitrev16(x) __builtin_bitreverse16(x)
#define bitrev32(x) __builtin_bitreverse32(x)
