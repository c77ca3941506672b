/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/preempt.h>

extern void local_bh_disable(void);
extern void local_bh_enable(void);
extern void __local_bh_enable_ip(unsigned long ip, unsigned int cnt);
