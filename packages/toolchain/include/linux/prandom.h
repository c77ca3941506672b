/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/random.h>
