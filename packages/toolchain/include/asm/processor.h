/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <asm/page_types.h>

extern void __pagewalk_cpu_relax(void);
#define cpu_relax() __pagewalk_cpu_relax()
#define task_pt_regs(task) ((struct pt_regs *)NULL)
