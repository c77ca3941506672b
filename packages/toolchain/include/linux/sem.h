/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <uapi/linux/sched/types.h>
