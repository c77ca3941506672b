/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/jump_label.h>
