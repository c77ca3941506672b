/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/uaccess.h>
