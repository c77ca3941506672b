/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>

extern void touch_softlockup_watchdog(void);

static inline void touch_nmi_watchdog(void)
{
	touch_softlockup_watchdog();
}
