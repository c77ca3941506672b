/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/string.h>
