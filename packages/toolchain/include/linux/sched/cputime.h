/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>

extern void thread_group_cputime_adjusted(struct task_struct *p, u64 *ut, u64 *st);
extern void task_cputime_adjusted(struct task_struct *p, u64 *ut, u64 *st);
