/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

struct task_cputime {
	u64 stime;
	u64 utime;
	unsigned long long sum_exec_runtime;
};
