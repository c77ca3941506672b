/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

typedef u32 depot_stack_handle_t;
