/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/thread_info.h>
