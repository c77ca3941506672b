/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/jiffies.h>

/* Cycles of the virtual clock: one a nanosecond. */
extern cycles_t get_cycles(void);
#define random_get_entropy() get_cycles()
