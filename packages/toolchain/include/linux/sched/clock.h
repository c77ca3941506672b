/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

/* Nanoseconds since boot, on the virtual clock. */
extern u64 sched_clock(void);
extern u64 local_clock(void);
extern u64 cpu_clock(int cpu);
