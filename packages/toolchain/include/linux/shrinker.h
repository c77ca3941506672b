/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mm.h>
