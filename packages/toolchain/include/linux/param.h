/* SPDX-License-Identifier: MIT */
#pragma once

#include <uapi/asm/param.h>

#undef HZ
#define HZ 250
#define USER_HZ 100
#define CLOCKS_PER_SEC (USER_HZ)
