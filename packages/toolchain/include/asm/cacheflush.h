/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/cacheflush.h>
