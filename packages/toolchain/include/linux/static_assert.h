/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/build_bug.h>
