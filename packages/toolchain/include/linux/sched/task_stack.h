/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>

static inline unsigned long *end_of_stack(const struct task_struct *p)
{
	return (unsigned long *)p->stack;
}

extern int object_is_on_stack(const void *obj);
