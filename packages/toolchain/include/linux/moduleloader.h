/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/module.h>
