/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

struct timeval {
	long tv_sec;
	long tv_usec;
};

struct timespec {
	long tv_sec;
	long tv_nsec;
};
