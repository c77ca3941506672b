/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/percpu-defs.h>
