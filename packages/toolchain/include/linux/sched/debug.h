/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>

extern void show_stack(struct task_struct *task, unsigned long *sp, const char *loglvl);
extern void sched_show_task(struct task_struct *p);
