/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kdev_t.h>
