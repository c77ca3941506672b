/* SPDX-License-Identifier: MIT */
#pragma once

struct sched_param {
	int sched_priority;
};
