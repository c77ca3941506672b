/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/delay.h>
