/* SPDX-License-Identifier: MIT */
#pragma once

#define NR_CPUS CONFIG_NR_CPUS
#define CONFIG_BASE_SMALL 0
#define PID_MAX_DEFAULT 0x8000
#define PID_MAX_LIMIT (4 * 1024 * 1024)
