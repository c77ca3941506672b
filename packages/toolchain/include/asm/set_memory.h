/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/set_memory.h>
