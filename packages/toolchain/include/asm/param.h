/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/param.h>
