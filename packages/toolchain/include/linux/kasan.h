/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

extern bool kasan_save_enable_multi_shot(void);
extern void kasan_restore_multi_shot(bool enabled);
