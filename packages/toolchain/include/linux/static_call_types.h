/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
