/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler_types.h>
#include <linux/stringify.h>
#include <linux/export.h>

#define __page_aligned_data __section(".data..page_aligned") __aligned(4096)
#define __page_aligned_bss __section(".bss..page_aligned") __aligned(4096)
