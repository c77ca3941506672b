/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

struct range {
	u64 start;
	u64 end;
};
