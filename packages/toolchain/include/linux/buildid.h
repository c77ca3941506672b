/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

#define BUILD_ID_SIZE_MAX 20
