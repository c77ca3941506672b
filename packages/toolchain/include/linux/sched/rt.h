/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>

static inline int rt_task(struct task_struct *p)
{
	return p->prio < MAX_RT_PRIO;
}
